internal import Foundation

/// The noise of a model trained in continuous time: the stochastic differential equation `dx = f(t) x dt + g(t) dw` for
/// t in 0 … 1 (Song et al., 2021).
public enum ContinuousSchedule: Sendable, Hashable {
  /// β(t) rises linearly; x keeps unit variance.
  case variancePreserving(betaMin: Double = 0.1, betaMax: Double = 20)
  /// σ(t) rises geometrically; the data keep their size.
  case varianceExploding(sigmaMin: Double = 0.01, sigmaMax: Double = 50)
  /// The same drift as variance preserving, with less noise: σ = 1 - exp(-∫β), no root.
  case subVariancePreserving(betaMin: Double = 0.1, betaMax: Double = 20)

  /// β(t); 0 for the exploding form, which has no drift.
  public func beta(at time: Double) -> Double {
    switch self {
    case .variancePreserving(let low, let high), .subVariancePreserving(let low, let high):
      low + time * (high - low)
    case .varianceExploding: 0
    }
  }

  /// ∫β from 0 to t.
  public func integratedBeta(at time: Double) -> Double {
    switch self {
    case .variancePreserving(let low, let high), .subVariancePreserving(let low, let high):
      time * (low + time * (high - low) / 2)
    case .varianceExploding: 0
    }
  }

  /// The marginal at a time: `x = α x0 + σ ε`.
  public func level(at time: Double) -> NoiseLevel {
    let integral = integratedBeta(at: time)
    let alpha = exp(-integral / 2)
    switch self {
    // expm1 keeps the digits of 1 - exp(-∫β) at small times.
    case .variancePreserving: return NoiseLevel(time: time, alpha: alpha, sigma: (-expm1(-integral)).squareRoot())
    case .subVariancePreserving: return NoiseLevel(time: time, alpha: alpha, sigma: -expm1(-integral))
    case .varianceExploding(let low, let high):
      return NoiseLevel(time: time, alpha: 1, sigma: low * pow(high / low, time))
    }
  }

  /// f(t), the drift's factor on x: -β / 2, or 0 for the exploding form.
  public func drift(at time: Double) -> Double { -beta(at: time) / 2 }

  /// g(t)², the noise that dt adds.
  public func diffusionSquared(at time: Double) -> Double {
    switch self {
    case .variancePreserving: beta(at: time)
    case .subVariancePreserving: beta(at: time) * -expm1(-2 * integratedBeta(at: time))
    case .varianceExploding(let low, let high):
      level(at: time).sigma * level(at: time).sigma * 2 * log(high / low)
    }
  }

  /// The time at which a level has this λ = ln(α / σ): the inverse of `level(at:).lambda`, in closed form.
  public func time(atLambda lambda: Double) -> Double {
    let ratio = exp(-lambda)
    switch self {
    case .variancePreserving(let low, let high):
      // σ²/α² = exp(∫β) - 1
      return Self.time(ofIntegral: log1p(ratio * ratio), low, high)
    case .subVariancePreserving(let low, let high):
      // σ/α = (1 - exp(-∫β)) / exp(-∫β/2) = 2 sinh(∫β/2)
      return Self.time(ofIntegral: 2 * asinh(ratio / 2), low, high)
    case .varianceExploding(let low, let high):
      return (-lambda - log(low)) / log(high / low)
    }
  }

  /// Standard deviation of the noise that sampling starts from: 1, or σmax.
  public var initialScale: Double {
    switch self {
    case .variancePreserving, .subVariancePreserving: 1
    case .varianceExploding(_, let sigmaMax): sigmaMax
    }
  }

  /// The root of `(high - low) / 2 · t² + low · t = integral`, in the form that keeps its digits when t is small.
  private static func time(ofIntegral integral: Double, _ low: Double, _ high: Double) -> Double {
    2 * integral / (low + (low * low + 2 * (high - low) * integral).squareRoot())
  }

  /// Checks the schedule's numbers.
  /// - Throws: `DiffusionError` unless they are positive (βmin may be 0), in order and no larger than float32 can work with.
  public func check() throws(DiffusionError) {
    switch self {
    case .variancePreserving(let low, let high), .subVariancePreserving(let low, let high):
      try require(
        low >= 0 && low <= high && high > 0 && high <= largestNumber,
        "β from \(low) to \(high): both must be at least 0 and at most \(largestNumber), and the second the larger.")
    case .varianceExploding(let low, let high):
      try require(
        low > 0 && low < high && high <= largestNumber,
        "σ from \(low) to \(high): both must be above 0 and at most \(largestNumber), and the second the larger.")
    }
  }
}
