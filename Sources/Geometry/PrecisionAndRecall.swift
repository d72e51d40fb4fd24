public import Engine

/// How much of some samples a reference set could have produced, and how much of the reference the samples cover
/// (Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models", 2019).
///
/// A set's manifold is all that lies within a ball around one of its vectors that reaches to its k-th neighbour.
/// Precision is the share of samples in the manifold of the reference, recall that of the reference in the manifold of the
/// samples. A point on the rim counts as inside. Membership is decided by distances in Double.
public struct PrecisionAndRecall: Sendable, Hashable {
  /// Samples that lie in the reference's manifold.
  public let preciseSamples: Int
  /// How many samples.
  public let sampleCount: Int
  /// Vectors of the reference that lie in the samples' manifold.
  public let recalledReferences: Int
  /// How many vectors the reference has.
  public let referenceCount: Int
  /// Neighbours that a ball reaches to.
  public let k: Int

  /// The share of samples that the reference could have produced.
  public var precision: Double { Double(preciseSamples) / Double(sampleCount) }
  /// The share of the reference that the samples cover.
  public var recall: Double { Double(recalledReferences) / Double(referenceCount) }
}

extension Engine {
  /// Precision and recall of samples: exact, and without a matrix of all distances.
  ///
  /// - Parameters:
  ///   - samples: vectors, more than `k`.
  ///   - reference: what they should be like; others of the same dimension, more than `k`.
  ///   - k: neighbours that a ball reaches to; 3 is usual.
  ///   - options: what changes speed and memory, never results.
  /// - Returns: how many of each lie in the other's manifold.
  /// - Throws: `GeometryError` if `k` or dimensions do not fit, or a vector cannot be used; `EngineError` if the device
  ///   fails.
  public func precisionAndRecall(
    of samples: some VectorSource, reference: some VectorSource, k: Int = 3,
    options: NeighbourOptions = NeighbourOptions()
  ) async throws -> PrecisionAndRecall {
    let referenceManifold = try await NeighbourManifold(of: reference, k: k, options: options, on: self)
    let sampleManifold = try await NeighbourManifold(of: samples, k: k, options: options, on: self)
    let precise = try await referenceManifold.members(of: samples).count { $0 }
    let recalled = try await sampleManifold.members(of: reference).count { $0 }
    return PrecisionAndRecall(
      preciseSamples: precise, sampleCount: samples.count, recalledReferences: recalled,
      referenceCount: reference.count, k: k)
  }
}

/// The union of balls around vectors, each of which reaches to its vector's k-th neighbour.
///
/// Whether `x` lies in it is one row maximum: with `w` as in `CentredVectors` and `s r_j` the scaled radius,
///
///     |w - w_j| <= s r_j for some j     <=>     max_j <w, w_j> + (s² r_j² - |w_j|²) / 2  >=  |w|² / 2
///
/// The device lists the balls with the greatest values; those are checked in Double. That no other holds `x` is proven
/// by a bound on the device's rounding, and where the bound does not decide, by checking all.
struct NeighbourManifold<Source: VectorSource>: Sendable {
  private let vectors: Source
  /// Of each vector's ball.
  private let radii: [Double]
  private let options: NeighbourOptions
  private let engine: Engine

  /// Balls that are checked in Double for each point.
  private static var listed: Int { 8 }
  private static var blockSize: Int { 64 }

  /// - Throws: `GeometryError` if there are not more than `k` vectors or one cannot be used; `EngineError`.
  init(of vectors: Source, k: Int, options: NeighbourOptions, on engine: Engine) async throws {
    self.vectors = vectors
    self.options = options
    self.engine = engine
    let lists = try await engine.neighbours(of: vectors, k: k, options: options)
    radii = (0..<vectors.count).map { lists.distances(of: $0).last ?? 0 }
  }

