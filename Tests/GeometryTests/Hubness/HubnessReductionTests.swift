import Engine
import Foundation
import TestDevices
import Testing
import Weft

@testable import Geometry

/// Reductions against their formulas on the full matrix of distances.
@Suite struct HubnessReductionTests {
  /// The full matrix, rescaled, by plain loops.
  private struct FullMatrix {
    let d: [[Double]]
    let vectors: [[Double]]
    let k: Int

    var count: Int { d.count }

    /// Indices of the others, nearest first.
    func order(_ i: Int) -> [Int] { (0..<count).filter { $0 != i }.sorted { (d[i][$0], $0) < (d[i][$1], $1) } }
    func others(_ i: Int) -> [Double] { (0..<count).filter { $0 != i }.map { d[i][$0] } }
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    func near(_ i: Int) -> [Double] { order(i).prefix(k).map { d[i][$0] } }

    func shareBelow(_ x: Double, _ i: Int) -> Double {
      let others = others(i)
      let mu = mean(others)
      let sigma = mean(others.map { ($0 - mu) * ($0 - mu) }).squareRoot()
      return 0.5 * erfc((mu - x) / sigma / 2.0.squareRoot())
    }

    func centroidDistance(_ i: Int) -> Double {
      let neighbours = order(i).prefix(k)
      return vectors[i].indices.reduce(0) { sum, c in
        let center = neighbours.reduce(0) { $0 + vectors[$1][c] } / Double(k)
        return sum + (vectors[i][c] - center) * (vectors[i][c] - center)
      }
    }

    func rescaled(_ reduction: HubnessReduction, _ i: Int, _ j: Int) -> Double {
      let x = d[i][j]
      switch reduction {
      case .localScaling: return 1 - exp(-x * x / (near(i)[k - 1] * near(j)[k - 1]))
      case .nicdm: return x / (mean(near(i)) * mean(near(j))).squareRoot()
      case .mutualProximityNormal:
        // 1 - (1 - F)(1 - F'), of which subtraction from 1 would leave nothing where both are small.
        let (mine, theirs) = (shareBelow(x, i), shareBelow(x, j))
        return mine + theirs - mine * theirs
      case .mutualProximityEmpiric:
        let farther = (0..<count).filter { $0 != i && $0 != j && d[i][$0] > x && d[j][$0] > x }
        return 1 - Double(farther.count) / Double(count - 2)
      case .disSimLocal: return x * x - centroidDistance(i) - centroidDistance(j)
      case .csls: return mean(near(i).map { 1 - $0 }) + mean(near(j).map { 1 - $0 }) - 2 * (1 - x)
      }
    }
  }

  private func compare(
    _ reduction: HubnessReduction, _ elements: [Float], dimension: Int, k: Int, _ metric: Metric
  ) async throws {
    let count = elements.count / dimension
    let vectors = try Vectors(elements, dimension: dimension)
    let engine = try await TestDevice.reference.engine()
    let all = try await engine.neighbours(of: vectors, k: count - 1, metric: metric)
    let reduced = try await all.reduced(by: reduction, k: k, vectors: vectors)
    let oracle = BruteForce(elements, dimension: dimension)
    let matrix = FullMatrix(
      d: (0..<count).map { i in (0..<count).map { oracle.distance(metric, i, $0) } },
      vectors: (0..<count).map { row in (0..<dimension).map { Double(elements[row * dimension + $0]) } }, k: k)
    for i in 0..<count {
      let expected = (0..<count).filter { $0 != i }.map { matrix.rescaled(reduction, i, $0) }.sorted().prefix(k)
      for (place, index) in reduced.indices(of: i).enumerated() {
        let got = reduced.distances(of: i)[i * k + place]
        // The values are those of the formula, and the smallest there are.
        #expect(abs(got - matrix.rescaled(reduction, i, Int(index))) < 1e-12)
        #expect(abs(got - expected[place]) < 1e-12)
      }
      #expect(Set(reduced.indices(of: i)).count == k && !reduced.indices(of: i).contains(Int32(i)))
    }
  }

  /// Proximities that 1 - (1 - F)(1 - F') would round away keep their digits.
  @Test func nearNeighboursHaveProximities() async throws {
    let (count, dimension, k) = (300, 40, 1)
    let centers = Draws.gaussian(150, dimension, seed: 45)
    let noise = Draws.gaussian(count, dimension, seed: 46)
    let elements = noise.indices.map { at in
      20 * centers[at / dimension % 150 * dimension + at % dimension] + 0.01 * noise[at]
    }
    let vectors = try Vectors(elements, dimension: dimension)
    let all = try await TestDevice.reference.engine().neighbours(of: vectors, k: count - 1)
    let reduced = try await all.reduced(by: .mutualProximityNormal, k: k, vectors: vectors)
    let oracle = BruteForce(elements, dimension: dimension)
    let matrix = FullMatrix(
      d: (0..<count).map { i in (0..<count).map { oracle.distance(.euclidean, i, $0) } }, vectors: [], k: k)
    for i in 0..<count {
      for (place, index) in reduced.indices(of: i).enumerated() {
        let got = reduced.distances(of: i)[i * k + place]
        let exact = matrix.rescaled(.mutualProximityNormal, i, Int(index))
        #expect(got > 0 && got < 1e-8 && abs(got - exact) < 1e-9 * exact)
        // The other of its pair.
        #expect(Int(index) % 150 == i % 150)
      }
    }
  }

