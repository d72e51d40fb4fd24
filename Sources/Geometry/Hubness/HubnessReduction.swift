internal import Foundation

/// Ways to make distances less prone to hubs, each a rescaling by the neighbourhoods of both vectors. Where `d` is squared
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

/// A reduction's scale of each vector's neighbourhood, and the rescaled distances.
struct LocalScales: Sendable {
  private let reduction: HubnessReduction
  private let lists: NeighbourLists
  /// Whether the lists' distances are squared and those of the formula are not.
  private let takesRoots: Bool
  /// r, μ, `|x - c(x)|²` or the mean cosine of each vector, after the reduction.
  private var scales: [Double] = []
  /// σ of each vector; mutual proximity only.
  private var deviations: [Double] = []

  init(
    _ lists: NeighbourLists, k: Int, reduction: HubnessReduction, vectors: some VectorSource
  ) async throws {
    self.reduction = reduction
    self.lists = lists
    takesRoots = lists.metric == .squaredEuclidean && (reduction == .localScaling || reduction == .nicdm)
    let takesRoots = takesRoots
    func straight(_ d: Double) -> Double { takesRoots ? d.squareRoot() : d }
    func means(_ count: Int, of value: (Double) -> Double = { $0 }) -> [Double] {
      (0..<lists.rowCount).map { row in
        lists.distances(of: row).prefix(count).reduce(0) { $0 + value($1) } / Double(count)
      }
    }
    switch reduction {
    case .localScaling: scales = (0..<lists.rowCount).map { straight(lists.distances[$0 * lists.k + k - 1]) }
    case .nicdm: scales = means(k, of: straight)
    case .csls: scales = means(k) { 1 - $0 }
    case .mutualProximityEmpiric: break
    case .mutualProximityNormal:
      scales = means(lists.k)
      deviations = scales.enumerated().map { row, mean in
        let sum = lists.distances(of: row).reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (sum / Double(lists.k)).squareRoot()
      }
    case .disSimLocal: scales = try await Self.centroidDistances(lists, k: k, vectors)
    }
  }

  /// `|x - c(x)|²` of each vector.
  private static func centroidDistances(
    _ lists: NeighbourLists, k: Int, _ vectors: some VectorSource
  ) async throws -> [Double] {
    let dimension = vectors.dimension
    return try await inParallel(lists.rowCount, blockSize: 64) { block in
      try VectorReader.reading(vectors) { reader in
        try block.map { row in
          var centroid = [Double](repeating: 0, count: dimension)
          try reader.withVectors(Array(lists.indices(of: row).prefix(k))) { neighbours in
            for neighbour in neighbours {
              for channel in 0..<dimension { centroid[channel] += Double(neighbour[channel]) }
            }
          }
          for channel in 0..<dimension { centroid[channel] /= Double(k) }
          return try reader.withVector(row) { squaredDistance($0, centroid) }
        }
      }
    }.flatMap { $0 }
  }

  /// The rescaled distances of one vector's list. `distances` has room for one number a vector, NaN in all, and is the
  /// same when the call returns.
  func rescaled(_ row: Int, scratch distances: inout [Double]) -> [Double] {
    guard reduction == .mutualProximityEmpiric else {
      return zip(lists.distances(of: row), lists.indices(of: row)).map { rescaled($0, row, Int($1)) }
    }
    for (index, distance) in zip(lists.indices(of: row), lists.distances(of: row)) {
      distances[Int(index)] = distance
    }
    defer { for index in lists.indices(of: row) { distances[Int(index)] = .nan } }
    return zip(lists.distances(of: row), lists.indices(of: row)).map {
      1 - shareFartherFromBoth($0, row, Int($1), distances)
    }
  }

  /// The rescaled distance of `i` and `j`.
  private func rescaled(_ distance: Double, _ i: Int, _ j: Int) -> Double {
    let d = takesRoots ? distance.squareRoot() : distance
    return switch reduction {
    case .localScaling: d == 0 ? 0 : 1 - exp(-d * d / (scales[i] * scales[j]))
    // Copies have distance 0, whatever their neighbourhoods are.
    case .nicdm: d == 0 ? 0 : d / (scales[i] * scales[j]).squareRoot()
    case .mutualProximityNormal: mutualProximity(shareBelow(d, i), shareBelow(d, j))
    case .mutualProximityEmpiric: .nan
    case .disSimLocal: (lists.metric == .euclidean ? d * d : d) - scales[i] - scales[j]
    case .csls: scales[i] + scales[j] - 2 * (1 - d)
    }
  }

  /// `1 - (1 - F)(1 - F')` from the small shares themselves, whose digits 1 - F would lose.
  private func mutualProximity(_ mine: Double, _ theirs: Double) -> Double { mine + theirs - mine * theirs }

  /// The share of a normal's mass below `d`.
  private func shareBelow(_ d: Double, _ row: Int) -> Double {
    let (mean, deviation) = (scales[row], deviations[row])
    guard deviation > 0 else { return d < mean ? 0 : d == mean ? 0.5 : 1 }
    return erfc((mean - d) / (deviation * 2.0.squareRoot())) / 2
  }

  /// The share of the n - 2 others that are farther than `d` from both; `distances` are those of `i`'s list by index,
  /// NaN for others.
  private func shareFartherFromBoth(_ d: Double, _ i: Int, _ j: Int, _ distances: [Double]) -> Double {
    let others = lists.referenceCount - 2
    guard others > 0 else { return 1 }
    let near = lists.distances(of: i).prefix { $0 <= d }.count - 1
    var alsoNear = 0
    for (index, distance) in zip(lists.indices(of: j), lists.distances(of: j)) {
      guard distance <= d else { break }
      // Those near both were counted.
      if Int(index) != i && !(distances[Int(index)] <= d) { alsoNear += 1 }
    }
    return Double(others - near - alsoNear) / Double(others)
  }
}