  /// For each point whether it lies in the manifold.
  /// - Throws: `GeometryError` if dimensions differ or a point cannot be used; `EngineError`.
  func members(of points: some VectorSource) async throws -> [Bool] {
    try require(
      points.dimension == vectors.dimension,
      "samples have \(points.dimension) numbers each, those they are compared with \(vectors.dimension)")
    let survey = try await VectorSurvey(of: vectors, metric: .euclidean, name: "vector")
    let pointSurvey = try await VectorSurvey(of: points, metric: .euclidean, name: "vector")
    let centred = try CentredVectors(.euclidean, around: vectors, reference: survey, queries: pointSurvey)

    var (isMember, isOpen) = (
      [Bool](repeating: false, count: points.count), [Bool](repeating: false, count: points.count)
    )
    let shardSize = max(Self.listed, options.shardBytes / (4 * vectors.dimension))
    for first in stride(from: 0, to: vectors.count, by: shardSize) {
      try Task.checkCancellation()
      let shard = first..<min(vectors.count, first + shardSize)
      let pending = isMember.indices.filter { !isMember[$0] }.map(Int32.init)
      guard !pending.isEmpty else { break }
      for (point, finding) in zip(pending, try await look(at: pending, of: points, in: shard, centred)) {
        switch finding {
        case .inside: isMember[Int(point)] = true
        case .outside: break
        case .open: isOpen[Int(point)] = true
        }
      }
    }
    let undecided = isMember.indices.filter { isOpen[$0] && !isMember[$0] }
    for (point, member) in zip(undecided, try await lookAtAll(undecided, of: points)) { isMember[point] = member }
    return isMember
  }

  private enum Finding: Sendable { case inside, outside, open }

  /// Asks the device about some points and a shard of the balls.
  private func look(
    at pending: [Int32], of points: some VectorSource, in shard: Range<Int>, _ centred: CentredVectors
  ) async throws -> [Finding] {
    let block = try await centred.block(Array(Int32(shard.lowerBound)..<Int32(shard.upperBound))[...], of: vectors)
    let scaled = shard.map { radii[$0] * centred.scale }
    let terms = zip(scaled, block.norms).map { Float(($0 * $0 - $1 * $1) / 2) }
    let columns = try await engine.makeRankedColumns(
      try Vectors(block.elements, dimension: vectors.dimension), terms: terms)
    let bound = BallBound(
      dimension: vectors.dimension, reach: block.norms.reduce(0, max), radius: scaled.reduce(0, max),
      term: terms.reduce(0) { max($0, Double(abs($1))) })
    let listed = min(Self.listed, shard.count)

    var findings: [Finding] = []
    findings.reserveCapacity(pending.count)
    let passSize = max(256, (1 << 22) / vectors.dimension)
    for first in stride(from: 0, to: pending.count, by: passSize) {
      try Task.checkCancellation()
      let pass = pending[first..<min(pending.count, first + passSize)]
      let rows = try await centred.block(pass, of: points)
      let best = try await engine.topK(
        try Vectors(rows.elements, dimension: vectors.dimension), among: columns, k: listed)
      findings += try await inParallel(pass.count, blockSize: Self.blockSize) { places in
        try VectorReader.reading(points) { points in
          try places.map { place in
            let row = place * listed..<(place + 1) * listed
            let balls = best.indices[row].map { Int(($0)) + shard.lowerBound }
            if try holds(Int(pass[pass.startIndex + place]), of: points, oneOf: balls) { return Finding.inside }
            let last = Double(best.values[row].last ?? .infinity)
            return listed == shard.count || bound.excludes(norm: rows.norms[place], last: last) ? .outside : .open
          }
        }
      }.flatMap { $0 }
      options.progress?(Double(shard.lowerBound + shard.count * pass.endIndex / pending.count) / Double(vectors.count))
    }
    return findings
  }

  private func lookAtAll(_ undecided: [Int], of points: some VectorSource) async throws -> [Bool] {
    try await inParallel(undecided.count, blockSize: 1) { places in
      try VectorReader.reading(points) { points in
        try places.map { try holds(undecided[$0], of: points, oneOf: Array(radii.indices)) }
      }
    }.flatMap { $0 }
  }

  /// Whether one of some balls holds a point, by distances in Double.
  private func holds(_ point: Int, of points: VectorReader, oneOf balls: [Int]) throws -> Bool {
    try points.withVector(point) { vector in
      let distance = ExactDistance(.euclidean, from: vector, dimension: vectors.dimension)
      return try VectorReader.reading(vectors) { reader in
        try stride(from: 0, to: balls.count, by: 256).contains { first in
          let part = balls[first..<min(first + 256, balls.count)]
          let distances = try reader.withVectors(part.map(Int32.init)) { distance(to: $0) }
          return zip(part, distances).contains { radii[$0] >= $1 }
        }
      }
    }
  }
}
