@testable import Diffusion

/// What a diffusers scheduler's configuration means here: a grid and a planner.
struct DiffusersMapping {
  /// What a configuration has that no grid or planner stands for.
  struct Unknown: Error { let what: String }

  /// Schedulers that place timesteps and σ alike.
  enum Family {
    /// Levels of whole timesteps, variance preserving.
    case discrete
    /// DPM-Solver and UniPC: likewise, but timestep 0 is left out.
    case solver
    /// In σ, exploding, with fractional timesteps.
    case sigma
    /// Consistency models.
    case consistency
    /// Flow matching.
    case flow
    /// In σ without timesteps (Karras et al., 2022).
    case karras
  }

  let scheduler: String
  let config: DiffusersSettings
  /// Of `set_timesteps()`.
  let setTimesteps: DiffusersSettings
  /// Of `step()`.
  let step: DiffusersSettings

  /// All settings of `config` that are read here.
  static let knownKeys: Set<String> = [
    "algorithm_type", "beta_end", "beta_schedule", "beta_start", "clip_sample", "clip_sample_range",
    "disable_corrector", "dynamic_thresholding_ratio", "euler_at_final", "final_sigmas_type", "interpolation_type",
    "lower_order_final", "num_train_timesteps", "prediction_type", "rescale_betas_zero_snr", "sample_max_value",
    "set_alpha_to_one", "shift", "sigma_data", "sigma_max", "sigma_min", "sigma_schedule", "skip_prk_steps",
    "solver_order", "solver_type", "steps_offset", "stochastic_sampling", "thresholding", "timestep_spacing",
    "use_exponential_sigmas", "use_karras_sigmas", "variance_type",
  ]

  func family() throws -> Family {
    switch scheduler {
    case "DDPMScheduler", "DDIMScheduler", "PNDMScheduler": .discrete
    case "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler": .solver
    case "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler",
      "LMSDiscreteScheduler":
      .sigma
    case "LCMScheduler": .consistency
    case "FlowMatchEulerDiscreteScheduler": .flow
    case "EDMEulerScheduler", "EDMDPMSolverMultistepScheduler": .karras
    default: throw Unknown(what: scheduler)
    }
  }

  /// The number of timesteps asked for.
  var steps: Int { setTimesteps.numbers("timesteps")?.count ?? setTimesteps.count("num_inference_steps", default: 0) }

  var trainingCount: Int { config.count("num_train_timesteps", default: 1000) }

  func schedule() throws -> NoiseSchedule {
    let isLatent = ["LCMScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler"].contains(scheduler)
    let start = config.number("beta_start", default: isLatent ? 0.00085 : 0.0001)
    let end = config.number("beta_end", default: isLatent ? 0.012 : 0.02)
    let kind = config.text("beta_schedule", default: scheduler == "LCMScheduler" ? "scaled_linear" : "linear")
    let schedule =
      switch kind {
      case "linear": try NoiseSchedule.linear(from: start, to: end, count: trainingCount)
      case "scaled_linear": try NoiseSchedule.scaledLinear(from: start, to: end, count: trainingCount)
      case "squaredcos_cap_v2": try NoiseSchedule.squaredCosine(count: trainingCount)
      case "sigmoid": try NoiseSchedule.sigmoid(from: start, to: end, count: trainingCount)
      default: throw Unknown(what: kind)
      }
    guard config.flag("rescale_betas_zero_snr") else { return schedule }
    // Where λ or σ̂ of the first level is needed, diffusers leaves it a trace of signal.
    return try schedule.zeroTerminalSNR(hasFloor: family() != .discrete)
  }

  func prediction() throws -> Prediction {
    let kind = config.text("prediction_type", default: "epsilon")
    guard let prediction = Prediction(rawValue: kind) else { throw Unknown(what: kind) }
    return prediction
  }

  var clipping: Clipping {
    if config.flag("thresholding") {
      return .dynamic(
        ratio: config.number("dynamic_thresholding_ratio", default: 0.995),
        maximum: config.number("sample_max_value", default: 1))
    }
    let clipsByDefault = scheduler == "DDPMScheduler" || scheduler == "DDIMScheduler"
    guard config.flag("clip_sample", default: clipsByDefault) else { return .none }
    return .fixed(limit: config.number("clip_sample_range", default: 1))
  }

  func timesteps() throws -> [Double] {
    if let custom = setTimesteps.numbers("timesteps") { return custom }
    let family = try family()
    if family == .consistency { return try LCM.timesteps(steps, of: trainingCount) }
    let offset = config.count("steps_offset", default: 0)
    let spacing: TimestepSpacing
    switch (config.text("timestep_spacing", default: family == .discrete ? "leading" : "linspace"), family) {
    case ("trailing", _): spacing = .trailing
    case ("leading", .solver): spacing = .leadingWithoutZero(offset: offset)
    case ("leading", _): spacing = .leading(offset: offset)
    case ("linspace", .discrete): spacing = .linspace
    case ("linspace", .solver): spacing = .linspaceWithoutZero
    case ("linspace", .sigma): spacing = .fractionalLinspace
    case (let other, _): throw Unknown(what: other)
    }
    return try spacing.timesteps(steps, of: trainingCount)
  }

