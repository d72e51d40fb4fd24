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
    /// Every so many of the 50 timesteps that latent consistency models are distilled for (Luo et al., 2023).
    case consistency
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

  /// Levels that follow σ instead of timesteps, as models' scheduler configurations describe them.
  public enum SigmaLevels: Sendable, Hashable {
    /// Between two σ.
    case range(SigmaRange)
    /// Evenly in ln σ, one σ more than there are timesteps: samples end at the schedule's lowest, and the network is told
    /// the timesteps that `spacing` chooses, whatever their σ are (`interpolation_type` log_linear in diffusers).
    case logLinear
    /// The discretised exploding process (Song et al., 2021): evenly in ln σ from the highest to the lowest, and from there
    /// to 0. The network is told σ of evenly spaced times from 1 to `end`.
    case explodingChain(end: Double)
  }

  /// Two ends, and how σ lie between them.
  public struct SigmaRange: Sendable, Hashable {
    /// How σ are spaced.
    public var spacing: SigmaSpacing
    /// σmin; if nil that of the schedule, with samplers in σ that of the last timestep that `SamplingMethod.spacing` chooses.
    public var lowest: Double?
    /// σmax; if nil that of the schedule, with samplers in σ that of the first timestep.
    public var highest: Double?
    /// Whether a last step that does not lead to clean data ends at this range's lowest σ, not at the schedule's.
    public var endsAtLowest: Bool
    /// Whether a solver that goes by whole timesteps is told those below Karras' σ, not the nearest; diffusers' DPM-Solver
    /// with the squared cosine.
    public var cutsTimes = false

    /// A range.
    public init(_ spacing: SigmaSpacing, lowest: Double? = nil, highest: Double? = nil, endsAtLowest: Bool = false) {
      self.spacing = spacing
      self.lowest = lowest
      self.highest = highest
      self.endsAtLowest = endsAtLowest
    }
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
  /// Levels that follow σ, between the ends of what `spacing` chooses; the timesteps' own levels if nil.
  public var sigmaLevels: SigmaLevels?
  /// How many of the schedule's timesteps are visited, counted from the data: noisier ones are left out. All if nil.
  public var usedTimesteps: Int?
  /// Whether the network is told ¼ ln σ instead of the timestep.
  public var tellsLogSigma = false
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
  /// The sampler's solver with options of its own, such as `UniPC(order: 2, variant: .bh1)`; with its usual ones if nil.
  public var solver: (any Planner)? {
    get { givenSolver?.planner }
    set { givenSolver = newValue.map(GivenSolver.init) }
  }
  private var givenSolver: GivenSolver?

  /// A sampler with its usual options.
  public init(_ name: SamplerName, steps: Int) {
    self.name = name
    self.steps = steps
  }

  /// Whether the plan needs `gamma`.
  public var needsGamma: Bool {
    name.traits.isAnalytic || name.traits.variances.contains(.analytic) && variance == .analytic
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

  /// The planner with its options, for the whole grid.
  private func planner(for grid: TimeGrid) throws(DiffusionError) -> any Planner {
    try checkOptions()
    try checkOptions(on: grid)
    let usual = try name.makePlanner(self, grid)
    guard let solver else { return usual }
    try require(
      type(of: solver) == type(of: usual),
      "'\(name.rawValue)' is solved by \(type(of: usual)), not \(type(of: solver)).")
    return solver
  }

  /// η, or the sampler's usual one.
  var usedEta: Double { eta ?? name.traits.eta ?? 0 }

  /// The schedule of timesteps, or the usual one.
  func usedTimestepSchedule() throws(DiffusionError) -> NoiseSchedule {
    guard case .discrete(let schedule) = schedule else { return try .linear() }
    return schedule
  }

  /// What a network is told at levels between those of the grid, in the terms that it is told the grid's own in.
  func toldTime() throws(DiffusionError) -> SigmaTime {
    if tellsLogSigma { return .quarterLogarithm }
    guard case .continuous(let schedule) = schedule else { return .interpolated(try usedTimestepSchedule()) }
    // Networks of the exploding chain are told σ.
    if case .explodingChain = sigmaLevels { return .sigma }
    return .continuous(schedule)
  }

  /// The schedule of a stochastic differential equation, or the usual one.
  var usedContinuousSchedule: ContinuousSchedule {
    guard case .continuous(let schedule) = schedule else { return .variancePreserving() }
    return schedule
  }
}

/// A solver as part of a hashable value.
private struct GivenSolver: Sendable, Hashable {
  let planner: any Planner

  static func == (one: Self, other: Self) -> Bool { AnyHashable(one.planner) == AnyHashable(other.planner) }
  func hash(into hasher: inout Hasher) { planner.hash(into: &hasher) }
}

extension SamplingMethod {
  /// The kind of the schedule that is stepped through: the sampler's usual one if none is given.
  var scheduleKind: SamplerTraits.ScheduleKind {
    switch schedule {
    case .discrete: .timesteps
    case .continuous: .continuous
    case nil: name.traits.schedules[0]
    }
  }

  /// Refuses options that contradict each other or would do nothing.
  func checkOptions() throws(DiffusionError) {
    try checkSchedule()
    try checkLevels()
    let traits = name.traits
    try require(eta == nil || traits.eta != nil, doesNothing("η", to: Self.names { $0.eta != nil }))
    if let eta { try require((0...1).contains(eta), "η is \(eta): it must lie between 0, deterministic, and 1.") }
    if let variance {
      try require(
        traits.variances.contains(variance),
        doesNothing("variance '\(variance.rawValue)'", to: Self.names { $0.variances.contains(variance) }))
    }
    try require(
      clipping == .none || traits.clipping != .none,
      "'\(name.rawValue)' works on ε, which limiting x0 does not change: leave the limit out.")
    let drawsLast: Bool =
      switch traits.finalNoise {
      case .never: false
      case .always: true
      case .withOptimalVariance: variance == .analytic
      }
    try require(
      drawsLast || !drawsFinalNoise,
      "'\(name.rawValue)' draws no noise on its last step\(traits.finalNoise == .never ? "" : " here"): "
        + "final noise is for DDPM and the optimal variances.")
    try require(
      solver == nil || eta == nil && variance == nil && !drawsFinalNoise,
      "A solver of its own has its own options: leave out η, the variance and final noise.")
    try require(shift == 1 || scheduleKind == .flow, doesNothing("a shift", to: Self.names { $0.schedules == [.flow] }))
    try require(
      gamma == nil || needsGamma, "Γ is for the optimal variance, which '\(name.rawValue)' does not use here.")
    try require(
      varianceCap == nil || needsGamma,
      "A cap of the noise is for the optimal variance, which '\(name.rawValue)' does not use here.")
  }

  /// Refuses what a grid leaves without effect.
  func checkOptions(on grid: TimeGrid) throws(DiffusionError) {
    guard drawsFinalNoise, let last = grid.levels.last else { return }
    try require(
      last.sigma == 0, "Final noise is for a last step to clean data; this one ends at noise and draws some anyway.")
  }

  private func checkSchedule() throws(DiffusionError) {
    let kinds = name.traits.schedules
    guard schedule != nil, !kinds.contains(scheduleKind) else { return }
    let problem =
      switch kinds[0] {
      case .timesteps: "is made for schedules of timesteps, such as linear."
      case .continuous: "solves a differential equation: it needs a schedule vp, ve or subvp."
      case .flow: "does flow matching, which has its own schedule, α = 1 - σ; only a shift changes it."
      }
    throw DiffusionError(.invalidOption, "'\(name.rawValue)' \(problem)")
  }

  private func checkLevels() throws(DiffusionError) {
    try require(timesteps == nil || sigmas == nil, "Give timesteps or sigmas, not both.")
    try require(
      (timesteps == nil && sigmas == nil) || spacing == nil,
      "A list of timesteps or sigmas leaves no spacing to choose.")
    try checkSigmaLevels()
    switch scheduleKind {
    case .timesteps:
      try require(
        spacing != .lambda, "Spacing 'lambda' is for continuous schedules; 'exponential' is its like here.")
      try require(
        final != .firstTimestep || name.traits.takesFinalLevel,
        "'\(name.rawValue)' ends at the predicted data: a final ᾱ would do nothing.")
      return
    case .continuous:
      try require(sigmas == nil, "A continuous schedule takes times in 0 … 1, not sigmas.")
      if let spacing {
        try require(
          scheduleKind.spacings.contains(spacing),
          "A continuous schedule has the spacings 'linspace', in t, and 'lambda'.")
      }
    case .flow:
      try require(
        timesteps == nil && spacing == nil, "Flow matching takes sigmas in 0 … 1, not timesteps or spacings.")
    }
    try require(final == nil, "A final ᾱ is for schedules of timesteps; this one has its own end.")
  }

  private func checkSigmaLevels() throws(DiffusionError) {
    try require(
      scheduleKind == .timesteps || usedTimesteps == nil && !tellsLogSigma,
      "Only schedules of timesteps leave some out, or tell ¼ ln σ instead of them.")
    try require(
      timesteps == nil && sigmas == nil || usedTimesteps == nil && sigmaLevels == nil,
      "A list of timesteps or sigmas leaves no others to choose from.")
    guard let sigmaLevels else { return }
    switch sigmaLevels {
    case .range:
      try require(
        scheduleKind == .timesteps && spacing != .karras && spacing != .exponential,
        "A range of σ is for schedules of timesteps, and in place of the spacings 'karras' and 'exponential'.")
    case .logLinear:
      try require(
        scheduleKind == .timesteps && name.family == .sigma,
        "σ that do not belong to their timesteps are for samplers in σ.")
    case .explodingChain:
      guard case .continuous(.varianceExploding) = schedule, spacing == nil else {
        throw DiffusionError(.invalidOption, "The exploding chain is the schedule ve's, and has one spacing.")
      }
    }
  }

  private func doesNothing(_ option: String, to takers: String) -> String {
    "'\(name.rawValue)' has no \(option): it is for \(takers)."
  }

  /// The samplers with a trait, for messages.
  private static func names(_ isTaker: (SamplerTraits) -> Bool) -> String {
    SamplerName.allCases.filter { isTaker($0.traits) }.map(\.rawValue).joined(separator: ", ")
  }
}
