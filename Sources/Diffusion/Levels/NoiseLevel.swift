internal import Foundation

/// How noisy a sample is: `x = alpha · x0 + sigma · ε`, with `ε` standard normal.
public struct NoiseLevel: Sendable, Hashable {
  /// What a network is told: its timestep, which may be fractional.
  public var time: Double
  /// The factor on the data, √ᾱ in the variance-preserving form; 1 in the exploding form.
  public var alpha: Double
  /// The noise's standard deviation.
  public var sigma: Double

  /// A level by its two factors.
  public init(time: Double, alpha: Double, sigma: Double) {
    self.time = time
    self.alpha = alpha
    self.sigma = sigma
  }

  /// The variance-preserving level with ᾱ = `alphaBar`.
  public init(time: Double, alphaBar: Double) {
    self.init(time: time, alpha: alphaBar.squareRoot(), sigma: (1 - alphaBar).squareRoot())
  }

  /// ᾱ of the level brought to unit variance: α² / (α² + σ²).
  public var alphaBar: Double { alpha * alpha / (alpha * alpha + sigma * sigma) }

  /// λ = ln(α / σ), half the logarithm of the signal-to-noise ratio; infinite for clean data.
  public var lambda: Double { log(alpha / sigma) }

  /// The factor that brings a sample at this level to unit variance, for unit-variance data: what networks trained
  /// with variance-preserving noise expect.
  public var unitScale: Double { 1 / (alpha * alpha + sigma * sigma).squareRoot() }

  /// The same level with α = 1: σ becomes σ / α.
  public var exploding: NoiseLevel { NoiseLevel(time: time, alpha: 1, sigma: sigma / alpha) }
}

/// What a network's output means.
public enum Prediction: String, Sendable, Hashable, CaseIterable {
  /// The noise ε.
  case epsilon
  /// The clean sample x0.
  case sample
  /// v = α ε - σ x0 at unit variance (Salimans and Ho, 2022).
  case vPrediction = "v_prediction"
  /// The flow's velocity ε - x0, where α = 1 - σ (Lipman et al., 2023).
  case flow
  /// The score, the gradient of the samples' log-density: -ε / σ (Song et al., 2021).
  case score

  /// `x0 = x0FromSample · x + x0FromOutput · o` and `ε = epsilonFromSample · x + epsilonFromOutput · o`.
  public struct Conversion: Sendable, Hashable {
    /// p
    public var x0FromSample: Double
    /// q
    public var x0FromOutput: Double
    /// The sample's part of ε.
    public var epsilonFromSample: Double
    /// The output's part of ε.
    public var epsilonFromOutput: Double
  }

  /// How x0 and ε follow from a sample at `level` and the network's output there.
  ///
  /// Levels that do not have unit variance are those of a network that sees `unitScale · x`.
  public func conversion(at level: NoiseLevel) -> Conversion {
    let (alpha, sigma) = (level.alpha, level.sigma)
    switch self {
    case .epsilon:
      return Conversion(
        x0FromSample: 1 / alpha, x0FromOutput: -sigma / alpha, epsilonFromSample: 0, epsilonFromOutput: 1)
    case .sample:
      return Conversion(
        x0FromSample: 0, x0FromOutput: 1, epsilonFromSample: 1 / sigma, epsilonFromOutput: -alpha / sigma)
    case .vPrediction:
      let scale = level.unitScale
      return Conversion(
        x0FromSample: alpha * scale * scale, x0FromOutput: -sigma * scale,
        epsilonFromSample: sigma * scale * scale, epsilonFromOutput: alpha * scale)
    case .flow:
      return Conversion(
        x0FromSample: 1, x0FromOutput: -sigma, epsilonFromSample: 1, epsilonFromOutput: alpha)
    case .score:
      return Conversion(
        x0FromSample: 1 / alpha, x0FromOutput: sigma * sigma / alpha, epsilonFromSample: 0, epsilonFromOutput: -sigma)
    }
  }
}
