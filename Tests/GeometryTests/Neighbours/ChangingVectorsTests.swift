import Engine
import Foundation
import Synchronization
import ModelFiles
import TestDevices
import Testing
import Weft

@testable import Geometry

/// Vectors that are no longer what they were when they were first looked at: an error, and no search without end.
@Suite struct ChangingVectorsTests {
  private static let count = 300
  private static let elements = Draws.gaussian(count, 4, seed: 5)

  /// Vectors in memory that hold a NaN after so many reads.
  private final class Source: VectorSource {
    let count = ChangingVectorsTests.count
    let dimension = 4
    private let reads = Mutex(0)
    private let limit: Int
    private let change: @Sendable () -> Void
    private let vectors: (any VectorSource)?

    init(after limit: Int, of vectors: (any VectorSource)? = nil, _ change: @escaping @Sendable () -> Void = {}) {
      (self.limit, self.vectors, self.change) = (limit, vectors, change)
    }

    var readCount: Int { reads.withLock { $0 } }

    func floats(_ range: Range<Int>) throws -> [Float] {
      let isChanged = reads.withLock { reads in
        defer { reads += 1 }
        if reads == limit { change() }
        return reads >= limit
      }
      if let vectors { return try vectors.floats(range) }
      var floats = Array(ChangingVectorsTests.elements[range.lowerBound * 4..<range.upperBound * 4])
      if isChanged { floats[0] = .nan }
      return floats
    }
  }

  /// The number of reads that a look at all vectors takes, and the search after it.
  private func reads(of search: (Source) async throws -> Void) async throws -> (survey: Int, all: Int) {
    let whole = Source(after: .max)
    try await search(whole)
    let survey = Source(after: .max)
    _ = try await VectorSurvey(of: survey, metric: .euclidean, name: "vector")
    return (survey.readCount, whole.readCount)
  }

  @Test(arguments: Metric.allCases) func numbersThatBecomeNaN(metric: Metric) async throws {
    let engine = try await TestDevice.reference.engine()
    let search: (Source) async throws -> Void = { _ = try await engine.neighbours(of: $0, k: 3, metric: metric) }
    let (survey, all) = try await reads(of: search)
    #expect(survey < all)
    let source = Source(after: survey)
    let error = await #expect(throws: GeometryError.self) { try await search(source) }
    #expect(error?.message.contains("the vectors changed while they were read") == true, "\(error?.message ?? "")")
    #expect(source.readCount <= 2 * all, "\(source.readCount) reads, \(all) without a change")
  }

  /// A file that is cut short or written to, at each read of the search.
  @Test(arguments: [true, false]) func filesThatChange(isCut: Bool) async throws {
    let engine = try await TestDevice.reference.engine()
    let search: (Source) async throws -> Void = {
      _ = try await engine.neighbours(of: $0, k: 3)
      _ = try await SampleMoments(of: $0, named: "samples")
    }
    let all = try await reads(of: search).all
    for limit in [1, all / 4, all / 2, all - 1] {
      let path = FileManager.default.temporaryDirectory.appendingPathComponent("vectors-\(UUID().uuidString).npy")
      defer { try? FileManager.default.removeItem(at: path) }
      try Data(NumPyWriter.file(Self.elements, shape: [Self.count, 4])).write(to: path)
      let file = try VectorFile(path: path.path)
      let source = Source(after: limit, of: file) {
        Thread.sleep(forTimeInterval: 0.02)  // the system's clock for files ticks every few milliseconds
        guard let handle = try? FileHandle(forUpdating: path), let size = try? handle.seekToEnd() else { return }
        if isCut {
          try? handle.truncate(atOffset: size / 2)
        } else {
          try? handle.seek(toOffset: size - 4)
          try? handle.write(contentsOf: Data([0, 0, 0xC0, 0x7F]))
        }
      }
      let error = await #expect(throws: ModelFileError.self) { try await search(source) }
      #expect(error?.problem.contains("while it was read") == true, "after \(limit) of \(all) reads")
      #expect(source.readCount <= limit + 64, "ends at once")
    }
  }
}
