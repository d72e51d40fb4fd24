import Engine
import Foundation
import ModelFiles
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

/// Neighbours by all distances, in Double: the formulas as they stand in textbooks, and a sort.
struct BruteForce {
  let dimension: Int
  let queries: [Float]
  let reference: [Float]
  var isOfItself: Bool

  /// Of a set itself.
  init(_ vectors: [Float], dimension: Int) {
    (queries, reference, self.dimension, isOfItself) = (vectors, vectors, dimension, true)
  }

  init(_ queries: [Float], among reference: [Float], dimension: Int) {
    (self.queries, self.reference, self.dimension, isOfItself) = (queries, reference, dimension, false)
  }

  var queryCount: Int { queries.count / dimension }
  var count: Int { reference.count / dimension }

  func distance(_ metric: Metric, _ i: Int, _ j: Int) -> Double {
    var (square, product, mine, theirs) = (0.0, 0.0, 0.0, 0.0)
    for c in 0..<dimension {
      let (x, y) = (Double(queries[i * dimension + c]), Double(reference[j * dimension + c]))
      square += (x - y) * (x - y)
      product += x * y
      mine += x * x
      theirs += y * y
    }
    return switch metric {
    case .euclidean: square.squareRoot()
    case .squaredEuclidean: square
    case .innerProduct: -product
    case .cosine: 1 - product / (mine.squareRoot() * theirs.squareRoot())
    }
  }

  /// The k nearest of each query, by distance, then index.
  func neighbours(_ k: Int, _ metric: Metric) -> (indices: [Int32], distances: [Double]) {
    var (indices, distances): ([Int32], [Double]) = ([], [])
    for i in 0..<queryCount {
      var all: [(distance: Double, index: Int32)] = []
      for j in 0..<count where !(isOfItself && i == j) { all.append((distance(metric, i, j), Int32(j))) }
      all.sort { $0 < $1 }
      indices += all.prefix(k).map(\.index)
      distances += all.prefix(k).map(\.distance)
    }
    return (indices, distances)
  }
}

/// Test data by seed.
enum Draws {
  /// Standard normal elements (Box and Muller).
  static func gaussian(_ count: Int, _ dimension: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    func uniform() -> Double { (Double(generator.next() >> 11) + 0.5) * 0x1p-53 }
    return (0..<count * dimension).map { _ in
      Float((-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()))
    }
  }

  /// Uniform elements in 0 ..< 1.
  static func uniform(_ count: Int, _ dimension: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<count * dimension).map { _ in Float(generator.next() >> 40) * 0x1p-24 }
  }

  /// Whole numbers from 1 to `largest`.
  static func integers(_ count: Int, _ dimension: Int, largest: UInt64, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<count * dimension).map { _ in Float(1 + generator.next() % largest) }
  }

  /// Copies of a few vectors in any order, each element off by up to `spread`.
  static func copies(
    of originals: Int, _ count: Int, _ dimension: Int, spread: Float = 0, seed: UInt64
  ) -> [Float] {
    let base = gaussian(originals, dimension, seed: seed)
    var generator = SplitMix64(seed: seed + 1)
    return (0..<count).flatMap { _ in
      let first = Int(generator.next() % UInt64(originals)) * dimension
      return base[first..<first + dimension].map { $0 + spread * Float(generator.next() >> 40) * 0x1p-24 }
    }
  }
}

/// The handwritten digits that come with the package: whole numbers from 0 to 16, 64 a digit.
enum Digits {
  static func vectors() throws -> [Float] {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return try NumPyArray(path: root.appendingPathComponent("Examples/digits.npy").path).values
  }
}
