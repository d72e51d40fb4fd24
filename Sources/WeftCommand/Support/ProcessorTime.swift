internal import Foundation

/// Seconds of all processors together since the process began: what a run costs, whoever else is at work.
func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
