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
    case "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler":
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
    let isLatent = scheduler == "LCMScheduler" || scheduler == "HeunDiscreteScheduler"
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