  static let pairs = HubnessReduction.allCases.flatMap { reduction in reduction.metrics.map { (reduction, $0) } }

  @Test(arguments: pairs) func fullListsGiveTheFormulas(_ reduction: HubnessReduction, _ metric: Metric) async throws {
    // These formulas are written for |x - y|.
    guard !Self.takingRoots.contains(reduction) || metric != .squaredEuclidean else { return }
    try await compare(reduction, Draws.gaussian(40, 6, seed: 41), dimension: 6, k: 4, metric)
  }

  static let takingRoots: [HubnessReduction] = [.localScaling, .nicdm, .disSimLocal]

  @Test(arguments: takingRoots) func squaresAreTheSame(_ reduction: HubnessReduction) async throws {
    let vectors = try Vectors(Draws.gaussian(50, 6, seed: 42), dimension: 6)
    let engine = try await TestDevice.reference.engine()
    let plain = try await engine.neighbours(of: vectors, k: 20).reduced(by: reduction, k: 4, vectors: vectors)
    let squared = try await engine.neighbours(of: vectors, k: 20, metric: .squaredEuclidean)
      .reduced(by: reduction, k: 4, vectors: vectors)
    #expect(plain.indices == squared.indices)
    #expect(zip(plain.distances, squared.distances).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  /// Lists that hold all nearer ones of both give what is exact without the rest.
  @Test(arguments: [HubnessReduction.localScaling, .nicdm, .disSimLocal])
  func shortListsGiveTheSameValues(_ reduction: HubnessReduction) async throws {
    let vectors = try Vectors(Draws.gaussian(60, 6, seed: 43), dimension: 6)
    let engine = try await TestDevice.reference.engine()
    let all = try await engine.neighbours(of: vectors, k: 59)
    let full = try await all.reduced(by: reduction, k: 59, vectors: vectors)
    let short = try await all.prefix(59).reduced(by: reduction, k: 59, vectors: vectors)
    #expect(full == short)
    let few = try await all.prefix(12).reduced(by: reduction, k: 4, vectors: vectors)
    let scales = try await LocalScales(all, k: 4, reduction: reduction, vectors: vectors)
    var scratch: [Double] = []
    for i in 0..<60 {
      let values = scales.rescaled(i, scratch: &scratch)
      let expected = zip(values, all.indices(of: i)).prefix(12).sorted { $0 < $1 }.prefix(4)
      #expect(expected.map(\.1)[...] == few.indices(of: i))
      #expect(expected.map(\.0)[...] == few.distances(of: i))
    }
  }

  /// Copies keep a distance of 0, whatever is around them.
  @Test(arguments: [HubnessReduction.localScaling, .nicdm]) func copies(_ reduction: HubnessReduction) async throws {
    let vectors = try Vectors([1, 1, 1, 1, 5], dimension: 1)
    let lists = try await TestDevice.reference.engine().neighbours(of: vectors, k: 4)
    let reduced = try await lists.reduced(by: reduction, k: 2, vectors: vectors)
    #expect(reduced.indices.prefix(2) == [1, 2] && reduced.distances.prefix(8).allSatisfy { $0 == 0 })
    #expect(reduced.distances.allSatisfy { !$0.isNaN })
  }

  @Test func reductionsReduceHubness() async throws {
    let engine = try await (TestDevice.hasOpenCL ? TestDevice.openCL : .reference).engine()
    let vectors = try Vectors(Draws.gaussian(400, 60, seed: 44), dimension: 60)
    let lists = try await engine.neighbours(of: vectors, k: 100)
    let before = HubnessMeasures(NeighbourCounts(lists, k: 5))
    for reduction in HubnessReduction.allCases where reduction != .csls {
      let after = HubnessMeasures(
        NeighbourCounts(try await lists.reduced(by: reduction, k: 5, vectors: vectors)))
      #expect(after.robinHood < 0.8 * before.robinHood, "\(reduction)")
    }
  }

  @Test func whatDoesNotSuitIsRefused() async throws {
    let engine = try await TestDevice.reference.engine()
    let vectors = try Vectors(Draws.gaussian(12, 3, seed: 45), dimension: 3)
    func message(_ lists: NeighbourLists, _ reduction: HubnessReduction, k: Int = 2) async -> String {
      let error = await #expect(throws: GeometryError.self) {
        try await lists.reduced(by: reduction, k: k, vectors: vectors)
      }
      return error?.message ?? ""
    }
    let lists = try await engine.neighbours(of: vectors, k: 5)
    #expect(await message(lists, .csls).contains("csls needs another metric: cosine"))
    #expect(await message(lists, .nicdm, k: 6).contains("6 neighbours cannot be chosen from lists of 5"))
    let products = try await engine.neighbours(of: vectors, k: 5, metric: .innerProduct)
    #expect(
      await message(products, .localScaling).contains("needs another metric: euclidean, squared-euclidean, cosine"))
    let queries = try await engine.neighbours(of: vectors, among: vectors, k: 5)
    #expect(await message(queries, .nicdm).contains("of one set"))
    let few = try await engine.neighbours(of: try Vectors(Draws.gaussian(6, 3, seed: 1), dimension: 3), k: 5)
    #expect(await message(few, .nicdm).contains("6 vectors do not belong to 12"))
  }
}
