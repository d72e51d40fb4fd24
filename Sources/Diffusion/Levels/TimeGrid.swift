/// The levels a sampler visits, from noise to data, and what its denoiser predicts: all that a planner needs.
public struct TimeGrid: Sendable, Hashable {
  /// S + 1 levels for S steps; the last is where the samples end.
  public var levels: [NoiseLevel]
  /// What the denoiser predicts.
  public var prediction: Prediction
  /// What is done to x0.
  public var clipping: Clipping
  /// Whether a network sees `level.unitScale · x` rather than x.
  public var scalesInput: Bool
  /// Standard deviation of the initial noise.
  public var initialScale: Double

  /// A grid from its levels.
  public init(
    levels: [NoiseLevel], prediction: Prediction = .epsilon, clipping: Clipping = .none, scalesInput: Bool = false,
    initialScale: Double? = nil
  ) {
    self.levels = levels
    self.prediction = prediction
    self.clipping = clipping
    self.scalesInput = scalesInput
    self.initialScale = initialScale ?? levels.first.map { ($0.sigma) } ?? 1
  }

  /// Steps from the first level to the last.
  public var steps: Int { levels.count - 1 }

  /// An update from one level to another with this grid's denoiser; its factors are still zero.
  public func update(from level: NoiseLevel, to next: NoiseLevel) -> PlannedUpdate {
    var update = PlannedUpdate(from: level, to: next, prediction: prediction)
    update.clipping = clipping
    update.inputScale = scalesInput ? level.unitScale : 1
    return update
  }
}

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

/// What a network is told at a noise level σ̂ = σ / α that is not one of its timesteps.
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
  /// The time of a continuous schedule with that noise.
  case continuous(ContinuousSchedule)

  func time(_ sigma: Double) -> Double {
    switch self {
    case .interpolated(let schedule): schedule.timestep(forSigma: sigma)
    case .rounded(let schedule): schedule.timestep(forSigma: sigma).rounded(.toNearestOrEven)
    case .truncated(let schedule): schedule.timestep(forSigma: sigma).rounded(.down)
    case .quarterLogarithm: naturalLogarithm(sigma) / 4
    case .sigma: sigma
    case .continuous(let schedule): schedule.time(atLambda: -naturalLogarithm(sigma))
    }
  }
}

extension TimeGrid {
  /// The part of the grid that starts from a given image instead of noise: the last `min(⌊S · strength⌋, S)` steps, as in
  /// diffusers' image-to-image pipelines.
  ///
  /// Sampling then starts from `α · image + σ · z` at the part's first level; `initialScale` is that σ.
  /// - Parameter strength: How much of the image is given up, above 0 and at most 1.
  /// - Returns: The part of the grid.
  /// - Throws: `DiffusionError` if the strength is out of range, or so low that no step is left.
  public func suffix(strength: Double) throws(DiffusionError) -> TimeGrid {
    try require(
      strength > 0 && strength <= 1, "The strength is \(strength): it must be above 0 and at most 1.")
    let kept = Self.steps(strength: strength, of: steps)
    try require(
      kept >= 1, "A strength of \(strength) leaves none of \(steps) steps: give at least \(1 / Double(max(steps, 1))).")
    var part = self
    part.levels = Array(levels.suffix(kept + 1))
    part.initialScale = part.levels[0].sigma
    return part
  }

  /// `min(⌊S · strength⌋, S)`, where a product that rounding left just below a whole number counts as that number: 1/49 of
  /// 49 steps is one.
  static func steps(strength: Double, of steps: Int) -> Int {
    min(Int(Double(steps) * strength * (1 + 1e-12)), steps)
  }
}
