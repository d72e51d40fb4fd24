import Engine
import Foundation
import Geometry
import TestDevices
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

@Suite struct PrecisionAndRecallTests {
  /// By all distances in Double.
  private func bruteForce(
    _ points: [Float], in vectors: [Float], dimension: Int, k: Int
  ) -> Int {
    let own = BruteForce(vectors, dimension: dimension)
    let radii = own.neighbours(k, .euclidean).distances.enumerated().filter { $0.offset % k == k - 1 }.map(\.element)
    let other = BruteForce(points, among: vectors, dimension: dimension)
    return (0..<other.queryCount).count { point in
      radii.indices.contains { other.distance(.euclidean, point, $0) <= radii[$0] }
    }
  }

  private func check(
    _ samples: [Float], _ reference: [Float], dimension: Int, k: Int = 3, shardBytes: Int? = nil, on device: TestDevice,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    var options = NeighbourOptions()
    if let shardBytes { options.shardBytes = shardBytes }
    let result = try await device.engine().precisionAndRecall(
      of: Vectors(samples, dimension: dimension), reference: Vectors(reference, dimension: dimension), k: k,
      options: options)
    #expect(
      result.preciseSamples == bruteForce(samples, in: reference, dimension: dimension, k: k),
      sourceLocation: sourceLocation)
    #expect(
      result.recalledReferences == bruteForce(reference, in: samples, dimension: dimension, k: k),
      sourceLocation: sourceLocation)
    #expect(result.sampleCount == samples.count / dimension && result.referenceCount == reference.count / dimension)
  }

  @Test(arguments: TestDevice.available, [4, 5, 255, 256, 257]) func randomSets(device: TestDevice, count: Int)
    async throws
  {
    for dimension in [1, 3, 20] {
      try await check(
        Draws.gaussian(count, dimension, seed: 1).map { $0 * 1.25 + 0.5 }, Draws.gaussian(261, dimension, seed: 2),
        dimension: dimension, on: device)
    }
  }

  /// Copies have balls of radius 0, whole numbers lie on rims, and nearly equal vectors cancel.
  @Test(arguments: TestDevice.available) func tiesAndCopies(device: TestDevice) async throws {
    try await check(
      Draws.copies(of: 9, 120, 4, seed: 3), Draws.copies(of: 9, 100, 4, seed: 3), dimension: 4, on: device)
    try await check(
      Draws.integers(150, 2, largest: 12, seed: 4), Draws.integers(170, 2, largest: 14, seed: 5), dimension: 2, k: 5,
      on: device)
    try await check(
      Draws.copies(of: 5, 90, 6, spread: 1e-6, seed: 6), Draws.copies(of: 5, 110, 6, spread: 1e-6, seed: 6),
      dimension: 6, on: device)
    // Far from 0, where float32 keeps few digits of a difference.
    try await check(
      Draws.gaussian(100, 3, seed: 7).map { 1000 + $0 }, Draws.gaussian(100, 3, seed: 8).map { 1000 + $0 },
      dimension: 3, on: device)
  }

  /// Points within a few parts in 10⁷ of a rim, on either side.
  @Test(arguments: TestDevice.available) func nearTheRim(device: TestDevice) async throws {
    let reference: [Float] = [0, 0, 1, 0, 1.5, 0, 100, 100, 101, 100, 101.5, 100]
    let samples: [Float] = [-3, -2, -1, 0, 1, 2, 3].flatMap { [Float](arrayLiteral: 1.5 + 1.5 + $0 * 1.2e-7, 0) }
    try await check(samples, reference, dimension: 2, k: 2, on: device)
  }

  @Test(arguments: TestDevice.available) func shards(device: TestDevice) async throws {
    try await check(
      Draws.gaussian(90, 5, seed: 9), Draws.uniform(140, 5, seed: 10), dimension: 5, shardBytes: 4 * 5 * 11, on: device)
  }

  @Test func knownSets() async throws {
    let engine = try await TestDevice.reference.engine()
    let line = try Vectors((0..<20).map { Float($0) }, dimension: 1)
    let itself = try await engine.precisionAndRecall(of: line, reference: line)
    #expect(itself.precision == 1 && itself.recall == 1)
    let far = try await engine.precisionAndRecall(
      of: line, reference: Vectors(line.elements.map { $0 + 50 }, dimension: 1))
    #expect(far.precision == 0 && far.recall == 0)
    // A set of one half is precise, and recalls what its balls reach: to 2 beyond its ends.
    let half = try await engine.precisionAndRecall(
      of: Vectors((0..<10).map { Float($0) }, dimension: 1), reference: line, k: 2)
    #expect(half.precision == 1 && half.recall == 0.6)
  }

  @Test func faults() async throws {
    let engine = try await TestDevice.reference.engine()
    let three = try Vectors([1, 2, 3], dimension: 1)
    await #expect(throws: GeometryError.self) { try await engine.precisionAndRecall(of: three, reference: three) }
    await #expect(throws: GeometryError.self) {
      try await engine.precisionAndRecall(of: three, reference: Vectors([1, 2, 3, 4], dimension: 2), k: 1)
    }
    await #expect(throws: GeometryError.self) {
      try await engine.precisionAndRecall(of: Vectors([1, .infinity, 3], dimension: 1), reference: three, k: 1)
    }
  }
}