  /// Karras' or exponential spacing, if one is set.
  var sigmaSpacing: SigmaSpacing? {
    if config.flag("use_karras_sigmas") { return .karras() }
    return config.flag("use_exponential_sigmas") ? .exponential : nil
  }
}

extension DiffusersMapping {
  func grid() throws -> TimeGrid {
    switch try family() {
    case .discrete: try discreteGrid(setAlphaToOne: scheduler != "PNDMScheduler")
    case .consistency: try discreteGrid(setAlphaToOne: true)
    case .solver: try solverGrid()
    case .sigma: try sigmaGrid()
    case .flow: try flowGrid()
    case .karras: try karrasGrid()
    }
  }

  private func discreteGrid(setAlphaToOne: Bool) throws -> TimeGrid {
    let isClean = config.flag("set_alpha_to_one", default: setAlphaToOne)
    return try .discrete(
      schedule(), timesteps: timesteps(), final: isClean ? .clean : .firstTimestep, prediction: prediction(),
      clipping: clipping)
  }

  private var endsClean: Bool { config.text("final_sigmas_type", default: "zero") == "zero" }

  private func solverGrid() throws -> TimeGrid {
    let schedule = try schedule()
    guard let spacing = sigmaSpacing else {
      return try .discrete(
        schedule, timesteps: timesteps(), final: endsClean ? .clean : .firstTimestep, prediction: prediction(),
        clipping: clipping)
    }
    let isKarras = config.flag("use_karras_sigmas")
    var grid = try TimeGrid.sigmas(
      spacing.sigmas(steps, of: schedule), time: isKarras ? .rounded(schedule) : .interpolated(schedule),
      final: endsClean ? 0 : schedule.sigmas[0], form: .variancePreserving, prediction: prediction(),
      clipping: clipping)
    // diffusers rounds Karras' timesteps but cuts the fractions of the exponential ones off.
    if !isKarras { for index in grid.levels.indices { grid.levels[index].time.round(.down) } }
    return grid
  }

  private func sigmaGrid() throws -> TimeGrid {
    let schedule = try schedule()
    let timesteps = try timesteps()
    let final = endsClean ? 0 : schedule.sigmas[0]
    let initialNoise: InitialNoise =
      config.text("timestep_spacing", default: "linspace") == "leading" ? .withData : .sigma
    if config.text("interpolation_type", default: "linear") == "log_linear" {
      // One σ more than there are timesteps: the samples end at the lowest, and timesteps do not belong to their σ.
      let sigmas = try SigmaSpacing.exponential.sigmas(steps + 1, of: schedule)
      var grid = try TimeGrid.sigmas(
        sigmas.dropLast(), time: .sigma, final: schedule.sigmas[0], prediction: prediction(), clipping: clipping)
      for (index, timestep) in timesteps.enumerated() { grid.levels[index].time = timestep }
      return grid
    }
    guard let spacing = sigmaSpacing else {
      return try .discrete(
        schedule, timesteps: timesteps, form: .exploding, final: endsClean ? .clean : .firstTimestep,
        initialNoise: initialNoise, prediction: prediction(), clipping: clipping)
    }
    let (first, last) = (timesteps[0], timesteps[timesteps.count - 1])
    // KDPM2 alone rounds Karras' timesteps, though not those halfway.
    let isRounded = scheduler == "KDPM2DiscreteScheduler" && config.flag("use_karras_sigmas")
    return try TimeGrid.sigmas(
      spacing.sigmas(steps, from: schedule.sigma(at: first), to: schedule.sigma(at: last)),
      time: isRounded ? .rounded(schedule) : .interpolated(schedule), final: final, initialNoise: initialNoise,
      prediction: prediction(), clipping: clipping)
  }

  private func flowGrid() throws -> TimeGrid {
    let shift = config.number("shift", default: 1)
    func shifted(_ sigma: Double) -> Double { shift * sigma / (1 + (shift - 1) * sigma) }
    // diffusers shifts the lowest σ once when it is made and once with the others.
    let lowest = shifted(1 / Double(trainingCount))
    guard let spacing = sigmaSpacing else { return try .flow(steps: steps, shift: shift, lowest: lowest) }
    return try .flow(sigmas: spacing.sigmas(steps, from: 1, to: shifted(lowest)))
  }

  /// σ_data of the models of Karras et al., whose samples are divided by it here.
  var dataDeviation: Double {
    scheduler.hasPrefix("EDM") ? config.number("sigma_data", default: 0.5) : 1
  }

