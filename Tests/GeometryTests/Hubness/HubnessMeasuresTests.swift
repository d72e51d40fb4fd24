import Diffusion
import Engine
import Foundation
import TestDevices
import Testing
import Weft

@testable import Geometry

/// The measures, by hand.
@Suite struct HubnessMeasuresTests {
  private func lists(_ rows: [[Int32]], among count: Int? = nil) -> NeighbourLists {
    NeighbourLists(
      k: rows[0].count, metric: .euclidean, referenceCount: count ?? rows.count, isOfItself: count == nil,
      indices: rows.flatMap { $0 }, distances: [Double](repeating: 1, count: rows.count * rows[0].count))
  }

  @Test func countsOfFour() {
    let counts = NeighbourCounts(lists([[1, 2], [0, 2], [1, 0], [1, 2]]))
    #expect(counts.counts == [2, 3, 3, 0])
    #expect(counts.antihubs == [3] && counts.hubs(atLeast: 3) == [1, 2])
    #expect(counts.largest(3) == [1, 2, 0])
    #expect(counts.histogram == [1, 0, 1, 2])
    #expect(NeighbourCounts(lists([[1, 2], [0, 2], [1, 0], [1, 2]]), k: 1).counts == [1, 3, 0, 0])
  }

  @Test func countsOfQueries() {
    let counts = NeighbourCounts(lists([[4, 0], [4, 1], [4, 0]], among: 5))
    #expect(counts.counts == [2, 1, 0, 0, 3] && counts.rowCount == 3)
    #expect(HubnessMeasures(counts).largestShare == 0.5)
  }

  /// N = 0, 0, 2, 6 with k = 2: mean 2, so (N - mean) = -2, -2, 0, 4.
  @Test func measuresByHand() {
    let measures = HubnessMeasures(NeighbourCounts(k: 2, rowCount: 4, counts: [0, 2, 0, 6]))
    func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-14 }
    #expect(close(measures.skewness, (64.0 - 16) / 4 / pow(6, 1.5)))
    #expect(close(measures.robinHood, 8.0 / 2 / 8))
    #expect(close(measures.antihubShare, 0.5))
    #expect(measures.hubCount == 1 && close(measures.hubShare, 0.25))
    #expect(close(measures.hubOccurrence, 6.0 / 8))
    // |differences| of the 16 ordered pairs: 2 · (0 + 2 + 6 + 2 + 6 + 4) = 40; Gini = 40 / (2 · 16 · 2).
    #expect(close(measures.gini, 40.0 / 64))
    let roots = (2.0.squareRoot() + 6.0.squareRoot()) / 4
    #expect(close(measures.atkinson, 1 - roots * roots / 2))
    #expect(measures.largest == 6 && close(measures.largestShare, 0.75))
  }

  @Test func evenCountsHaveNoHubness() {
    let measures = HubnessMeasures(NeighbourCounts(k: 3, rowCount: 10, counts: [Int](repeating: 3, count: 10)))
    #expect(measures.skewness == 0 && measures.robinHood == 0 && measures.gini == 0)
    #expect(abs(measures.atkinson) < 1e-15 && measures.hubCount == 0 && measures.antihubShare == 0)
  }

  /// Rounding makes none of it negative.
  @Test func evenCountsOfAnySize() {
    for count in [3, 7, 60, 1000] {
      for k in 1..<50 {
        let counts = NeighbourCounts(k: k, rowCount: count, counts: [Int](repeating: k, count: count))
        #expect((0..<1e-13).contains(HubnessMeasures(counts).atkinson), "\(count), \(k)")
      }
    }
  }

  @Test func spearman() {
    #expect(spearmanCorrelation([1, 2, 3, 4], [10, 20, 30, 400]) == 1)
    #expect(spearmanCorrelation([1, 2, 3, 4], [4, 3, 2, 1]) == -1)
    // Ranks 0.5, 0.5, 2, 3 against 0, 1, 2, 3.
    #expect(abs((spearmanCorrelation([5, 5, 6, 7], [1, 2, 3, 4]) ?? 0) - 4.5 / (4.5 * 5).squareRoot()) < 1e-15)
    #expect(spearmanCorrelation([1, 1], [1, 2]) == nil)
  }
}

