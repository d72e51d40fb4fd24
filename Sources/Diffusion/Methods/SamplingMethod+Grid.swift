extension SamplingMethod {
  /// The levels the sampler visits.
  ///
  /// - Parameter prediction: what the denoiser predicts.
  /// - Returns: the grid, whole; `strength` is applied by the plan.
  /// - Throws: `DiffusionError` if the options do not fit each other.
  public func grid(prediction: Prediction) throws(DiffusionError) -> TimeGrid {
    try checkOptions()
    switch scheduleKind {
    case .flow: return try flowGrid(prediction)
    case .continuous:
      let grid = try continuousGrid(continuous, prediction)
      return name.family == .sigma ? grid.exploding : grid
    case .timesteps:
      guard case .discrete(let schedule) = schedule else { return try discreteGrid(.linear(), prediction) }
      return try discreteGrid(schedule, prediction)
    }
  }

  private func discreteGrid(_ schedule: NoiseSchedule, _ prediction: Prediction) throws(DiffusionError) -> TimeGrid {
    let form: LevelForm = name.family == .sigma ? .exploding : .variancePreserving
    if let timesteps {
      return try .discrete(
        schedule, timesteps: timesteps, form: form, final: final ?? .clean, prediction: prediction, clipping: clipping)
    }
    let sigmaTime: SigmaTime =
      form == .exploding ? .interpolated(schedule) : spacing == .exponential ? .truncated(schedule) : .rounded(schedule)
    func overSigmas(_ sigmas: [Double]) throws(DiffusionError) -> TimeGrid {
      let end = final != .firstTimestep ? 0 : schedule.sigmas[0]
      return try .sigmas(sigmas, time: sigmaTime, final: end, form: form, prediction: prediction, clipping: clipping)
    }
    if let sigmas { return try overSigmas(sigmas) }
    let chosen = spacing ?? name.traits.usualSpacing
    let timestepSpacing: TimestepSpacing
    switch chosen {
    case .karras: return try overSigmas(try SigmaSpacing.karras().sigmas(steps, of: schedule))
    case .exponential: return try overSigmas(try SigmaSpacing.exponential.sigmas(steps, of: schedule))
    case .lambda:
      throw DiffusionError(
        .invalidOption, "Spacing 'lambda' is for continuous schedules; 'exponential' is its like here.")
    case .trailing: timestepSpacing = .trailing
    case .trajectory: timestepSpacing = steps == 1 ? .trailing : .analyticTrajectory
    case .leading:
      timestepSpacing =
        name.family == .lambda ? .leadingWithoutZero(offset: timestepsOffset) : .leading(offset: timestepsOffset)
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
      schedule, spacing: timestepSpacing, steps: steps, form: form, final: final ?? .clean, prediction: prediction,
      clipping: clipping)
  }

  private func continuousGrid(
    _ schedule: ContinuousSchedule, _ prediction: Prediction
  ) throws(DiffusionError) -> TimeGrid {
    if let timesteps {
      return try .continuous(schedule, times: timesteps, prediction: prediction, clipping: clipping)
    }
    // Song et al. end the exploding process nearer to the data: its smallest σ is small already.
    let end: Double
    if case .varianceExploding = schedule { end = 1e-5 } else { end = 1e-3 }
    if spacing == .lambda {
      return try .uniformLambda(schedule, steps: steps, to: end, prediction: prediction, clipping: clipping)
    }
    return try .uniformTime(schedule, steps: steps, to: end, prediction: prediction, clipping: clipping)
  }

  private func flowGrid(_ prediction: Prediction) throws(DiffusionError) -> TimeGrid {
    try require(
      prediction == .flow || prediction == .sample,
      "Flow matching needs a denoiser that predicts the flow or the sample, not \(prediction.rawValue).")
    var grid =
      if let sigmas { try TimeGrid.flow(sigmas: sigmas, shift: shift, clipping: clipping) } else {
        try TimeGrid.flow(steps: steps, shift: shift, clipping: clipping)
      }
    grid.prediction = prediction
    return grid
  }

  /// The schedule of a stochastic differential equation.
  var continuous: ContinuousSchedule {
    guard case .continuous(let schedule) = schedule else { return .variancePreserving() }
    return schedule
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