  /// For unit variance of the data: x and σ are divided by σ_data, and the network sees the same as before.
  private func karrasGrid() throws -> TimeGrid {
    let (lowest, highest) = (config.number("sigma_min", default: 0.002), config.number("sigma_max", default: 80))
    let spacing: SigmaSpacing =
      config.text("sigma_schedule", default: "karras") == "karras" ? .karras() : .exponential
    let sigmas = try spacing.sigmas(steps, from: highest / dataDeviation, to: lowest / dataDeviation)
    var grid = try TimeGrid.sigmas(sigmas, time: .sigma, prediction: prediction())
    for index in sigmas.indices {
      grid.levels[index].time = SigmaTime.quarterLogarithm.time(sigmas[index] * dataDeviation)
    }
    grid.initialScale = (highest * highest + 1).squareRoot() / dataDeviation
    return grid
  }
}

extension DiffusersMapping {
  func planner() throws -> any Planner {
    switch scheduler {
    case "DDPMScheduler": return try ddpm()
    case "DDIMScheduler":
      return DDIM(eta: step.number("eta", default: 0), rederivesEpsilon: step.flag("use_clipped_model_output"))
    case "DPMSolverMultistepScheduler", "EDMDPMSolverMultistepScheduler": return try multistep()
    case "DPMSolverSinglestepScheduler": return DPMSolverSinglestep(lowerOrderFinal: config.flag("lower_order_final"))
    case "UniPCMultistepScheduler": return try uniPC()
    case "EulerDiscreteScheduler": return Euler(churn: try churn())
    case "EDMEulerScheduler": return Euler()
    case "EulerAncestralDiscreteScheduler": return EulerAncestral()
    case "HeunDiscreteScheduler": return Heun()
    case "KDPM2DiscreteScheduler": return KDPM2(time: .interpolated(try schedule()))
    case "LMSDiscreteScheduler": return LMS(order: step.count("order", default: 4))
    case "PNDMScheduler": return PNDM(warmUp: try warmUp())
    case "LCMScheduler": return LCM()
    case "FlowMatchEulerDiscreteScheduler": return FlowEuler(isStochastic: config.flag("stochastic_sampling"))
    default: throw Unknown(what: scheduler)
    }
  }

  /// Whether every evaluation is a step of diffusers' trajectory, not every step of the grid.
  var countsEvaluations: Bool {
    ["HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "PNDMScheduler"].contains(scheduler)
  }

  private func ddpm() throws -> DDPM {
    // Noise is drawn unless the timestep is 0, also in the step to clean data.
    let drawsFinalNoise = try (timesteps().last ?? 0) > 0
    switch config.text("variance_type", default: "fixed_small") {
    case "fixed_small": return DDPM(variance: .small, drawsFinalNoise: drawsFinalNoise)
    case "fixed_large": return DDPM(variance: .large, drawsFinalNoise: drawsFinalNoise)
    case "learned_range": return DDPM(variance: .learnedRange, drawsFinalNoise: drawsFinalNoise)
    case let other: throw Unknown(what: other)
    }
  }

  private func multistep() throws -> any Planner {
    let order = config.count("solver_order", default: 2)
    let lowersOrder = config.flag("lower_order_final", default: true) && steps < 15
    let endsWithEuler = config.flag("euler_at_final")
    switch config.text("algorithm_type", default: "dpmsolver++") {
    case "sde-dpmsolver++": return SDEDPMSolverPlusPlus(order: order, lowerOrderFinal: lowersOrder || endsWithEuler)
    case "dpmsolver++":
      let solver = config.text("solver_type", default: "midpoint")
      guard let variant = DPMSolverPlusPlus.Variant(rawValue: solver) else { throw Unknown(what: solver) }
      return DPMSolverPlusPlus(
        order: order, variant: variant, lowerOrderFinal: lowersOrder, eulerAtFinal: endsWithEuler)
    case let other: throw Unknown(what: other)
    }
  }

  private func uniPC() throws -> UniPC {
    let solver = config.text("solver_type", default: "bh2")
    guard let variant = UniPC.Variant(rawValue: solver) else { throw Unknown(what: solver) }
    let disabled = Set((config.numbers("disable_corrector") ?? []).map { Int($0) })
    return UniPC(
      order: config.count("solver_order", default: 2), variant: variant,
      corrector: disabled.isEmpty ? .always : .except(disabled),
      lowerOrderFinal: config.flag("lower_order_final", default: true))
  }

  private func churn() throws -> Churn? {
    let amount = step.number("s_churn", default: 0)
    guard amount > 0 else { return nil }
    return Churn(
      amount: amount,
      range: step.number("s_tmin", default: 0)...step.number("s_tmax", default: .infinity),
      noise: step.number("s_noise", default: 1), time: .interpolated(try schedule()))
  }

  private func warmUp() throws -> PNDM.WarmUp {
    if config.flag("skip_prk_steps") { return .multistep }
    let schedule = try schedule()
    let half = Double(trainingCount / steps / 2)
    return .rungeKutta(
      halfway: try timesteps().prefix(3).map { timestep in
        NoiseLevel(time: timestep - half, alphaBar: try schedule.alphaBar(at: timestep - half))
      })
  }
}