/// What hubness of random data is known to be: 10,000 vectors, k = 5.
@Suite(.enabled(if: TestDevice.hasOpenCL, "no OpenCL device")) struct HubnessTableTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let dimension: Int
    let robinHood: Double
    let antihubs: Double
    let correlation: Double
    /// How far seeds are from each other, by Faiss on NumPy's seeds 0 to 7 too: at d = 512 the Robin Hood index is
    /// 0.672 to 0.703 and 0.481 to 0.519 are antihubs.
    var tolerance = (robinHood: 0.01, antihubs: 0.01)
    var testDescription: String { "d = \(dimension)" }
  }

  static let gaussian = [
    Row(dimension: 3, robinHood: 0.137, antihubs: 0.002, correlation: -0.05),
    Row(dimension: 20, robinHood: 0.400, antihubs: 0.155, correlation: -0.88),
    Row(dimension: 100, robinHood: 0.60, antihubs: 0.374, correlation: -0.87),
    Row(dimension: 512, robinHood: 0.68, antihubs: 0.483, correlation: -0.85, tolerance: (0.025, 0.04)),
  ]

  private func counts(_ vectors: Vectors, _ metric: Metric) async throws -> NeighbourCounts {
    NeighbourCounts(try await TestDevice.openCL.engine().neighbours(of: vectors, k: 5, metric: metric))
  }

  @Test(arguments: gaussian) func gaussianByDistance(_ row: Row) async throws {
    let vectors = try await TestDevice.openCL.engine()
      .gaussianLatents(count: 10_000, dimension: row.dimension, seed: 1)
    let counts = try await counts(vectors, .euclidean)
    let measures = HubnessMeasures(counts)
    #expect(counts.counts.reduce(0, +) == 50_000)
    #expect(abs(measures.robinHood - row.robinHood) < row.tolerance.robinHood)
    #expect(abs(measures.antihubShare - row.antihubs) < row.tolerance.antihubs)
    let correlation = spearmanCorrelation(counts.counts.map(Double.init), try await vectors.distancesFromMean())
    #expect(abs((correlation ?? 0) - row.correlation) < 0.03)
    guard row.dimension == 512 else { return }
    // Hub sampling: 1.84 % have 50 others or more, and lie nearer to the mean.
    let hubs = try HubLatents(of: vectors, counts, atLeast: 50)
    #expect(abs(Double(hubs.indices.count) / 10_000 - 0.0184) < 0.003)
    let kept = try Vectors(hubs.elements, dimension: 512)
    let norms = (0..<kept.count).map { row in
      kept.floats(row..<row + 1).reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    let mean = norms.reduce(0, +) / Double(norms.count) / 512.0.squareRoot()
    #expect(abs(mean - 0.925) < 0.005 && abs(hubs.meanNorm / 512.0.squareRoot() - mean) < 1e-12)
  }

  @Test func gaussianByAngle() async throws {
    let vectors = try await TestDevice.openCL.engine().gaussianLatents(count: 10_000, dimension: 512, seed: 2)
    let measures = HubnessMeasures(try await counts(vectors, .cosine))
    #expect(abs(measures.skewness - 0.4) < 0.15)
  }

  @Test func uniformByDistance() async throws {
    let vectors = try Vectors(Draws.uniform(10_000, 20, seed: 3), dimension: 20)
    let measures = HubnessMeasures(try await counts(vectors, .euclidean))
    #expect(abs(measures.robinHood - 0.30) < 0.01)
    #expect(abs(measures.antihubShare - 0.058) < 0.01)
  }
}

/// Latents are the noise that samples start from.
@Suite struct LatentTests {
  @Test(arguments: TestDevice.available) func latentsDoNotDependOnHowManyAreDrawn(_ device: TestDevice) async throws {
    let engine = try await device.engine()
    let many = try await engine.gaussianLatents(count: 40, dimension: 7, seed: 5)
    let few = try await engine.gaussianLatents(count: 3, dimension: 7, seed: 5)
    #expect(few.elements[...] == many.elements[..<21])
    #expect(try await engine.gaussianLatents(count: 3, dimension: 7, seed: 6) != few)
  }

  @Test func hubsOfASet() throws {
    let vectors = try Vectors([1, 2, 3, 4, 5, 6], dimension: 2)
    let counts = NeighbourCounts(k: 1, rowCount: 3, counts: [1, 0, 2])
    let hubs = try HubLatents(of: vectors, counts, atLeast: 1)
    #expect(hubs.indices == [0, 2] && hubs.counts == [1, 2] && hubs.elements == [1, 2, 5, 6] && hubs.dimension == 2)
    #expect(try HubLatents(of: vectors, counts, atLeast: 3).elements.isEmpty)
  }

  @Test func noLatentsAreRefused() async throws {
    let engine = try await TestDevice.reference.engine()
    await #expect(throws: DiffusionError.self) { try await engine.gaussianLatents(count: 0, dimension: 3, seed: 0) }
    await #expect(throws: DiffusionError.self) { try await engine.gaussianLatents(count: 3, dimension: 0, seed: 0) }
  }
}
