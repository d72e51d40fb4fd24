import Engine
import Foundation
import TestDevices
import Testing
import Weft

/// A long life of one process: all parts of the library over and over, tasks cancelled, streams dropped; then devices
/// opened and given back. Memory, descriptors and threads must stop growing. `Scripts/soak` sets how long; without it, the test is skipped.
@Suite struct SoakTests {
  private static let seconds = ProcessInfo.processInfo.environment["WEFT_SOAK_SECONDS"].flatMap { Double($0) }

  @Test(.enabled(if: seconds != nil, "WEFT_SOAK_SECONDS is not set; Scripts/soak sets it")) func nothingGrows()
    async throws
  {
    let length = try #require(Self.seconds)
    let works = LibraryWork.all
    var loaded: [(TestDevice, LibraryWork.Loaded, String)] = []
    for device in TestDevice.available {
      for work in works {
        let instance = try await work.load(device.engine())
        loaded.append((device, instance, try await instance.run()))
      }
    }
    let clock = ContinuousClock()
    let start = clock.now
    var samples: [(seconds: Double, use: ProcessUse)] = []
    var rounds = 0
    while start.duration(to: clock.now) < .seconds(length) {
      // Those that stay loaded, several at once.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (device, instance, expected) in loaded where device == .openCL || rounds % 4 == 0 {
          group.addTask {
            let result = try await instance.run()
            #expect(result == expected)
          }
          group.addTask { try await instance.drop() }
          group.addTask {
            let task = Task { try await instance.run() }
            try await Task.sleep(for: .milliseconds(2))
            task.cancel()
            _ = await task.result
          }
        }
        try await group.waitForAll()
      }
      rounds += 1
      samples.append((Double(start.duration(to: clock.now).components.seconds), try ProcessUse.now()))
    }
    // The first third fills caches and pools.
    let settled = samples.filter { $0.seconds >= length / 3 }
    let middle = settled.prefix(max(1, settled.count / 4)), last = settled.suffix(max(1, settled.count / 4))
    let (before, after) = (
      try #require(ProcessUse.median(middle.map(\.use))), try #require(ProcessUse.median(last.map(\.use)))
    )
    print(
      "soak: library, \(rounds) rounds in \(Int(length)) s; from the second third to the end: \(before) to \(after)")
    #expect(rounds >= 8, "too few rounds to tell growth")
    #expect(after.descriptors <= before.descriptors + 2)
    #expect(after.threads <= before.threads + 4)
    // A leak of a kilobyte a round is seen after an hour; what an allocator keeps back moves by some megabytes.
    #expect(after.residentBytes <= before.residentBytes + 24 << 20)

    // Devices that are opened and given back, with all that is loaded onto them.
    var residues: [ProcessUse] = []
    for cycle in 0..<60 {
      let device = TestDevice.available.last ?? .reference
      let engine = try await Engine(device == .reference ? .reference : .openCL(index: nil))
      _ = try await works[cycle % works.count].load(engine).run()
      residues.append(try ProcessUse.now())
    }
    // Medians: memory of the last work may be on its way back.
    let (early, late) = (
      try #require(ProcessUse.median(Array(residues[10..<25]))), try #require(ProcessUse.median(Array(residues[45...])))
    )
    let left = (late.residentBytes - early.residentBytes) / 35
    print("soak: a device that was opened and given back leaves \(left >> 10) KiB, \(late.threads) threads")
    if left > 1 << 18 { print("soak: MiB after each:", residues.map { $0.residentBytes >> 20 }) }
    #expect(left < 1 << 20)
    #expect(late.descriptors <= early.descriptors + 2)
  }
}

/// What the system says that this process holds.
struct ProcessUse: CustomStringConvertible {
  var residentBytes: Int
  var descriptors: Int
  var threads: Int

  var description: String { "\(residentBytes >> 20) MiB, \(descriptors) descriptors, \(threads) threads" }

  static func now() throws -> ProcessUse {
    let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return ProcessUse(
      residentBytes: (Int(pages[1]) ?? 0) * Int(getpagesize()),
      descriptors: try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count,
      threads: try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count)
  }

  /// The median of each part.
  static func median(_ uses: [ProcessUse]) -> ProcessUse? {
    guard !uses.isEmpty else { return nil }
    func median(_ part: (ProcessUse) -> Int) -> Int { uses.map(part).sorted()[uses.count / 2] }
    return ProcessUse(
      residentBytes: median(\.residentBytes), descriptors: median(\.descriptors), threads: median(\.threads))
  }
}
