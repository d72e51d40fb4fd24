import Engine
import Foundation
import TestDevices
import Testing
import Weft

@testable import Geometry

/// Neighbours against all distances in Double.
@Suite struct NeighbourTests {
  @Test(arguments: [2, 255, 256, 257, 512, 1000], Metric.allCases)
  func randomSets(count: Int, metric: Metric) async throws {
    let vectors = Draws.gaussian(count, 7, seed: UInt64(count))
    _ = try await expectNeighbours(of: vectors, dimension: 7, k: min(10, count - 1), metric)
  }

  /// As many as a device of two units compares with each other block by block; some of them whole, some alike.
  @Test(arguments: [Metric.euclidean, .innerProduct]) func manyVectors(metric: Metric) async throws {
    let random = Draws.gaussian(1860, 5, seed: 10)
    let vectors = random + Draws.integers(200, 5, largest: 3, seed: 11).map { $0 + 1 } + random.prefix(5 * 50)
    let effort = try await expectNeighbours(of: vectors, dimension: 5, k: 10, metric)
    #expect(effort.exhaustive == 0)
  }

  @Test(arguments: [1, 2, 255, 256, 257, 512, 1000], Metric.allCases)
  func otherQueries(count: Int, metric: Metric) async throws {
    let reference = Draws.gaussian(count, 5, seed: 3)
    _ = try await expectNeighbours(
      of: Draws.gaussian(count == 1000 ? 1 : 40, 5, seed: 4), among: reference, dimension: 5, k: min(6, count), metric)
  }

  @Test(arguments: TestDevice.available) func bothBackends(_ device: TestDevice) async throws {
    for metric in Metric.allCases {
      _ = try await expectNeighbours(
        of: Draws.gaussian(60, 3, seed: 5), dimension: 3, k: 4, metric, on: device)
    }
  }

  /// More copies than candidates: they are one vector to the device, and neighbours by their index.
  @Test(arguments: Metric.allCases, [1, 10, 200]) func duplicates(metric: Metric, k: Int) async throws {
    let vectors = Draws.copies(of: 20, 512, 6, seed: 7)
    let effort = try await expectNeighbours(of: vectors, dimension: 6, k: k, metric)
    #expect(effort.distinct == 20 && effort.exhaustive == 0)
  }

  @Test func allVectorsEqual() async throws {
    let vectors = [Float](repeating: 0.1, count: 3 * 40)
    let lists = try await TestDevice.reference.engine().neighbours(of: try Vectors(vectors, dimension: 3), k: 3)
    #expect(lists.indices.prefix(9) == [1, 2, 3, 0, 2, 3, 0, 1, 3])
    #expect(lists.indices.suffix(3) == [0, 1, 2])
    #expect(lists.distances.allSatisfy { $0 == 0 })
  }

  /// Distances tie between different vectors; whole numbers need no second look, halves of them do.
  @Test(arguments: [Metric.euclidean, .squaredEuclidean, .innerProduct], [2, 4, 9])
  func wholeNumbers(metric: Metric, largest: UInt64) async throws {
    let vectors = Draws.integers(600, 5, largest: largest, seed: 8)
    let whole = try await expectNeighbours(of: vectors, dimension: 5, k: 10, metric)
    #expect(whole.asked.count == 1)
    _ = try await expectNeighbours(of: vectors.map { $0 / 2 }, dimension: 5, k: 10, metric)
    // Products of these have more digits than float32.
    _ = try await expectNeighbours(of: vectors.map { $0 * 100_003 }, dimension: 5, k: 10, metric)
  }

  @Test(arguments: Metric.allCases) func digits(metric: Metric) async throws {
    let digits = try Digits.vectors()
    let effort = try await expectNeighbours(of: Array(digits.prefix(64 * 700)), dimension: 64, k: 10, metric)
    #expect(effort.asked == [700])
  }

  /// Clusters narrower than float32 can tell apart at this distance from the origin.
  @Test(arguments: [Metric.euclidean, .squaredEuclidean, .innerProduct]) func nearDuplicates(metric: Metric)
    async throws
  {
    let vectors = Draws.copies(of: 12, 400, 8, spread: 1e-4, seed: 9)
    let effort = try await expectNeighbours(of: vectors, dimension: 8, k: 10, metric)
    #expect(metric == .innerProduct || effort.asked.count > 1)
    // A common offset must not cost a digit of what is left of them.
    let offset = Draws.copies(of: 300, 300, 8, spread: 1, seed: 9).map { $0 + 4000 }
    let far = try await expectNeighbours(of: offset, dimension: 8, k: 10, metric)
    #expect(far.exhaustive == 0)
  }

