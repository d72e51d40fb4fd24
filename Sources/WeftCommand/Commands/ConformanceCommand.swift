import ArgumentParser
import Foundation

struct ConformanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance", abstract: "Check a device: every kernel against plain loops in double precision.")
  func run() async throws {}
}
