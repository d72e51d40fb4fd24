internal import Foundation

// The few functions of the C library that the planners need.

func naturalLogarithm(_ x: Double) -> Double { log(x) }
func exponential(_ x: Double) -> Double { exp(x) }
func cosine(_ angle: Double) -> Double { cos(angle) }
func sine(_ angle: Double) -> Double { sin(angle) }
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
