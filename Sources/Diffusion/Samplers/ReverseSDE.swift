internal import ModelFiles

/// Samplers of the reverse-time stochastic differential equation, with or without Langevin corrector steps before each
/// predictor step (Song et al., 2021, "Score-based generative modeling through SDEs"). The score is `s = -ε / σ`.
///
/// They use ε alone: a grid's clipping of x0 does nothing, except to `Finish.denoised`.
public struct ReverseSDE: Planner {
  /// The predictor.
  public enum Method: Sendable, Hashable {
    /// `x' = x - (f x - g² s) Δt + g √Δt z`, with f and g² of this schedule at the step's first time.
    case eulerMaruyama(ContinuousSchedule)
    /// With the exact forward step `x = r x' + G z`, r = α / α' and G² = σ² - r² σ'²: `x' = (2 - r) x + G² s + G z`.
    /// Variance preserving that is, with β = 1 - ᾱ / ᾱ', `(2 - √(1 - β)) x + β s + √β z`; exploding, with Δ = σ² - σ'²,
    /// `x + Δ s + √Δ z`. Song et al. take Euler's forward step for the sub-variance-preserving process, which is that of
    /// `eulerMaruyama`; it tends to the same.
    case reverseDiffusion
    /// Variance preserving: `x' = (x + β s) / √(1 - β) + √β z`. Exploding: `x' = x + Δ s + √(σ'² Δ / σ²) z`. Song et al.
    /// derive it from these two chains (their appendix F); the sub-variance-preserving process has none.
    case ancestral
  }

  /// What becomes of the last step's noise.
  public enum Finish: Sendable, Hashable {
    /// It is drawn.
    case noise
    /// It is left out: `denoise` in Song's code.
    case mean
    /// It is drawn, and one more evaluation takes the prediction of x0.
    case denoised
  }

  /// Langevin steps before each predictor step.
  public struct Corrector: Sendable, Hashable {
    /// How many.
    public var steps: Int
    /// The signal-to-noise ratio that sets their size.
    public var signalToNoise: Double

    /// A corrector; Song et al. use one step and 0.16.
    public init(steps: Int = 1, signalToNoise: Double = 0.16) {
      self.steps = steps
      self.signalToNoise = signalToNoise
    }
  }

  /// The predictor.
  public var method: Method
  /// Langevin steps before each predictor step, if any.
  public var corrector: Corrector?
  /// What becomes of the last step's noise.
  public var finish: Finish

  /// A sampler from its parts.
  public init(_ method: Method, corrector: Corrector? = nil, finish: Finish = .mean) {
    self.method = method
    self.corrector = corrector
    self.finish = finish
  }

