/// The numbers that discrete samplers with noise share, for one step between two variance-preserving levels.
struct DiffusionStep {
  let level: NoiseLevel
  let next: NoiseLevel
  /// β = 1 - ᾱ / ᾱ', the noise that the step takes away.
  let beta: Double
  /// β̃ = (1 - ᾱ') / (1 - ᾱ) · β, the variance of x' given x and x0.
  let posteriorVariance: Double

  init(_ level: NoiseLevel, _ next: NoiseLevel) {
    self.level = level
    self.next = next
    let ratio = level.alpha / next.alpha
    beta = max(1 - ratio * ratio, 0)
    posteriorVariance = next.sigma * next.sigma / (level.sigma * level.sigma) * beta
  }

  /// Whether the step ends at clean data, where samplers usually draw no noise.
  var isLast: Bool { next.sigma == 0 }

  /// The factors on x and x0 of the mean of x' given both (Ho et al., 2020, equation 7).
  var posteriorMean: (sample: Double, x0: Double) {
    let variance = level.sigma * level.sigma
    return (
      level.alpha / next.alpha * next.sigma * next.sigma / variance, next.alpha * beta / variance
    )
  }

  /// The factor on ε beside `α' x0` that leaves room for noise of a variance (Song et al., 2021, equation 12).
  func direction(variance: Double) -> Double { max(next.sigma * next.sigma - variance, 0).squareRoot() }
}

extension TimeGrid {
  /// Each step's levels, with what discrete samplers need to know of them.
  var diffusionSteps: [DiffusionStep] { zip(levels, levels.dropFirst()).map { DiffusionStep($0, $1) } }

  /// A plan of one update for each step, which all work in place.
  func plan(_ updates: [PlannedUpdate]) -> SamplingPlan {
    SamplingPlan(updates.map { .update($0) }, start: levels[0], initialScale: initialScale)
  }
}
