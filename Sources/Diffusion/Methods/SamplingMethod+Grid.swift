extension SamplingMethod {
  /// The levels the sampler visits.
  ///
  /// - Parameter prediction: what the denoiser predicts.
  /// - Returns: the grid, whole; `strength` is applied by the plan.
  /// - Throws: `DiffusionError` if the options do not fit each other.
  public func grid(prediction: Prediction) throws(DiffusionError) -> TimeGrid {
    try require(timesteps == nil || sigmas == nil, "Give timesteps or sigmas, not both.")
    try require(
      (timesteps == nil && sigmas == nil) || spacing == nil,
      "A list of timesteps or sigmas leaves no spacing to choose.")
    switch name.family {
    case .flow: return try flowGrid(prediction)
    case .stochasticEquation: return try continuousGrid(try continuous(), prediction)
    case .discrete, .lambda, .sigma:
      switch schedule {
      case .continuous(let schedule):
        try require(
          name.family != .discrete || [.ddim, .ddpm].contains(name),
          "'\(name.rawValue)' is made for schedules of timesteps, such as linear.")
        let grid = try continuousGrid(schedule, prediction)
        return name.family == .sigma ? grid.exploding : grid
      case .discrete(let schedule): return try discreteGrid(schedule, prediction)
      case nil: return try discreteGrid(.linear(), prediction)
      }
    }
  }

  private func discreteGrid(_ schedule: NoiseSchedule, _ prediction: Prediction) throws(DiffusionError) -> TimeGrid {
    let form: LevelForm = name.family == .sigma ? .exploding : .variancePreserving
    if let timesteps {
      return try .discrete(
        schedule, timesteps: timesteps, form: form, final: final, prediction: prediction, clipping: clipping)
    }
    let sigmaTime: SigmaTime =
      form == .exploding ? .interpolated(schedule) : spacing == .exponential ? .truncated(schedule) : .rounded(schedule)
    func overSigmas(_ sigmas: [Double]) throws(DiffusionError) -> TimeGrid {
      let end = final == .clean ? 0 : schedule.sigmas[0]
      return try .sigmas(sigmas, time: sigmaTime, final: end, form: form, prediction: prediction, clipping: clipping)
    }
    if let sigmas { return try overSigmas(sigmas) }
    let chosen = spacing ?? usualSpacing
    let timestepSpacing: TimestepSpacing
    switch chosen {
    case .karras: return try overSigmas(try SigmaSpacing.karras().sigmas(steps, of: schedule))
    case .exponential: return try overSigmas(try SigmaSpacing.exponential.sigmas(steps, of: schedule))
    case .lambda:
      throw DiffusionError(
        .invalidOption, "Spacing 'lambda' is for continuous schedules; 'exponential' is its like here.")
    case .trailing: timestepSpacing = .trailing
    case .trajectory: timestepSpacing = steps == 1 ? .trailing : .analyticTrajectory
    case .leading: timestepSpacing = name.family == .lambda ? .leadingWithoutZero(offset: 0) : .leading(offset: 0)
    case .linspace:
      // One step of a linspace would start, and stay, at timestep 0.
      if steps == 1 {
        timestepSpacing = .trailing
      } else {
        switch name.family {
        case .lambda: timestepSpacing = .linspaceWithoutZero
        case .sigma: timestepSpacing = .fractionalLinspace
        default: timestepSpacing = .linspace
        }
      }
    }
    return try .discrete(
      schedule, spacing: timestepSpacing, steps: steps, form: form, final: final, prediction: prediction,
      clipping: clipping)
  }

  private var usualSpacing: Spacing {
    switch name {
    case .heun, .edm: .karras
    case .analyticDDPM, .analyticDDIM, .nprDDPM, .nprDDIM, .snDDPM, .snDDIM: .trajectory
    default: .linspace
    }
  }

  private func continuousGrid(
    _ schedule: ContinuousSchedule, _ prediction: Prediction
  ) throws(DiffusionError) -> TimeGrid {
    try require(sigmas == nil, "A continuous schedule takes times in 0 … 1, not sigmas.")
    if let timesteps {
      return try .continuous(schedule, times: timesteps, prediction: prediction, clipping: clipping)
    }
    // Song et al. end the exploding process nearer to the data: its smallest σ is small already.
    let end: Double
    if case .varianceExploding = schedule { end = 1e-5 } else { end = 1e-3 }
    switch spacing {
    case .lambda:
      return try .uniformLambda(schedule, steps: steps, to: end, prediction: prediction, clipping: clipping)
    case nil, .linspace:
      return try .uniformTime(schedule, steps: steps, to: end, prediction: prediction, clipping: clipping)
    default:
      throw DiffusionError(.invalidOption, "A continuous schedule has the spacings 'linspace', in t, and 'lambda'.")
    }
  }

  private func flowGrid(_ prediction: Prediction) throws(DiffusionError) -> TimeGrid {
    try require(schedule == nil, "Flow matching has its own schedule, α = 1 - σ; only --shift changes it.")
    try require(
      prediction == .flow || prediction == .sample,
      "Flow matching needs a denoiser that predicts the flow or the sample, not \(prediction.rawValue).")
    try require(timesteps == nil && spacing == nil, "Flow matching takes sigmas in 0 … 1, not timesteps or spacings.")
    var grid =
      if let sigmas { try TimeGrid.flow(sigmas: sigmas, shift: shift, clipping: clipping) } else {
        try TimeGrid.flow(steps: steps, shift: shift, clipping: clipping)
      }
    grid.prediction = prediction
    return grid
  }

  /// The schedule of a stochastic differential equation.
  func continuous() throws(DiffusionError) -> ContinuousSchedule {
    switch schedule {
    case .continuous(let schedule): return schedule
    case nil: return .variancePreserving()
    case .discrete:
      throw DiffusionError(
        .invalidOption, "'\(name.rawValue)' solves a differential equation: it needs a schedule vp, ve or subvp.")
    }
  }
}

extension TimeGrid {
  /// The same levels with α = 1.
  var exploding: TimeGrid {
    var grid = self
    grid.levels = levels.map(\.exploding)
    grid.scalesInput = true
    grid.initialScale = grid.levels[0].sigma
    return grid
  }
}