  /// The coefficients of every step.
  /// - Parameter grid: Levels of the schedule, for Euler–Maruyama; for ancestral sampling variance-preserving or exploding
  ///   ones; any for reverse diffusion.
  /// - Returns: For each step the corrector's steps and one update.
  /// - Throws: `DiffusionError` if an option, the levels or the prediction do not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkLevels()
    if let corrector {
      try require(
        corrector.steps >= 1 && corrector.signalToNoise > 0 && corrector.signalToNoise < .infinity,
        "\(corrector.steps) corrector steps with a signal-to-noise ratio of \(corrector.signalToNoise): "
          + "both must be above 0.")
    }
    var instructions: [SamplingPlan.Instruction] = []
    for (index, update) in try updates(grid).enumerated() {
      if let corrector {
        let ratio = update.level.alpha / update.next.alpha
        var step = PlannedLangevin(
          at: update.level, prediction: grid.prediction, signalToNoise: corrector.signalToNoise,
          // α of the discretised schedule, 1 - β; 1 in the exploding form.
          factor: ratio * ratio)
        step.inputScale = update.inputScale
        instructions += repeatElement(.langevin(step), count: corrector.steps)
      }
      var update = update
      if finish == .mean && index == grid.steps - 1 { update.noise = 0 }
      instructions.append(.update(update))
    }
    if finish == .denoised { instructions.append(.update(try denoising(grid))) }
    return SamplingPlan(instructions, start: grid.levels[0], initialScale: grid.initialScale)
  }

  private func updates(_ grid: TimeGrid) throws(DiffusionError) -> [PlannedUpdate] {
    switch method {
    case .eulerMaruyama(let schedule):
      let times = try schedule.times(of: grid)
      return (0..<grid.steps).map { index in
        var update = grid.update(from: grid.levels[index], to: grid.levels[index + 1])
        let duration = times[index] - times[index + 1]
        let diffusion = schedule.diffusionSquared(at: times[index]) * duration
        update.sample = 1 - schedule.drift(at: times[index]) * duration
        update.epsilon = -diffusion / update.level.sigma
        update.noise = diffusion.squareRoot()
        return update
      }
    case .reverseDiffusion, .ancestral:
      if grid.levels.allSatisfy({ $0.alpha == 1 }) { return grid.diffusionSteps.map { exploding($0, grid) } }
      if method == .reverseDiffusion, !grid.isVariancePreserving {
        return grid.diffusionSteps.map { general($0, grid) }
      }
      try require(
        grid.isVariancePreserving,
        "Ancestral sampling is derived from variance-preserving and exploding chains; these levels are of neither, as "
          + "those of subvp: use reverse diffusion.")
      try grid.checkVariancePreserving(for: "A discretised SDE that is not exploding")
      try require(
        method == .reverseDiffusion || grid.levels[0].alpha > 0,
        "The first level has no signal, by whose share the ancestral sampler divides: use reverse diffusion.")
      return grid.diffusionSteps.map { preserving($0, grid) }
    }
  }

  private func preserving(_ step: DiffusionStep, _ grid: TimeGrid) -> PlannedUpdate {
    var update = grid.update(from: step.level, to: step.next)
    // √(1 - β)
    let root = step.level.alpha / step.next.alpha
    let scale = method == .ancestral ? 1 / root : 1
    update.sample = method == .ancestral ? scale : 2 - root
    update.epsilon = -step.beta / step.level.sigma * scale
    update.noise = step.beta.squareRoot()
    return update
  }

  private func general(_ step: DiffusionStep, _ grid: TimeGrid) -> PlannedUpdate {
    var update = grid.update(from: step.level, to: step.next)
    let root = step.level.alpha / step.next.alpha
    let (sigma, kept) = (step.level.sigma, root * step.next.sigma)
    let variance = max((sigma - kept) * (sigma + kept), 0)
    update.sample = 2 - root
    update.epsilon = -variance / sigma
    update.noise = variance.squareRoot()
    return update
  }

  private func exploding(_ step: DiffusionStep, _ grid: TimeGrid) -> PlannedUpdate {
    var update = grid.update(from: step.level, to: step.next)
    let (sigma, next) = (step.level.sigma, step.next.sigma)
    // σ² - σ'² as a product, which loses nothing when they are close.
    let difference = (sigma - next) * (sigma + next)
    update.sample = 1
    update.epsilon = -difference / sigma
    update.noise = difference.squareRoot() * (method == .ancestral ? next / sigma : 1)
    return update
  }

  /// One more update, to the expected data.
  private func denoising(_ grid: TimeGrid) throws(DiffusionError) -> PlannedUpdate {
    let last = grid.levels[grid.steps]
    try require(last.sigma > 0, "The grid ends at clean data, where nothing is left to denoise: finish with the mean.")
    var update = grid.update(from: last, to: NoiseLevel(time: 0, alpha: 1, sigma: 0))
    update.x0 = 1
    return update
  }
}

extension SamplerName {
  /// The reverse SDE by Euler and Maruyama.
  public static let eulerMaruyama = SamplerName(
    "euler-maruyama", spellings: ["em"],
    Description("the reverse SDE by Euler and Maruyama (Song et al., 2021)", order: nil), family: .stochasticEquation,
    traits: SamplerTraits(.continuous, clipping: .none)
  ) { method, _ in ReverseSDE(.eulerMaruyama(method.usedContinuousSchedule)) }

