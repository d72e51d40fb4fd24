/// How a grid's levels are written. Both describe the same noise; x differs by the factor α.
public enum LevelForm: Sendable, Hashable {
  /// α = √ᾱ and σ = √(1 - ᾱ): DDPM, DDIM, DPM-Solver. The initial noise has unit variance.
  case variancePreserving
  /// α = 1 and σ = σ̂: Euler and Heun in σ. A network sees `x / √(1 + σ²)`.
  case exploding
}

/// Where a grid of discrete timesteps ends.
public enum FinalLevel: Sendable, Hashable {
  /// Clean data: ᾱ = 1 (`set_alpha_to_one` in diffusers, `final_sigmas_type = zero`).
  case clean
  /// ᾱ of timestep 0. A list that ends with timestep 0 then repeats its last level: with DDIM a step that only clips.
  case firstTimestep
}

/// The standard deviation of the noise that sampling in the exploding form starts from.
public enum InitialNoise: Sendable, Hashable {
  /// σmax, for grids that start at the schedule's end.
  case sigma
  /// √(σmax² + 1), which diffusers takes for leading spacing: such a grid starts below the schedule's end, where the
  /// data's variance still counts.
  case withData
}

/// What a network is told at a noise level that is not one of its timesteps.
public enum SigmaTime: Sendable, Hashable {
  /// The timestep of a schedule, interpolated in ln σ̂.
  case interpolated(NoiseSchedule)
  /// The same, rounded to a whole timestep: DPM-Solver and UniPC in diffusers with Karras' σ.
  case rounded(NoiseSchedule)
  /// The same, cut to a whole timestep: DPM-Solver and UniPC in diffusers with exponential σ.
  case truncated(NoiseSchedule)
  /// ¼ ln σ (Karras et al., 2022).
  case quarterLogarithm
  /// σ itself.
  case sigma

  func time(_ sigma: Double) -> Double {
    switch self {
    case .interpolated(let schedule): schedule.timestep(forSigma: sigma)
    case .rounded(let schedule): schedule.timestep(forSigma: sigma).rounded(.toNearestOrEven)
    case .truncated(let schedule): schedule.timestep(forSigma: sigma).rounded(.down)
    case .quarterLogarithm: naturalLogarithm(sigma) / 4
    case .sigma: sigma
    }
  }
}
