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
  /// - Throws: the set's error if they can no longer be read.
  public init(of vectors: some VectorSource, _ counts: NeighbourCounts, atLeast least: Int) throws {
    indices = counts.hubs(atLeast: least)
    self.counts = indices.map { counts.counts[$0] }
    elements = try indices.flatMap { try vectors.floats($0..<$0 + 1) }
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
