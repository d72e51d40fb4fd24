import Engine
import TestDevices
import Testing

@testable import Geometry

/// The proof that a list of candidates was long enough: it may ask for more in vain, and never the other way.
@Suite struct NeighbourBoundTests {
  /// Lists of `k` by float32 values, as a device makes them, and whether they miss one of the nearest.
  private func proofs(
    _ vectors: [Float], dimension: Int, k: Int, _ metric: Metric
  ) async throws -> [(isMissing: Bool, holds: Bool)] {
    let source = try Vectors(vectors, dimension: dimension)
    let survey = try await VectorSurvey(of: source, metric: metric, name: "vector")
    let space = WorkingSpace(metric, around: source, reference: survey, queries: nil)
    let block = try await space.block(ArraySlice((0..<source.count).map(Int32.init)), of: source)
    let reach = block.norms.reduce(0, max)
    let bound = NeighbourBound(space, queryReach: reach, reach: reach, longest: reach)
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
