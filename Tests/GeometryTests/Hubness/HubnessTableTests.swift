import Diffusion
import Engine
import TestDevices
import Testing
import Weft

@testable import Geometry

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
    let hubs = HubLatents(of: vectors, counts, atLeast: 50)
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
    let hubs = HubLatents(of: vectors, counts, atLeast: 1)
    #expect(hubs.indices == [0, 2] && hubs.counts == [1, 2] && hubs.elements == [1, 2, 5, 6] && hubs.dimension == 2)
    #expect(HubLatents(of: vectors, counts, atLeast: 3).elements.isEmpty)
  }

  @Test func noLatentsAreRefused() async throws {
    let engine = try await TestDevice.reference.engine()
    await #expect(throws: GeometryError.self) { try await engine.gaussianLatents(count: 0, dimension: 3, seed: 0) }
    await #expect(throws: GeometryError.self) { try await engine.gaussianLatents(count: 3, dimension: 0, seed: 0) }
  }
}
