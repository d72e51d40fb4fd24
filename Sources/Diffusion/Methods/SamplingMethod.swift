/// A sampler with its options: what a plan is made from.
public struct SamplingMethod: Sendable, Hashable {
  /// The noise that the model was trained with.
  public enum Schedule: Sendable, Hashable {
    /// A list of noise levels.
    case discrete(NoiseSchedule)
    /// A function of time.
    case continuous(ContinuousSchedule)
  }

  /// Which of the schedule's levels are visited.
  public enum Spacing: String, Sendable, Hashable, CaseIterable {
    /// Evenly from the schedule's end to its beginning.
    case linspace
    /// `round(1 + k (N - 1) / (S - 1))`, counted from 1 (Bao et al., 2022); differs from `linspace` where halves round.
    case trajectory
    /// Every so many timesteps, counted from 0.
    case leading
    /// Every so many timesteps, counted from the end.
    case trailing
    /// σ as Karras et al. (2022) space them.
    case karras
    /// Evenly in ln σ.
    case exponential
    /// Evenly in λ = ln(α / σ); for continuous schedules.
    case lambda
  }

  /// The size of the noise that DDPM's steps draw.
  public enum Variance: String, Sendable, Hashable, CaseIterable {
    /// β̃, the variance of the posterior given x0.
    case small
    /// β.
    case large
    /// The optimal one (Analytic-DPM); needs `gamma`.
    case analytic
    /// Between the two, from the network's second head.
    case learned
  }

  /// The sampler.
  public var name: SamplerName
  /// Steps from noise to data.
  public var steps: Int
  /// The noise the model was trained with; linear, 1e-4 to 0.02 over 1000 timesteps, or the sampler's own, if nil.
  public var schedule: Schedule?
  /// Which levels are visited; the sampler's usual ones if nil.
  public var spacing: Spacing?
  /// The timesteps to visit, from noise to data, instead of `steps` and `spacing`.
  public var timesteps: [Double]?
  /// The σ to visit, from noise to data, instead of `steps` and `spacing`.
  public var sigmas: [Double]?
  /// What leading spacing adds to every timestep, `steps_offset` in diffusers.
  public var timestepsOffset = 0
  /// DDIM's η, 0 … 1; euler-ancestral's too. The sampler's usual one if nil.
  public var eta: Double?
  /// The noise that DDPM's steps draw; the sampler's usual one if nil.
  public var variance: Variance?
  /// Γ for the optimal variance.
  public var gamma: GammaTable?
  /// The most that the optimal variance may be on the step before the last, where its noise is seen; see
  /// `AnalyticDPM.pixelCap(levels:)`.
  public var varianceCap: Double?
  /// What is done to x0.
  public var clipping = Clipping.none
  /// Whether DDPM's last step, to clean data, draws noise too.
  public var drawsFinalNoise = false
  /// Where the last step of a schedule of timesteps leads: to clean data if nil.
  public var final: FinalLevel?
  /// The shift of a flow's σ.
  public var shift = 1.0
  /// The part of the way that is gone, from the data's end; below 1 to start from an image.
  public var strength = 1.0

  /// A sampler with its usual options.
  public init(_ name: SamplerName, steps: Int) {
    self.name = name
    self.steps = steps
  }

  /// Ho, Jain and Abbeel, 2020.
  public static func ddpm(steps: Int, variance: Variance = .small) -> SamplingMethod {
    var method = SamplingMethod(.ddpm, steps: steps)
    method.variance = variance
    return method
  }

  /// Song, Meng and Ermon, 2020.
  public static func ddim(steps: Int, eta: Double = 0) -> SamplingMethod {
    var method = SamplingMethod(.ddim, steps: steps)
    method.eta = eta
    return method
  }

  /// DPM-Solver++ 2M (Lu et al., 2022).
  public static func dpmSolver(steps: Int) -> SamplingMethod { SamplingMethod(.dpmSolver2M, steps: steps) }

  /// UniPC of order 2 (Zhao et al., 2023).
  public static func unipc(steps: Int) -> SamplingMethod { SamplingMethod(.unipc2, steps: steps) }

  /// Whether the plan needs `gamma`.
  public var needsGamma: Bool {
    name == .analyticDDPM || name == .analyticDDIM || ((name == .ddpm || name == .ddim) && variance == .analytic)
  }

  /// Whether the noise's variance comes from a network's second output.
  public var needsSecondHead: Bool { name.traits.needsSecondHead || variance == .learned }

  /// The coefficients of every step.
  ///
  /// - Parameter prediction: what the denoiser predicts.
  /// - Returns: the plan.
  /// - Throws: `DiffusionError` if an option makes no sense, or not with the others.
  public func plan(prediction: Prediction) throws(DiffusionError) -> SamplingPlan {
    let grid = try grid(prediction: prediction)
    let plan = try planner(for: grid).plan(strength == 1 ? grid : grid.suffix(strength: strength))
    try plan.checkRange()
    return plan
  }
}
