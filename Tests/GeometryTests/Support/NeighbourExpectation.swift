import Engine
import TestDevices
import Testing
import Weft

@testable import Geometry

/// Searches, and expects what all distances in Double say: the same neighbours in the same order.
///
/// - Returns: how hard the search was.
@discardableResult
func expectNeighbours(
  of vectors: [Float], among reference: [Float]? = nil, dimension: Int, k: Int, _ metric: Metric,
  on device: TestDevice = .openCL, options: NeighbourOptions = NeighbourOptions(),
  sourceLocation: SourceLocation = #_sourceLocation
) async throws -> NeighbourSearch<Vectors, Vectors>.Effort {
  let device = TestDevice.hasOpenCL ? device : .reference
  let queries = try Vectors(vectors, dimension: dimension)
  var search = try await NeighbourSearch(
    of: queries, among: try reference.map { try Vectors($0, dimension: dimension) } ?? queries,
    isOfItself: reference == nil, k: k, metric: metric, options: options, on: try await device.engine())
  let (lists, effort) = try await search.run()
  let oracle =
    reference.map { BruteForce(vectors, among: $0, dimension: dimension) }
    ?? BruteForce(vectors, dimension: dimension)
  let expected = oracle.neighbours(k, metric)
  #expect(lists.indices == expected.indices, "\(metric)", sourceLocation: sourceLocation)
  // The textbook's cosine is itself good for 1e-15 only.
  let slack = metric == .cosine ? 1e-15 : 0
  let off = zip(lists.distances, expected.distances).filter { abs($0 - $1) > slack }
  #expect(off.isEmpty && lists.distances.count == expected.distances.count, "\(metric)", sourceLocation: sourceLocation)
  #expect(lists.rowCount == oracle.queryCount && lists.k == k, sourceLocation: sourceLocation)
  return effort
}
