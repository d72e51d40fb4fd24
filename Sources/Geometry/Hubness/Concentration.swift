internal import Engine
internal import Foundation

/// What high dimension does to volumes and angles, in closed form.
public enum Concentration {
  /// The share of a cube that the ball inside it fills: `π^(d/2) / (2^d Γ(d/2 + 1))`. It goes to 0 in high
  /// dimension.
  public static func ballShare(dimension: Int) -> Double {
    precondition(dimension >= 1)
    let half = Double(dimension) / 2
    return exp(half * log(Double.pi) - Double(dimension) * log(2) - logGamma(half + 1))
  }

  /// The variance of the cosine between two random directions: `1 / d`.
  public static func cosineVariance(dimension: Int) -> Double { 1 / Double(dimension) }

  /// The probability that the cosine between two random directions is at most `cosine`:
  /// `(cos + 1) / 2 ~ Beta((d - 1) / 2, (d - 1) / 2)`.
  public static func cosineProbability(atMost cosine: Double, dimension: Int) -> Double {
    precondition(dimension >= 1)
    guard cosine > -1 else { return cosine == -1 && dimension == 1 ? 0.5 : 0 }
    guard cosine < 1 else { return 1 }
    guard dimension > 1 else { return 0.5 }
    return symmetricBeta(half: Double(dimension - 1) / 2, at: (cosine + 1) / 2)
  }
}

/// The angles between pairs of vectors, seen from their mean.
public struct PairAngles: Sendable, Hashable {
  /// Pairs that were looked at.
  public let pairs: Int
  /// The mean of their cosines.
  public let mean: Double
  /// The variance of their cosines. Random directions of dimension d have 1/d: its inverse is an effective dimension of
  /// the data.
  public let variance: Double
  /// The greatest distance between the share of cosines below a number and that of random directions
  /// (Kolmogorov and Smirnov's statistic).
  public let deviation: Double

  /// Looks at all pairs, or at some drawn by a seed; nil if fewer than two vectors have a direction.
  ///
  /// - Parameters:
  ///   - vectors: at least two; those at the mean itself have no direction and are left out.
  ///   - pairs: how many at most.
  ///   - seed: which.
  /// - Throws: `CancellationError`, or the source's error.
  public init?(of vectors: some VectorSource, pairs: Int = 100_000, seed: UInt64 = 0) async throws {
    let mean = try await vectors.mean()
    let distances = try await vectors.distances(from: mean)
    try await self.init(of: vectors, pairs: pairs, seed: seed, mean: mean, distances: distances)
  }

  /// The same with the mean and the distances from it given.
  package init?(
    of vectors: some VectorSource, pairs: Int = 100_000, seed: UInt64 = 0, mean: [Double], distances: [Double]
  ) async throws {
    let usable = distances.indices.filter { distances[$0] > 0 }
    guard usable.count > 1, pairs > 0 else { return nil }
    let drawn = Self.pairs(of: usable, atMost: pairs, seed: seed)
    let cosines = try await inParallel(drawn.count, blockSize: 2048) { block in
      try VectorReader.reading(vectors) { reader in
        try block.map { pair in
          let (i, j) = drawn[pair]
          var product = 0.0
          try reader.withVector(i) { x in
            try reader.withVector(j) { y in
              for (channel, middle) in mean.enumerated() {
                product += (Double(x[channel]) - middle) * (Double(y[channel]) - middle)
              }
            }
          }
          return product / (distances[i] * distances[j])
        }
      }
    }.flatMap { $0 }
    self.init(cosines, dimension: vectors.dimension)
  }

  /// All pairs where there are no more than `count`, else so many drawn.
  private static func pairs(of usable: [Int], atMost count: Int, seed: UInt64) -> [(Int, Int)] {
    if usable.count * (usable.count - 1) / 2 <= count {
      return usable.indices.flatMap { first in usable[(first + 1)...].map { (usable[first], $0) } }
    }
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in
      let first = Int(generator.next() % UInt64(usable.count))
      let second = Int(generator.next() % UInt64(usable.count - 1))
      return (usable[first], usable[second < first ? second : second + 1])
    }
  }

  private init(_ cosines: [Double], dimension: Int) {
    let count = Double(cosines.count)
    let average = cosines.reduce(0, +) / count
    pairs = cosines.count
    mean = average
    variance = cosines.reduce(0) { $0 + ($1 - average) * ($1 - average) } / count
    deviation = cosines.sorted().enumerated().reduce(0) { most, element in
      let probability = Concentration.cosineProbability(atMost: element.element, dimension: dimension)
      return max(
        most, abs(probability - Double(element.offset) / count), abs(probability - Double(element.offset + 1) / count))
    }
  }
}

/// The regularised incomplete beta function with both parameters alike, by Lentz's continued fraction.
private func symmetricBeta(half a: Double, at x: Double) -> Double {
  // The fraction converges quickly below the middle, and the function is symmetric about it.
  if x > 0.5 { return 1 - symmetricBeta(half: a, at: 1 - x) }
  let tiny = 1e-300
  var (c, d) = (1.0, 1 - 2 * a * x / (a + 1))
  d = 1 / (abs(d) < tiny ? tiny : d)
  var fraction = d
  for step in 1...100_000 {
    let m = Double(step)
    for term in [
      m * (a - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
      -(a + m) * (2 * a + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
    ] {
      d = 1 + term * d
      c = 1 + term / c
      d = 1 / (abs(d) < tiny ? tiny : d)
      c = abs(c) < tiny ? tiny : c
      fraction *= d * c
    }
    if abs(d * c - 1) < 1e-15 { break }
  }
  let front = exp(a * log(x) + a * log1p(-x) + logGamma(2 * a) - 2 * logGamma(a)) / a
  return front * fraction
}

/// ln Γ(x) for positive x.
private func logGamma(_ x: Double) -> Double { lgamma(x) }
