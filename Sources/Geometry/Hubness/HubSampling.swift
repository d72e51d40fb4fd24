public import Engine

/// Latents that are hubs: those that many others have among their nearest. In high dimension they lie nearer to the mean
/// than others do, and samples that start from them are less often failures (hub sampling).
public struct HubLatents: Sendable, Hashable {
  /// Which of the set they are, in order.
  public let indices: [Int]
  /// `N_k` of each.
  public let counts: [Int]
  /// `[hubs, dimension]`: the latents, row after row; none if there is no hub.
  public let elements: [Float]
  /// Elements of a latent.
  public let dimension: Int

  /// Those of a set that at least `least` others have among their k nearest.
  public init(of vectors: some VectorSource, _ counts: NeighbourCounts, atLeast least: Int) {
    indices = counts.hubs(atLeast: least)
    self.counts = indices.map { counts.counts[$0] }
    elements = indices.flatMap { vectors.floats($0..<$0 + 1) }
    dimension = vectors.dimension
  }

  /// The mean of their lengths, 0 where there are none.
  public var meanNorm: Double {
    let norms = elements.withUnsafeBufferPointer { floats in
      indices.indices.map { place in
        floats[place * dimension..<(place + 1) * dimension].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      }
    }
    return norms.reduce(0, +) / Double(max(1, norms.count))
  }
}

extension Engine {
  /// Standard normal latents: latent i is the noise that sample i of the seed starts from when samples are drawn.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - dimension: elements of each.
  ///   - seed: which.
  /// - Returns: the latents.
  /// - Throws: `GeometryError` if there are none or too many; `EngineError` if the device has no room.
  public func gaussianLatents(count: Int, dimension: Int, seed: UInt64) async throws -> Vectors {
    try require(count > 0 && dimension > 0, "\(count) latents of dimension \(dimension) cannot be drawn")
    try require(
      count <= Int(Int32.max) && dimension <= Int(Int32.max) / 2,
      "\(count) latents of dimension \(dimension) are too many")
    var elements: [Float] = []
    elements.reserveCapacity(count * dimension)
    // A part at a time: a device need not hold all.
    let part = max(1, (1 << 24) / dimension)
    for first in stride(from: 0, to: count, by: part) {
      try Task.checkCancellation()
      elements += try await gaussianLatents(first..<min(first + part, count), dimension: dimension, seed: seed)
    }
    return try Vectors(elements, dimension: dimension)
  }

  private func gaussianLatents(
    _ samples: Range<Int>, dimension: Int, seed: UInt64
  ) async throws(EngineError) -> [Float] {
    let batch = SampleBatch(samples: samples.count, elements: dimension)
    var row = CoefficientRow()
    row[.noise] = 1
    let table = try makeTensor(.float32, 1, CoefficientRow.width)
    let identities = try makeTensor(.int32, samples.count, 4)
    let out = try makeTensor(.float32, samples.count, dimension)
    var submission = Submission()
    try submission.upload(.float32(row.elements), to: table)
    let words = samples.flatMap { SampleIdentity(seed: seed, sample: UInt32($0)).words }
    try submission.upload(.int32(words), to: identities)
    let noise = NoiseSource(identities, step: 0, stream: .initial)
    try submission.append(.noiseDraw(NoiseDraw(batch, CoefficientRows(table), noise, into: out)))
    try submission.download(out)
    return try await run(submission)[0].floats
  }
}