  /// The reverse SDE, discretised as the forward one.
  public static let reverseDiffusion = SamplerName(
    "reverse-diffusion",
    Description("the reverse SDE, discretised as the forward one (Song et al., 2021)", order: nil),
    family: .stochasticEquation, traits: SamplerTraits(.continuous, clipping: .none)
  ) { _, _ in ReverseSDE(.reverseDiffusion) }

  /// Ancestral sampling of the discretised SDE.
  public static let ancestral = SamplerName(
    "ancestral", Description("ancestral sampling of the discretised SDE (Song et al., 2021)", order: nil),
    family: .stochasticEquation, traits: SamplerTraits(.continuous, clipping: .none)
  ) { _, _ in ReverseSDE(.ancestral) }

  /// Reverse diffusion with a Langevin corrector.
  public static let predictorCorrector = SamplerName(
    "predictor-corrector", spellings: ["pc"],
    Description("reverse diffusion with a Langevin corrector (Song et al., 2021)", order: nil, evaluations: 2),
    family: .stochasticEquation, traits: SamplerTraits(.continuous, clipping: .none)
  ) { _, _ in ReverseSDE(.reverseDiffusion, corrector: ReverseSDE.Corrector()) }
}

/// Song et al.'s (2021) sampler of the exploding process, as diffusers configures it.
struct ScoreSdeVeScheduler: SchedulerClass {
  static let name = "ScoreSdeVeScheduler"
  static let traits = SchedulerTraits(isContinuous: true)

  private let sigmas: ClosedRange<Double>
  /// Where the time ends that a network's σ is computed from.
  private let end: Double
  private let signalToNoise: Double
  private let correctorSteps: Int

  init(_ fields: JSONFields) throws(ModelFileError) {
    let (lowest, highest) = (try fields.number("sigma_min") ?? 0.01, try fields.number("sigma_max") ?? 1348)
    guard lowest > 0, highest > lowest, highest <= 1e6 else {
      throw fields.error("sigma_max", "σ from \(lowest) to \(highest): both must be above 0, and rise")
    }
    sigmas = lowest...highest
    end = try fields.number("sampling_eps") ?? 1e-5
    guard end > 0, end < 1 else { throw fields.error("sampling_eps", "\(end) is not between 0 and 1") }
    signalToNoise = try fields.number("snr") ?? 0.15
    guard signalToNoise > 0, signalToNoise <= 1e3 else { throw fields.error("snr", "\(signalToNoise) is not above 0") }
    correctorSteps = try fields.integer("correct_steps", in: 0...1_000) ?? 1
  }

  func method(steps: Int) -> SamplingMethod {
    var method = SamplingMethod(correctorSteps > 0 ? .predictorCorrector : .reverseDiffusion, steps: steps)
    method.schedule = .continuous(.varianceExploding(sigmaMin: sigmas.lowerBound, sigmaMax: sigmas.upperBound))
    method.sigmaLevels = .explodingChain(end: end)
    if correctorSteps > 0 {
      method.solver = ReverseSDE(
        .reverseDiffusion, corrector: ReverseSDE.Corrector(steps: correctorSteps, signalToNoise: signalToNoise))
    }
    return method
  }
}

extension ContinuousSchedule {
  /// The time of each of a grid's levels.
  /// - Parameter grid: A grid whose levels should be this schedule's.
  /// - Returns: Falling times in 0 … 1.
  /// - Throws: `DiffusionError` if a level is not one of the schedule's.
  func times(of grid: TimeGrid) throws(DiffusionError) -> [Double] {
    try check()
    var times: [Double] = []
    for (index, level) in grid.levels.enumerated() {
      let time = time(atLambda: level.lambda)
      let expected = self.level(at: time)
      try require(
        time >= 0 && time <= 1 + 1e-9 && abs(expected.alpha - level.alpha) <= 1e-6
          && abs(expected.sigma - level.sigma) <= 1e-6 * max(1, level.sigma),
        "Level \(index), with α = \(level.alpha) and σ = \(level.sigma), is not one of the schedule \(self).")
      times.append(time)
    }
    return times
  }
}
