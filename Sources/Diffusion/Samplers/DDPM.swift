internal import ModelFiles

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

extension SamplerName {
  /// Ho, Jain and Abbeel, 2020.
  public static let ddpm = SamplerName(
    "ddpm", Description("ancestral sampling of the trained chain (Ho et al., 2020)", order: nil), family: .discrete,
    traits: SamplerTraits(
      .timesteps, .continuous, variances: [.small, .large, .analytic, .learned], clipping: .usual,
      finalNoise: .always, startsWithoutSignal: true)
  ) { method, _ throws(DiffusionError) in
    switch method.variance ?? .small {
    case .analytic: return try AnalyticDPM(.ddpm, gammaOf: method)
    case .small: return DDPM(variance: .small, drawsFinalNoise: method.drawsFinalNoise)
    case .large: return DDPM(variance: .large, drawsFinalNoise: method.drawsFinalNoise)
    case .learned: return DDPM(variance: .learnedRange, drawsFinalNoise: method.drawsFinalNoise)
    }
  }
}

extension SamplingMethod {
  /// Ho, Jain and Abbeel, 2020.
  public static func ddpm(steps: Int, variance: Variance = .small) -> SamplingMethod {
    var method = SamplingMethod(.ddpm, steps: steps)
    method.variance = variance
    return method
  }
}

/// DDPM as diffusers configures it.
struct DDPMScheduler: SchedulerClass {
  static let name = "DDPMScheduler"
  static let traits = SchedulerTraits(spacing: .leading, clipping: .fixedOrDynamic, end: .clean)

  private let variance: SamplingMethod.Variance

  init(_ fields: JSONFields) throws(ModelFileError) {
    // The logarithm's root is the deviation, which is the same number.
    variance =
      try fields.choice(
        "variance_type",
        of: [
          ("fixed_small", .small), ("fixed_small_log", .small), ("fixed_large", .large), ("learned_range", .learned),
        ]) ?? .small
  }

  func method(steps: Int) -> SamplingMethod { .ddpm(steps: steps, variance: variance) }

  /// Noise is drawn unless the timestep is 0, also in the step to clean data.
  func complete(_ method: inout SamplingMethod, prediction: Prediction) throws(DiffusionError) {
    let grid = try method.grid(prediction: prediction)
    if grid.levels[grid.steps - 1].time > 0, grid.levels[grid.steps].sigma == 0 { method.drawsFinalNoise = true }
  }
}

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
