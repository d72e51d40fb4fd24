internal import Foundation

/// How unevenly neighbourhoods are spread over the vectors, by the measures in use (Feldbauer and Flexer, 2019).
public struct HubnessMeasures: Sendable, Hashable {
  /// The biased third standardised moment of `N_k`; 0 if all are equal.
  public let skewness: Double
  /// Half the sum of `|N - mean|` over the sum of N: the share of neighbourhoods that would have to move.
  public let robinHood: Double
  /// The share of vectors that are nobody's neighbours.
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