  @Test func nearDuplicatesByAngle() async throws {
    _ = try await expectNeighbours(
      of: Draws.copies(of: 12, 400, 8, spread: 1e-2, seed: 9), dimension: 8, k: 10, .cosine)
    // 1 - cos of directions that differ in their last bits: the textbook's formula would have no digit left.
    let tiny: [Float] = [1, 0, 1, 1e-7, 1, 2e-7, 1, 4e-7]
    let lists = try await TestDevice.reference.engine().neighbours(
      of: try Vectors(tiny, dimension: 2), k: 3, metric: .cosine)
    // Of two at nearly the same angle the one further out is a little nearer: angles grow less than tangents.
    #expect(lists.indices == [1, 2, 3, 2, 0, 3, 1, 3, 0, 2, 1, 0])
    for (row, element) in [1e-7, 2e-7, 4e-7].enumerated() {
      let exact = Double(Float(element)) * Double(Float(element)) / 2
      #expect(abs(lists.distances[row] / exact - 1) < 1e-12)
    }
  }

  /// Cosines that are equal are so to the last bit, whatever the vectors' lengths: the first is named.
  @Test func equalCosinesTie() async throws {
    let engine = try await TestDevice.reference.engine()
    // Both others at 1/√2 of the first.
    let halves = try await engine.neighbours(
      of: try Vectors([1, 1, 0, 1, 2, -2, 0, 1, 0], dimension: 3), k: 2, metric: .cosine)
    #expect(Array(halves.indices(of: 0)) == [1, 2])
    #expect(Array(halves.distances(of: 0)) == [0.29289321881345247560, 0.29289321881345247560])
    // Six directions, each seven times: multiples by small odd numbers of 20 bits are exact.
    let dimension = 768
    let base = Draws.gaussian(6, dimension, seed: 17).map { ($0 * 0x1p17).rounded() }
    let vectors = (0..<42).flatMap { row in
      base[row % 6 * dimension..<(row % 6 + 1) * dimension].map { $0 * Float(2 * (row / 6) + 1) }
    }
    let lists = try await engine.neighbours(
      of: try Vectors(vectors, dimension: dimension), k: 41, metric: .cosine)
    for row in 0..<42 {
      let (indices, distances) = (Array(lists.indices(of: row)), Array(lists.distances(of: row)))
      let parallel: [Int32] = stride(from: row % 6, to: 42, by: 6).filter { $0 != row }.map { Int32($0) }
      #expect(Array(indices.prefix(6)) == parallel)
      #expect(distances.prefix(6).allSatisfy { $0 == 0 })
      // The others' multiples one after the other.
      for first in stride(from: 6, to: 41, by: 7) {
        #expect(Set(distances[first..<first + 7]).count == 1)
        let alike = Array(indices[first..<first + 7])
        #expect(alike == alike.sorted())
        #expect(Set(alike.map { $0 % 6 }).count == 1)
      }
    }
  }

  /// One vector far out must not spoil the proofs of all others.
  @Test(arguments: Metric.allCases) func outlier(metric: Metric) async throws {
    var vectors = Draws.gaussian(500, 5, seed: 10)
    vectors[7] = 1e6
    let effort = try await expectNeighbours(of: vectors, dimension: 5, k: 3, metric)
    #expect(effort.exhaustive == 0)
    // By product all are looked at twice: the long one is then a candidate of all.
    #expect(effort.asked.dropFirst(metric == .innerProduct ? 2 : 1).allSatisfy { $0 < 10 })
  }

  /// So far out that float32 has no room for its products and others': and as far as a number can be, as where a mask or a
  /// fault has been left in. Copies of it are one.
  @Test(arguments: [1e25, -.greatestFiniteMagnitude] as [Float], Metric.allCases)
  func farOutlier(element: Float, metric: Metric) async throws {
    var vectors = Draws.gaussian(500, 5, seed: 10)
    for row in [7] + Array(300..<370) {
      for channel in 0..<5 { vectors[row * 5 + channel] = channel == 2 ? element : 0.5 }
    }
    let effort = try await expectNeighbours(of: vectors, dimension: 5, k: 3, metric)
    #expect(effort.distinct == 430)
    #expect(effort.asked.dropFirst(metric == .innerProduct ? 2 : 1).allSatisfy { $0 < 10 }, "\(effort.asked)")
    // In other queries alone.
    let others = Array(vectors.prefix(40))
    let reference = Draws.gaussian(500, 5, seed: 12)
    let other = try await expectNeighbours(of: others, among: reference, dimension: 5, k: 3, metric)
    #expect(other.asked.dropFirst(1).allSatisfy { $0 <= 1 }, "\(other.asked)")
  }

