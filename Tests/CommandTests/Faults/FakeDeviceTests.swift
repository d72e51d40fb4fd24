import Foundation
import Testing

/// A device that says it is a GPU (`fake_gpu.c`), with small groups and little local memory: what the host chooses for
/// GPUs, and the tiles of both sizes, on a machine without one.
@Suite(.disabled(if: FaultBench.obstacle != nil, "\(FaultBench.obstacle ?? "")"), .timeLimit(.minutes(60)))
struct FakeDeviceTests {
  /// The least that OpenCL GPUs have, and what most have.
  static let small = ["WEFT_FAKE_GROUP": "64", "WEFT_FAKE_LOCAL": "32768"]
  static let large = ["WEFT_FAKE_GROUP": "256", "WEFT_FAKE_LOCAL": "32768"]

  /// A device whose kernels need so many registers that they run in smaller groups than it allows.
  static let crowded = ["WEFT_FAKE_GROUP": "256", "WEFT_FAKE_LOCAL": "32768", "WEFT_FAKE_KERNEL_GROUP": "64"]

  /// The size of groups changes no bit: sums do not depend on who shares a tile.
  @Test(arguments: [FaultCommand.extract, .sample, .hubness])
  func commandsRunOnSmallDevices(_ command: FaultCommand) async throws {
    let bench = try await FaultBench("fake_gpu")
    let small = try await bench.run(command, environment: Self.small)
    try #require(small.run.status == 0, "\(small.run.errorText)")
    try #require(!small.result.isEmpty)
    let large = try await bench.run(command, environment: Self.large)
    try #require(large.run.status == 0, "\(large.run.errorText)")
    #expect(small.result == large.result)
    guard command == .extract else { return }
    let crowded = try await bench.run(command, environment: Self.crowded)
    #expect(crowded.run.status == 0, "\(crowded.run.errorText)")
    #expect(crowded.result == large.result)
    // Kernels that were compiled and found too large leave nothing that makes a later run compile everything anew.
    let again = try await bench.run(command, environment: Self.crowded)
    #expect(again.result == large.result)
    let last = try await bench.run(command, environment: Self.crowded)
    #expect(last.result == large.result)
    #expect(!last.run.errorText.contains("compil"), "\(last.run.errorText)")
    let plain = try await FaultBench().run(command)
    #expect(small.run.lines.count == plain.run.lines.count)
    for (line, expected) in zip(small.run.lines, plain.run.lines) {
      #expect(Self.withoutScores(line) == Self.withoutScores(expected))
    }
  }

  @Test func itIsCalledAGPU() async throws {
    let bench = try await FaultBench("fake_gpu")
    let devices = try await bench.run(["devices"], environment: Self.small)
    #expect(devices.lines.contains { $0.hasPrefix("opencl:0") && $0.contains("gpu") }, "\(devices.text)")
  }

  /// Scores of both variants differ in their last digits: their kernels sum in other orders.
  private static func withoutScores(_ line: String) -> String {
    line.replacing(#/"(score|probability)":[^,}]*/#, with: "")
  }
}
