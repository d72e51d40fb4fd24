/// The sampler of denoising diffusion probabilistic models (Ho et al., 2020):
/// `x' = √ᾱ'β / (1 - ᾱ) · x0 + √(ᾱ / ᾱ')(1 - ᾱ') / (1 - ᾱ) · x + √V z` with `β = 1 - ᾱ / ᾱ'`.
public struct DDPM: Planner {
  /// Where V comes from.
  public enum Variance: Sendable, Hashable {
    /// β̃ = (1 - ᾱ') / (1 - ᾱ) · β, right for data that are a single point; `fixed_small` in diffusers.
    case small
    /// β, right for data of unit variance; `fixed_large` in diffusers.
    case large
    /// Between the two, as the network's second output says (Nichol and Dhariwal, 2021); `learned_range` in diffusers.
    case learnedRange
  }

  /// No variance is below this, as in the original code; its logarithm must exist.
  static let lowestVariance = 1e-20

  /// Where V comes from.
  public var variance: Variance
  /// Whether the step to clean data draws noise too. Images are left without; exact variances are met with.
  public var drawsFinalNoise: Bool

  /// A sampler with its variance.
  public init(variance: Variance = .small, drawsFinalNoise: Bool = false) {
    self.variance = variance
    self.drawsFinalNoise = drawsFinalNoise
  }

  /// The coefficients of every step.
  /// - Parameter grid: Variance-preserving levels.
  /// - Returns: One update for each step.
  /// - Throws: `DiffusionError` if the levels have no unit variance, or x0 does not follow from the prediction.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkVariancePreserving(for: "DDPM")
    return grid.plan(
      grid.diffusionSteps.map { step in
        var update = grid.update(from: step.level, to: step.next)
        (update.sample, update.x0) = step.posteriorMean
        guard drawsFinalNoise || !step.isLast else { return update }
        let small = max(step.posteriorVariance, Self.lowestVariance)
        let large = max(step.beta, Self.lowestVariance)
        switch variance {
        case .small: update.noise = small.squareRoot()
        case .large: update.noise = large.squareRoot()
        case .learnedRange:
          update.noise = 1
          update.variance = .learnedRange(logSmall: naturalLogarithm(small), logLarge: naturalLogarithm(large))
        }
        return update
      })
  }
}