  /// More vectors than there can be candidates: only the outlier itself is compared with all.
  @Test(arguments: [1e25, .greatestFiniteMagnitude] as [Float], [Metric.euclidean, .innerProduct])
  func outliersAreComparedWithAllAlone(element: Float, metric: Metric) async throws {
    var vectors = Draws.gaussian(4200, 4, seed: 15)
    vectors[9] = element
    let queries = Array(vectors.prefix(4 * 24))
    let effort = try await expectNeighbours(of: queries, among: vectors, dimension: 4, k: 5, metric)
    #expect(effort.distinct == 4200 && effort.exhaustive <= 1)
    #expect(effort.asked.dropFirst(metric == .innerProduct ? 2 : 1).allSatisfy { $0 <= 1 }, "\(effort.asked)")
  }

  /// More outliers than can be set aside cost time alone. (Their directions are too much alike for Doubles.)
  @Test(arguments: [Metric.euclidean, .squaredEuclidean, .innerProduct]) func manyFarOutliers(metric: Metric)
    async throws
  {
    var vectors = Draws.gaussian(300, 5, seed: 16)
    for row in 0..<90 { vectors[row * 15] = (row.isMultiple(of: 2) ? 1 : -1) * Float(1 + row) * 3e36 }
    _ = try await expectNeighbours(of: vectors, dimension: 5, k: 3, metric)
  }

  @Test(arguments: [1e-30, 1e30] as [Float], Metric.allCases) func anyScale(scale: Float, metric: Metric) async throws {
    let vectors = Draws.gaussian(200, 5, seed: 11).map { $0 * scale }
    _ = try await expectNeighbours(of: vectors, dimension: 5, k: 3, metric)
  }

  /// Candidates from shards of the set, each alone on the device.
  @Test(arguments: [1, 7, 100], Metric.allCases) func shards(size: Int, metric: Metric) async throws {
    var options = NeighbourOptions()
    options.shardBytes = size * 4 * 5
    _ = try await expectNeighbours(
      of: Draws.gaussian(211, 5, seed: 12), dimension: 5, k: 8, metric, options: options)
  }

  /// Without candidates to spare every query is looked at again.
  @Test(arguments: Metric.allCases) func noSpareCandidates(metric: Metric) async throws {
    var options = NeighbourOptions()
    options.extraCandidates = 0
    let effort = try await expectNeighbours(
      of: Draws.gaussian(300, 5, seed: 13), dimension: 5, k: 3, metric, options: options)
    #expect(effort.asked.count > 1)
  }

  /// More vectors at the same distance, up to rounding, than there can be candidates.
  @Test func moreTiesThanCandidates() async throws {
    let count = 4200
    var generator = SplitMix64(seed: 14)
    // Sparse vectors of tenths: nearly all pairs have nothing in common.
    var vectors = [Float](repeating: 0, count: count * 600)
    for row in 0..<count {
      for _ in 0..<2 { vectors[row * 600 + Int(generator.next() % 600)] += 0.1 }
    }
    let set = try Vectors(vectors, dimension: 600)
    let queries = try Vectors(Array(vectors.prefix(600 * 6)), dimension: 600)
    let device = TestDevice.hasOpenCL ? TestDevice.openCL : .reference
    var search = try await NeighbourSearch(
      of: queries, among: set, isOfItself: false, k: 1024, metric: .euclidean, options: NeighbourOptions(),
      on: try await device.engine())
    let (lists, effort) = try await search.run()
    #expect(effort.exhaustive > 0)
    let expected = BruteForce(queries.elements, among: vectors, dimension: 600).neighbours(1024, .euclidean)
    #expect(lists.indices == expected.indices)
  }
}

/// Long lists, up to everything there is.
@Suite struct LongNeighbourListTests {
  @Test(arguments: Metric.allCases, TestDevice.available) func allOthers(metric: Metric, device: TestDevice)
    async throws
  {
    let vectors = Draws.gaussian(700, 5, seed: 31)
    let lists = try await device.engine().neighbours(of: try Vectors(vectors, dimension: 5), k: 699, metric: metric)
    let expected = BruteForce(vectors, dimension: 5).neighbours(699, metric)
    #expect(lists.indices == expected.indices)
  }

