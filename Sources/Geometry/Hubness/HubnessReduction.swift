/// Ways to make distances less prone to hubs, each a rescaling by how things are around both vectors. Where `d` is squared
/// or divided by, it is the straight distance, also of lists of squared ones.
public enum HubnessReduction: String, Sendable, Hashable, CaseIterable {
  /// `1 - exp(-d² / (r_i r_j))`, r the distance of the k-th neighbour (Zelnik-Manor and Perona, 2004).
  case localScaling = "local-scaling"
  /// `d / √(μ_i μ_j)`, μ the mean distance of the k neighbours: the non-iterative contextual dissimilarity measure
  /// (Jégou, Harzallah and Schmid, 2007).
  case nicdm
  /// `1 - SF(d; μ_i, σ_i) SF(d; μ_j, σ_j)`, SF a normal's share above d: mutual proximity (Schnitzer, Flexer, Schedl
  /// and Widmer, 2012).
  case mutualProximityNormal = "mutual-proximity"
  /// The same with shares counted: 1 less the share of others that are farther than d from both.
  case mutualProximityEmpiric = "mutual-proximity-empiric"
  /// `|x - y|² - |x - c(x)|² - |y - c(y)|²`, c the centroid of the k neighbours (Hara, Suzuki, Kobayashi, Fukumizu and
  /// Radovanović, 2016).
  case disSimLocal = "dis-sim-local"
  /// `r(x) + r(y) - 2 cos(x, y)`, r the mean cosine of the k neighbours: cross-domain similarity local scaling (Conneau,
  /// Lample, Ranzato, Denoyer and Jégou, 2018) as a distance.
  case csls

  /// The metrics whose distances it can rescale.
  public var metrics: [Metric] {
    switch self {
    case .localScaling, .nicdm, .mutualProximityNormal, .mutualProximityEmpiric:
      [.euclidean, .squaredEuclidean, .cosine]
    case .disSimLocal: [.euclidean, .squaredEuclidean]
    case .csls: [.cosine]
    }
  }
}

extension NeighbourLists {
  /// The k nearest of each list by rescaled distances, by distance, then index.
  ///
  /// The lists must be longer than `k`, or there is nothing to choose. A vector farther away than the last of its list is
  /// not considered: with lists of all others the result is that of the formulas on the full matrix. Mutual proximity
  /// takes μ and σ from the lists as they are, and counts what is not listed as farther; both are what the full matrix
  /// gives if everything is listed.
  ///
  /// - Parameters:
  ///   - reduction: the rescaling.
  ///   - k: neighbours that are kept; also those that local scales are measured with.
  ///   - vectors: what the lists are about.
  /// - Returns: lists of k neighbours with rescaled distances.
  /// - Throws: `GeometryError` if the lists are of queries among others, too short, or of a metric that does not suit.
  public func reduced(
    by reduction: HubnessReduction, k: Int, vectors: some VectorSource
  ) async throws -> NeighbourLists {
    try require(isOfItself, "hubness is reduced among the vectors of one set, not between queries and others")
    try require(vectors.count == rowCount, "lists of \(rowCount) vectors do not belong to \(vectors.count)")
    try require((1...self.k).contains(k), "\(k) neighbours cannot be chosen from lists of \(self.k)")
    let names = reduction.metrics.map(\.rawValue).joined(separator: ", ")
    try require(reduction.metrics.contains(metric), "\(reduction.rawValue) needs another metric: \(names)")
    let scales = try await LocalScales(self, k: k, reduction: reduction, vectors: vectors)
    let parts = try await inParallel(rowCount, blockSize: 256) { block in
      var scratch = [Double](repeating: .nan, count: reduction == .mutualProximityEmpiric ? rowCount : 0)
      return block.map { row in
        zip(scales.rescaled(row, scratch: &scratch), indices(of: row))
          .map { (distance: $0, index: $1) }
          .sorted { $0 < $1 }
          .prefix(k)
      }
    }
    let kept = parts.flatMap { $0 }.flatMap { $0 }
    return NeighbourLists(
      k: k, metric: metric, referenceCount: referenceCount, isOfItself: true, indices: kept.map(\.index),
      distances: kept.map(\.distance))
  }
}
