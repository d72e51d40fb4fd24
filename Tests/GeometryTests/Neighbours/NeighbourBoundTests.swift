import Engine
import TestDevices
import Testing
import Weft

@testable import Geometry

/// The proof that a list of candidates was long enough: it may ask for more in vain, and never the other way.
@Suite struct NeighbourBoundTests {
  /// Lists of `k` by float32 values, as a device makes them, and whether they miss one of the nearest.
  private func proofs(
    _ vectors: [Float], dimension: Int, k: Int, _ metric: Metric
  ) async throws -> [(isMissing: Bool, holds: Bool)] {
    let source = try Vectors(vectors, dimension: dimension)
    let survey = try await VectorSurvey(of: source, metric: metric, name: "vector")
    let centred = try CentredVectors(metric, around: source, reference: survey, queries: nil)
    let block = try await centred.block(ArraySlice((0..<source.count).map(Int32.init)), of: source)
    let reach = block.norms.reduce(0, max)
    let bound = NeighbourBound(centred, queryReach: reach, reach: reach, longest: reach)
    let oracle = BruteForce(vectors, dimension: dimension)
    return (0..<source.count).map { i in
      var listed: [(value: Float, index: Int)] = []
      for j in 0..<source.count {
        var sum: Float = 0
        for c in 0..<dimension {
          sum = sum.addingProduct(block.elements[i * dimension + c], block.elements[j * dimension + c])
        }
        listed.append((sum + block.terms[j], j))
      }
      listed.sort { ($1.value, $0.index) < ($0.value, $1.index) }
      let list = listed.prefix(k)
      let farthest = list.map { oracle.distance(metric, i, $0.index) }.reduce(-.infinity, max)
      let isMissing = listed.dropFirst(k).contains { oracle.distance(metric, i, $0.index) < farthest }
      let holds = bound.holds(
        norm: block.norms[i], centerProduct: metric == .innerProduct ? block.centerProducts[i] : 0,
        last: list.last?.value ?? 0, farthest: farthest)
      return (isMissing, holds)
    }
  }

  /// Clusters in which float32 confuses who is nearer.
  @Test(arguments: Metric.allCases, [2, 40]) func noListThatMissesOneIsProven(metric: Metric, dimension: Int)
    async throws
  {
    let vectors = Draws.copies(of: 6, 150, dimension, spread: 3e-6, seed: 21)
    let found = try await proofs(vectors, dimension: dimension, k: 12, metric)
    #expect(found.contains { $0.isMissing }, "the data are too easy to test anything")
    #expect(!found.contains { $0.isMissing && $0.holds })
  }

  /// And where vectors are well apart nearly all lists of one more are proven.
  @Test(arguments: [Metric.euclidean, .cosine, .innerProduct]) func clearListsAreProven(metric: Metric) async throws {
    let vectors = Draws.gaussian(150, 40, seed: 22)
    let source = try Vectors(vectors, dimension: 40)
    var options = NeighbourOptions()
    options.extraCandidates = 2
    var search = try await NeighbourSearch(
      of: source, among: source, isOfItself: true, k: 5, metric: metric, options: options,
      on: try await TestDevice.reference.engine())
    let effort = try await search.run().effort
    #expect(effort.asked.dropFirst().reduce(0, +) < 5)
  }
}

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
    BadCall(testDescription: "no k", says: "at least 1", k: 0),
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

  /// A set of which nothing is stored.
  private struct Zeros: VectorSource {
    let count: Int
    let dimension = 1
    func floats(_ range: Range<Int>) -> [Float] { [Float](repeating: 0, count: range.count) }
  }

  @Test func listsBeyondMemoryAreRefused() async throws {
    let error = await #expect(throws: GeometryError.self) {
      _ = try await TestDevice.reference.engine().neighbours(of: Zeros(count: 20_000_000), k: 19_999_999)
    }
    #expect(error?.message.contains("ask for fewer neighbours") == true, "\(error?.message ?? "no message")")
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
