import Engine
import Foundation
import Geometry
import Testing

@Suite struct FrechetDistanceTests {
  /// Vectors ±a_i e_i, twice each: the mean is 0 and the covariance diagonal, 4 a_i² / (n - 1).
  private func axes(_ lengths: [Float], around centre: [Float]? = nil) throws -> Vectors {
    let d = lengths.count
    var elements: [Float] = []
    for (axis, length) in lengths.enumerated() {
      for sign in [Float(1), -1, 1, -1] {
        var vector = centre ?? [Float](repeating: 0, count: d)
        vector[axis] += sign * length
        elements += vector
      }
    }
    return try Vectors(elements, dimension: d)
  }

  @Test func diagonalCovariances() async throws {
    let (a, b): ([Float], [Float]) = ([1, 2, 0.5, 4, 0], [2, 2, 3, 0.25, 1])
    let distance = try await FrechetDistance(of: axes(a, around: [1, 0, 0, -2, 0]), to: axes(b))
    let factor = 4 / Double(4 * a.count - 1)
    let expected = zip(a, b).reduce(0) { $0 + factor * pow(Double($1.0) - Double($1.1), 2) }
    #expect(abs(distance.means - 5) < 1e-12)
    #expect(abs(distance.covariances - expected) < 1e-12)
    #expect(distance.value == distance.means + distance.covariances)
  }

  /// Of two rows and columns, tr √A = √(tr A + 2 √det A): no eigenvalues are needed.
  @Test(arguments: 0..<5) func planes(seed: UInt64) async throws {
    func skewed(_ seed: UInt64, _ x: Float, _ y: Float) throws -> Vectors {
      let draws = Draws.gaussian(300, 2, seed: seed)
      return try Vectors(
        stride(from: 0, to: 600, by: 2).flatMap { [draws[$0] + x * draws[$0 + 1], y * draws[$0 + 1]] }, dimension: 2)
    }
    let (first, second) = (try skewed(seed, 0.75, 2), try skewed(seed + 50, -1.5, 0.5))
    let (a, b) = (moments(first), moments(second))
    // Of Σ₁Σ₂, whose root's trace is the same as that of the symmetric form.
    let trace = a.xx * b.xx + 2 * a.xy * b.xy + a.yy * b.yy
    let determinant = (a.xx * a.yy - a.xy * a.xy) * (b.xx * b.yy - b.xy * b.xy)
    let expected = a.xx + a.yy + b.xx + b.yy - 2 * (trace + 2 * determinant.squareRoot()).squareRoot()
    let distance = try await FrechetDistance(of: first, to: second)
    #expect(abs(distance.covariances - expected) < 1e-11)
    #expect(abs(distance.means - (pow(a.x - b.x, 2) + pow(a.y - b.y, 2))) < 1e-12)
  }

  private func moments(_ vectors: Vectors) -> (x: Double, y: Double, xx: Double, xy: Double, yy: Double) {
    let pairs = (0..<vectors.count).map {
      (Double(vectors.elements[2 * $0]), Double(vectors.elements[2 * $0 + 1]))
    }
    let n = Double(pairs.count)
    let (x, y) = (pairs.reduce(0) { $0 + $1.0 } / n, pairs.reduce(0) { $0 + $1.1 } / n)
    func average(_ value: ((Double, Double)) -> Double) -> Double { pairs.reduce(0) { $0 + value($1) } / (n - 1) }
    return (
      x, y, average { ($0.0 - x) * ($0.0 - x) }, average { ($0.0 - x) * ($0.1 - y) },
      average { ($0.1 - y) * ($0.1 - y) }
    )
  }

  /// A set is at distance 0 from itself, from its order turned round, and |c|² from itself moved by c, also where there
  /// are fewer vectors than dimensions.
  @Test(arguments: [(40, 7), (5, 30), (513, 65)]) func movedSets(count: Int, dimension: Int) async throws {
    // Eighths, so that moving is exact.
    let elements = Draws.gaussian(count, dimension, seed: 3).map { ($0 * 8).rounded() / 8 }
    let vectors = try Vectors(elements, dimension: dimension)
    let moved = try Vectors(elements.map { $0 + 0.5 }, dimension: dimension)
    let distance = try await FrechetDistance(of: moved, to: vectors)
    #expect(abs(distance.means - 0.25 * Double(dimension)) < 1e-10)
    #expect(distance.covariances < 1e-6)
    #expect(try await FrechetDistance(of: vectors, to: vectors).value < 1e-6)
  }

  @Test func faults() async throws {
    let vectors = try Vectors([1, 2, 3, 4], dimension: 2)
    await #expect(throws: GeometryError("samples have 2 numbers each, those of the reference 1")) {
      try await FrechetDistance(of: vectors, to: Vectors([1, 2], dimension: 1))
    }
    await #expect(throws: GeometryError("reference: one vector alone has no covariance; at least two are needed")) {
      try await FrechetDistance(of: vectors, to: Vectors([1, 2], dimension: 2))
    }
    await #expect(throws: GeometryError("samples: vector 1 holds a number that is not finite")) {
      try await FrechetDistance(of: Vectors([1, 2, .nan, 4], dimension: 2), to: vectors)
    }
    let wide = try Vectors([Float](repeating: 1, count: 2 * 8193), dimension: 8193)
    let error = await #expect(throws: GeometryError.self) { try await FrechetDistance(of: wide, to: wide) }
    #expect(error?.message.contains("the limit is 8192") == true)
  }
}
