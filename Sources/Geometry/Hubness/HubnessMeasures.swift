internal import Foundation

/// How many vectors have each vector among their k nearest: `N_k(x)` (Radovanović, Nanopoulos and Ivanović, "Hubs in
/// Space", 2010).
public struct NeighbourCounts: Sendable, Hashable {
  /// Neighbours that each vector has.
  public let k: Int
  /// How many vectors have lists: `Σ N_k = rowCount · k`.
  public let rowCount: Int
  /// `[vectors]`: `N_k` of each vector that could be a neighbour.
  public let counts: [Int]

  /// Counts from lists of neighbours.
  /// - Parameters:
  ///   - lists: the neighbours.
  ///   - k: how many of each list count; all if nil.
  public init(_ lists: NeighbourLists, k: Int? = nil) {
    let k = k ?? lists.k
    precondition((1...lists.k).contains(k))
    var counts = [Int](repeating: 0, count: lists.referenceCount)
    for row in 0..<lists.rowCount {
      for index in lists.indices(of: row).prefix(k) { counts[Int(index)] += 1 }
    }
    self.init(k: k, rowCount: lists.rowCount, counts: counts)
  }

  init(k: Int, rowCount: Int, counts: [Int]) {
    (self.k, self.rowCount, self.counts) = (k, rowCount, counts)
  }

  /// The vectors that at least `least` others have among their nearest, in order.
  public func hubs(atLeast least: Int) -> [Int] { counts.indices.filter { counts[$0] >= least } }

  /// The antihubs: vectors that are in no list, in order.
  public var antihubs: [Int] { counts.indices.filter { counts[$0] == 0 } }

  /// The vectors with the greatest counts, greatest first, of equal ones the first.
  public func largest(_ count: Int) -> [Int] {
    Array(counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(count))
  }

  /// How many vectors have each count: `histogram[c]` have `N_k = c`.
  public var histogram: [Int] {
    var histogram = [Int](repeating: 0, count: (counts.max() ?? 0) + 1)
    for count in counts { histogram[count] += 1 }
    return histogram
  }
}

/// How unevenly neighbourhoods are spread over the vectors, by the measures in use (Feldbauer and Flexer, 2019).
public struct HubnessMeasures: Sendable, Hashable {
  /// The biased third standardised moment of `N_k`; 0 if all are equal.
  public let skewness: Double
  /// Half the sum of `|N - mean|` over the sum of N: the share of neighbourhoods that would have to move.
  public let robinHood: Double
  /// The share of antihubs: vectors with `N_k = 0`.
  public let antihubShare: Double
  /// The share of vectors with `N_k >= 2k`.
  public let hubShare: Double
  /// How many those are.
  public let hubCount: Int
  /// The share of all places in neighbour lists that these take.
  public let hubOccurrence: Double
  /// Gini's index: half the mean difference of two counts over their mean.
  public let gini: Double
  /// Atkinson's index with ε = 1/2: `1 - (mean √N)² / mean N`.
  public let atkinson: Double
  /// The greatest `N_k`.
  public let largest: Int
  /// The greatest `N_k` over `n k`: the share of all places that the greatest hub takes.
  public let largestShare: Double

  /// Measures counts.
  public init(_ counts: NeighbourCounts) {
    let values = counts.counts
    let total = values.reduce(0, +)
    let (count, sum) = (Double(values.count), Double(total))
    let mean = sum / count
    var (second, third, deviation, roots) = (0.0, 0.0, 0.0, 0.0)
    for value in values {
      let difference = Double(value) - mean
      second += difference * difference
      third += difference * difference * difference
      deviation += abs(difference)
      roots += Double(value).squareRoot()
    }
    skewness = second > 0 ? third / count / pow(second / count, 1.5) : 0
    robinHood = deviation / 2 / sum
    antihubShare = Double(values.count { $0 == 0 }) / count
    let hubs = values.filter { $0 >= 2 * counts.k }
    hubCount = hubs.count
    hubShare = Double(hubs.count) / count
    hubOccurrence = Double(hubs.reduce(0, +)) / sum
    // Σ_i (2 i - n + 1) N_(i) over sorted counts is the sum of |N_a - N_b| over pairs.
    var differences = 0.0
    for (place, value) in values.sorted().enumerated() {
      differences += Double(2 * place + 1 - values.count) * Double(value)
    }
    gini = differences / count / sum
    // Rounding must not make it negative where all are equal.
    atkinson = max(0, 1 - (roots / count) * (roots / count) / mean)
    largest = values.max() ?? 0
    largestShare = Double(largest) / sum
  }
}

/// Spearman's rank correlation, with middle ranks for ties; nil if either side is constant.
public func spearmanCorrelation(_ x: [Double], _ y: [Double]) -> Double? {
  precondition(x.count == y.count)
  let (a, b) = (middleRanks(x), middleRanks(y))
  let mean = Double(x.count - 1) / 2
  var (covariance, mine, theirs) = (0.0, 0.0, 0.0)
  for (rank, other) in zip(a, b) {
    covariance += (rank - mean) * (other - mean)
    mine += (rank - mean) * (rank - mean)
    theirs += (other - mean) * (other - mean)
  }
  guard mine > 0, theirs > 0 else { return nil }
  return covariance / (mine * theirs).squareRoot()
}

private func middleRanks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  var first = 0
  while first < order.count {
    var end = first + 1
    while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
    for place in first..<end { ranks[order[place]] = Double(first + end - 1) / 2 }
    first = end
  }
  return ranks
}
