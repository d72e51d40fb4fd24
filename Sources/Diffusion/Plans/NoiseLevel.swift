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