  /// More than are ever asked again for.
  @Test func thousandsAmongMany() async throws {
    let vectors = Draws.gaussian(9000, 3, seed: 32)
    let queries = Array(vectors.prefix(3 * 12))
    let device = TestDevice.hasOpenCL ? TestDevice.openCL : .reference
    let lists = try await device.engine().neighbours(
      of: try Vectors(queries, dimension: 3), among: try Vectors(vectors, dimension: 3), k: 7000)
    let expected = BruteForce(queries, among: vectors, dimension: 3).neighbours(7000, .euclidean)
    #expect(lists.indices == expected.indices && lists.distances == expected.distances)
  }

  /// Long enough for blocks of vectors that queries have in common, with copies and without.
  @Test(arguments: [false, true]) func blocksOfVectors(hasCopies: Bool) async throws {
    let (count, dimension) = (2400, 129)
    var vectors = Draws.gaussian(count, dimension, seed: 33)
    if hasCopies { vectors.replaceSubrange(0..<40 * dimension, with: vectors[100 * dimension..<140 * dimension]) }
    let device = TestDevice.hasOpenCL ? TestDevice.openCL : .reference
    let queries = Array(vectors.prefix(dimension * 300))
    let lists = try await device.engine().neighbours(
      of: try Vectors(queries, dimension: dimension), among: try Vectors(vectors, dimension: dimension), k: 300,
      metric: .squaredEuclidean)
    let expected = BruteForce(queries, among: vectors, dimension: dimension).neighbours(300, .squaredEuclidean)
    #expect(lists.indices == expected.indices && lists.distances == expected.distances)
  }
}

/// Distances on vector units have the bits of plain loops.
@Suite struct ExactDistanceTests {
  @Test(arguments: [1, 2, 7, 8, 9, 15, 16, 17, 384, 385]) func bitsOfAPlainLoop(dimension: Int) {
    let elements = Draws.gaussian(40, dimension, seed: UInt64(dimension)).enumerated().map { at, x in
      at % 11 == 3 ? x * 1e-30 : at % 7 == 2 ? x * 1e15 : x
    }
    elements.withUnsafeBufferPointer { elements in
      guard let base = elements.baseAddress else { return }
      for metric in [Metric.squaredEuclidean, .euclidean, .innerProduct] {
        let distance = ExactDistance(metric, from: base, dimension: dimension)
        for count in 1...19 {
          let vectors = (1...count).map { base + $0 * dimension }
          let expected = vectors.map { vector in
            let sum = (0..<dimension).reduce(0.0) { sum, c in
              let (x, y) = (Double(base[c]), Double(vector[c]))
              return metric == .innerProduct ? sum + x * y : sum + (x - y) * (x - y)
            }
            return metric == .innerProduct ? -sum : metric == .euclidean ? sum.squareRoot() : sum
          }
          #expect(distance(to: vectors) == expected, "\(metric), \(count) vectors")
        }
      }
    }
  }
}

/// Sets of every kind, of the sizes that tiles and chunks of columns begin and end at.
@Suite struct NeighbourSizesTests {
  enum Kind: CaseIterable, Sendable {
    case random
    case duplicates
    case digits
    case nearDuplicates

    func vectors(_ count: Int) throws -> (elements: [Float], dimension: Int) {
      switch self {
      case .random: (Draws.gaussian(count, 6, seed: UInt64(count)), 6)
      case .duplicates: (Draws.copies(of: max(1, count / 12), count, 6, seed: UInt64(count)), 6)
      case .digits: (Array(try Digits.vectors().prefix(count * 64)), 64)
      // Narrower than float32 can tell apart where they are.
      case .nearDuplicates: (Draws.copies(of: 9, count, 6, spread: 1e-3, seed: UInt64(count)), 6)
      }
    }
  }

  @Test(arguments: Kind.allCases, [1, 2, 255, 256, 257, 512, 1000])
  func neighboursAreThoseOfADoubleBruteForce(kind: Kind, count: Int) async throws {
    let (vectors, dimension) = try kind.vectors(count)
    let queries = Array(try kind.vectors(30).elements.suffix(20 * dimension))
    for metric in Metric.allCases {
      try await expectNeighbours(of: queries, among: vectors, dimension: dimension, k: min(10, count), metric)
      // One alone has no others.
      guard count > 1 else { continue }
      try await expectNeighbours(of: vectors, dimension: dimension, k: min(10, count - 1), metric)
    }
  }
}
