internal import ModelFiles

/// The sampler of denoising diffusion implicit models (Song et al., 2021):
/// `x' = √ᾱ' x0 + √(1 - ᾱ' - V) ε + √V z` with `V = η² β̃`. With η = 0 nothing is random; with η = 1 it is DDPM.
/// The step to clean data has no noise to draw: β̃ is 0 there.
///
/// Without noise it only needs levels, not their unit variance: on a flow's or an exploding grid it is Euler's method.
public struct DDIM: Planner {
  /// η, the share of DDPM's standard deviation, in 0 … 1.
  public var eta: Double
  /// Whether ε is computed anew from x and the clipped x0; `use_clipped_model_output` in diffusers.
  public var rederivesEpsilon: Bool

  /// A sampler with its share of noise.
  public init(eta: Double = 0, rederivesEpsilon: Bool = false) {
    self.eta = eta
    self.rederivesEpsilon = rederivesEpsilon
  }

  /// The coefficients of every step.
  /// - Parameter grid: Variance-preserving levels, or any if η is 0.
  /// - Returns: One update for each step.
  /// - Throws: `DiffusionError` if η is out of range or the levels or the prediction do not suit it.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require(eta >= 0 && eta <= 1, "η is \(eta): it must lie between 0, no noise, and 1, DDPM's noise.")
    if eta > 0 {
      try grid.checkVariancePreserving(for: "DDIM with noise")
    } else {
      try grid.checkLevels()
    }
    return grid.plan(
      grid.diffusionSteps.map { step in
        let variance = eta > 0 ? eta * eta * step.posteriorVariance : 0
        var update = grid.update(from: step.level, to: step.next)
        update.x0 = step.next.alpha
        update.epsilon = step.direction(variance: variance)
        update.noise = variance.squareRoot()
        if rederivesEpsilon { update.rederiveEpsilon() }
        return update
      })
  }
}

extension PlannedUpdate {
  /// Replaces ε by `(x - α x0) / σ`, which differs from it if x0 was clipped.
  mutating func rederiveEpsilon() {
    sample += epsilon / level.sigma
    x0 -= epsilon * level.alpha / level.sigma
    epsilon = 0
  }
}

extension SamplerName {
  /// Song, Meng and Ermon, 2020.
  public static let ddim = SamplerName(
    "ddim", Description("deterministic; with --eta between that and DDPM (Song et al., 2020)", order: 1),
    family: .discrete,
    traits: SamplerTraits(
      .timesteps, .continuous, eta: 0, variances: [.analytic], clipping: .usual, finalNoise: .withOptimalVariance,
      keepsFinalLevel: true, startsWithoutSignal: true)
  ) { method, _ throws(DiffusionError) in
    if method.variance == .analytic { return try AnalyticDPM(.ddim(eta: method.usedEta), gammaOf: method) }
    return DDIM(eta: method.usedEta)
  }
}

extension SamplingMethod {
  /// Song, Meng and Ermon, 2020.
  public static func ddim(steps: Int, eta: Double = 0) -> SamplingMethod {
    var method = SamplingMethod(.ddim, steps: steps)
    method.eta = eta
    return method
  }
}

/// DDIM as diffusers configures it.
struct DDIMScheduler: SchedulerClass {
  static let name = "DDIMScheduler"
  static let traits = SchedulerTraits(
    spacing: .leading, clipping: .fixedOrDynamic, end: .setAlphaToOne(usual: true))

  init(_ fields: JSONFields) {}

  func method(steps: Int) -> SamplingMethod { SamplingMethod(.ddim, steps: steps) }
}
