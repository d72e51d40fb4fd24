import Engine
import Foundation
import Testing
import Weft

@testable import Geometry

/// Closed forms of volumes and angles.
@Suite struct ConcentrationTests {
  @Test(arguments: [
    (2, 0.785, 5e-4), (3, 0.524, 5e-4), (5, 0.1645, 5e-5), (10, 2.49e-3, 5e-6), (20, 2.46e-8, 5e-11),
    (50, 1.54e-28, 5e-31),
  ])
  func ballInCube(dimension: Int, share: Double, half: Double) {
    #expect(abs(Concentration.ballShare(dimension: dimension) - share) < half)
  }

  @Test func ballsByHand() {
    #expect(abs(Concentration.ballShare(dimension: 1) - 1) < 1e-14)
    #expect(abs(Concentration.ballShare(dimension: 2) - .pi / 4) < 1e-14)
    #expect(abs(Concentration.ballShare(dimension: 3) - .pi / 6) < 1e-14)
    #expect(abs(Concentration.ballShare(dimension: 4) - .pi * .pi / 32) < 1e-14)
  }

  /// In the plane angles are uniform, in space cosines are; in four dimensions half a disc's area.
  @Test(arguments: [-0.999, -0.7, -0.1, 0, 0.2, 0.5, 0.9, 0.9999]) func anglesByHand(cosine: Double) {
    func probability(_ dimension: Int) -> Double {
      Concentration.cosineProbability(atMost: cosine, dimension: dimension)
    }
    #expect(abs(probability(2) - (1 - acos(cosine) / .pi)) < 1e-12)
    #expect(abs(probability(3) - (1 + cosine) / 2) < 1e-13)
    #expect(abs(probability(4) - (1 - (acos(cosine) - cosine * (1 - cosine * cosine).squareRoot()) / .pi)) < 1e-12)
    #expect(abs(probability(5) - (0.5 + 0.75 * (cosine - cosine * cosine * cosine / 3))) < 1e-12)
    #expect(probability(1) == 0.5)
    // Many dimensions: nearly a normal of variance 1/d.
    let normal = 0.5 * erfc(-cosine * 4000.0.squareRoot() / 2.0.squareRoot())
    #expect(abs(probability(4000) - normal) < 2e-3)
  }

  @Test func anglesAtTheEnds() {
    for dimension in [1, 2, 7, 512] {
      #expect(Concentration.cosineProbability(atMost: -1.5, dimension: dimension) == 0)
      #expect(Concentration.cosineProbability(atMost: 1, dimension: dimension) == 1)
    }
    #expect(Concentration.cosineVariance(dimension: 20) == 0.05)
  }

  /// The variance of the law is 1/d: by integration of P(cos <= c).
  @Test(arguments: [2, 3, 10, 100]) func varianceOfTheLaw(dimension: Int) {
    // E[c²] = 2 ∫ c (1 - F(c)) dc over 0 ... 1, twice for both signs.
    let steps = 20_000
    let sum = (0..<steps).reduce(0.0) { sum, step in
      let c = (Double(step) + 0.5) / Double(steps)
      return sum + 4 * c * (1 - Concentration.cosineProbability(atMost: c, dimension: dimension)) / Double(steps)
    }
    #expect(abs(sum * Double(dimension) - 1) < 1e-4)
  }

  /// Random directions follow the law, and others do not.
  @Test(arguments: [3, 40]) func anglesOfGaussianData(dimension: Int) async throws {
    let vectors = try Vectors(Draws.gaussian(3000, dimension, seed: 51), dimension: dimension)
    let angles = try #require(try await PairAngles(of: vectors, pairs: 20_000, seed: 1))
    #expect(angles.pairs == 20_000 && abs(angles.mean) < 0.01)
    #expect(abs(angles.variance * Double(dimension) - 1) < 0.05)
    // Kolmogorov's 99.9 % for as many independent draws is 1.95 / √n; pairs share vectors.
    #expect(angles.deviation < 0.03)
    var flat = vectors.elements
    for at in flat.indices where at % dimension > 0 { flat[at] *= 0.1 }
    let squeezed = try #require(
      try await PairAngles(of: try Vectors(flat, dimension: dimension), pairs: 20_000, seed: 1))
    #expect(squeezed.deviation > 0.1 && squeezed.variance > 2 / Double(dimension))
  }

  @Test func vectorsWithoutDirectionHaveNoAngles() async throws {
    #expect(try await PairAngles(of: try Vectors([1, 2, 1, 2], dimension: 2)) == nil)
    #expect(try await PairAngles(of: try Vectors([1, 2], dimension: 2)) == nil)
    let two = try #require(try await PairAngles(of: try Vectors([0, 1, 0, 3], dimension: 2), pairs: 10))
    #expect(two.pairs == 1 && abs(two.mean + 1) < 1e-12)
    // All six pairs of a square's corners: four at right angles, two opposite.
    let square = try #require(
      try await PairAngles(of: try Vectors([1, 0, 0, 1, -1, 0, 0, -1], dimension: 2), pairs: 6))
    #expect(square.pairs == 6 && abs(square.mean + 1.0 / 3) < 1e-12 && abs(square.variance - 2.0 / 9) < 1e-12)
  }
}
