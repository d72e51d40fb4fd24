import Engine
import Geometry
import TestDevices
import Testing

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
