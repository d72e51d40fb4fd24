import Engine
import TestDevices
import Testing
import Weft

@testable import Geometry

/// What cannot be searched is refused in a line that says what to do.
@Suite struct NeighbourFaultTests {
  struct BadCall: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let says: String
    var vectors: [Float] = [1, 2, 3, 4, 5, 6]
    var queries: [Float]?
    var queryDimension = 2
    var k = 1
    var metric = Metric.euclidean
  }

  static let badCalls = [
    BadCall(testDescription: "no k", says: "from 1 to 1024", k: 0),
    BadCall(testDescription: "k past the limit", says: "from 1 to 1024", k: 1025),
    BadCall(testDescription: "as many as there are", says: "k is 3, and each of 3 vectors has only 2 others", k: 3),
    BadCall(testDescription: "a single vector", says: "only 0 others", vectors: [1, 2]),
    BadCall(testDescription: "more than there are", says: "only 3 vectors", queries: [1, 2], k: 4),
    BadCall(testDescription: "NaN", says: "vector 1 has nan at 0", vectors: [1, 2, .nan, 4, 5, 6]),
    BadCall(testDescription: "infinity", says: "vector 2 has -inf at 1", vectors: [1, 2, 3, 4, 5, -.infinity]),
    BadCall(testDescription: "NaN in a query", says: "query 0 has nan at 1", queries: [1, .nan]),
    BadCall(
      testDescription: "no direction", says: "vector 1 is all zeros", vectors: [1, 2, 0, -0.0, 5, 6], metric: .cosine),
    BadCall(
      testDescription: "a query without direction", says: "query 0 is all zeros", queries: [0, 0], metric: .cosine),
    BadCall(
      testDescription: "dimensions differ", says: "queries have dimension 3", queries: [1, 2, 3], queryDimension: 3),
  ]

  @Test(arguments: badCalls) func isRefused(_ bad: BadCall) async throws {
    let engine = try await TestDevice.reference.engine()
    let vectors = try Vectors(bad.vectors, dimension: 2)
    let error = await #expect(throws: GeometryError.self) {
      if let queries = bad.queries {
        _ = try await engine.neighbours(
          of: try Vectors(queries, dimension: bad.queryDimension), among: vectors, k: bad.k, metric: bad.metric)
      } else {
        _ = try await engine.neighbours(of: vectors, k: bad.k, metric: bad.metric)
      }
    }
    #expect(error?.message.contains(bad.says) == true, "\(error?.message ?? "no message")")
    #expect(error?.message.contains("\n") == false)
  }

  @Test func zerosHaveNeighboursByDistance() async throws {
    let vectors = try Vectors([0, 0, 3, 4, 0, 0], dimension: 2)
    let lists = try await TestDevice.reference.engine().neighbours(of: vectors, k: 2)
    #expect(lists.indices == [2, 1, 0, 2, 0, 1])
    #expect(lists.distances == [0, 5, 5, 5, 0, 5])
  }

  @Test func cancelledSearchesEnd() async throws {
    let engine = try await TestDevice.reference.engine()
    let vectors = try Vectors(Draws.gaussian(300, 4, seed: 1), dimension: 4)
    let task = Task {
      try await Task.sleep(for: .seconds(60))
      return try await engine.neighbours(of: vectors, k: 3)
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }
}
