import Foundation
import Testing

@testable import OpenCL

/// What is kept of a driver that does not survive a cached binary, and how the next process finds it.
@Suite struct LoadMarkerTests {
  private static let key = ProgramCache.Key(
    source: "s", options: [], platformName: "p", platformVersion: "1", deviceName: "d", driverVersion: "1")
  private let binary: [UInt8] = [1, 2, 3]

  /// A cache with one binary, and the names of its files.
  private func withCache(_ body: (ProgramCache, () throws -> [String]) throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory)
      cache.store(binary, for: Self.key)
      try body(cache) { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }
    }
  }

  /// Leaves the marker of a process that is gone.
  private func leaveMarker(in cache: ProgramCache, _ content: String = "x") throws -> String {
    let path = "\(cache.path(of: Self.key)).999999-1.loading"
    try Data(content.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func aTrialIsMarkedUntilItPasses() async throws {
    try await withCache { cache, names in
      let (found, trial) = try #require(cache.loadForTrial(Self.key))
      #expect(found == binary)
      #expect(try names().map { $0.hasSuffix(".loading") } == [false, true])
      trial.pass()
      #expect(try names() == [Self.key.fileName])
      trial.pass()
      #expect(cache.load(Self.key) == binary)
    }
  }

  /// A folder with many files is read in several pieces.
  @Test func oneMarkerIsFoundAmongManyFiles() async throws {
    try await withCache { cache, _ in
      for index in 0..<1500 {
        let name = "\(cache.directory)/\(String(repeating: "a", count: 64 + index % 7))\(index).weftbin"
        try Data().write(to: URL(fileURLWithPath: name))
      }
      let marker = try leaveMarker(in: cache)
      for _ in 0..<20 { #expect(LoadMarker.leftOver(in: cache.directory) == [marker]) }
    }
  }

  /// What failed after a kernel had run well is not the binary's fault.
  @Test func aBinaryThatPassedStays() async throws {
    try await withCache { cache, names in
      let trial = try #require(cache.loadForTrial(Self.key)).trial
      trial.pass()
      trial.fail()
      #expect(try names() == [Self.key.fileName])
    }
  }

  /// A driver that refuses the binary has survived it.
  @Test func aTrialThatIsDroppedLeavesNoMarker() async throws {
    try await withCache { cache, names in
      _ = cache.loadForTrial(Self.key)
      let left = try names()
      #expect(left == [Self.key.fileName])
    }
  }

  @Test func aBinaryThatFailedIsRemoved() async throws {
    try await withCache { cache, names in
      try #require(cache.loadForTrial(Self.key)).trial.fail()
      #expect(try names().isEmpty)
    }
  }

  @Test func theNextProcessDoesNotLoad() async throws {
    try await withCache { cache, names in
      _ = try leaveMarker(in: cache)
      let next = ProgramCache(directory: cache.directory)
      #expect(next.loadForTrial(Self.key) == nil)
      #expect(next.isDistrusted)
      #expect(try names() == ["generation"], "the binary is removed, and the marker")
      #expect(next.generation == 1)
      // What this process compiles takes its place, for the next.
      next.store(binary, for: Self.key)
      #expect(next.loadForTrial(Self.key) == nil)
      let third = ProgramCache(directory: cache.directory)
      #expect(!third.isDistrusted && third.loadForTrial(Self.key)?.binary == binary)
      #expect(third.generation == 1)
    }
  }

  /// Any of the binaries may have been at fault.
  @Test func otherBinariesAreNotLoadedEither() async throws {
    try await withCache { cache, names in
      let other = ProgramCache.Key(
        source: "other", options: [], platformName: "p", platformVersion: "1", deviceName: "d", driverVersion: "1")
      cache.store(binary, for: other)
      _ = try leaveMarker(in: cache)
      #expect(ProgramCache(directory: cache.directory).loadForTrial(other) == nil)
      #expect(try names() == [other.fileName, "generation"].sorted())
    }
  }

  /// A process that is at work holds its marker, and loses nothing by another that starts.
  @Test func aLivingProcessKeepsItsMarker() async throws {
    try await withCache { cache, names in
      let first = try #require(cache.loadForTrial(Self.key))
      let next = ProgramCache(directory: cache.directory)
      let second = try #require(next.loadForTrial(Self.key))
      #expect(try names().count == 3)
      second.trial.pass()
      first.trial.pass()
      #expect(try names() == [Self.key.fileName])
    }
  }

  /// It has not been locked yet.
  @Test func anEmptyMarkerSaysNothing() async throws {
    try await withCache { cache, _ in
      _ = try leaveMarker(in: cache, "")
      #expect(ProgramCache(directory: cache.directory).loadForTrial(Self.key) != nil)
    }
  }

  @Test func withoutAMarkerTheBinaryIsStillTried() async throws {
    try await withTemporaryDirectory { directory in
      #expect(LoadMarker.mark("\(directory)/missing/file") == nil)
      let trial = LoadTrial(of: "\(directory)/missing/file")
      trial.pass()
      trial.fail()
    }
  }
}
