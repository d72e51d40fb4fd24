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
      let grid = try continuousGrid(usedContinuousSchedule, prediction)
      return name.family == .sigma ? grid.exploding : grid
    case .timesteps:
      var grid = try discreteGrid(usedTimestepSchedule(), prediction)
      if tellsLogSigma {
        // No denoiser is asked at clean data.
        for index in grid.levels.indices where grid.levels[index].sigma > 0 {
          grid.levels[index].time = SigmaTime.quarterLogarithm.time(grid.levels[index].exploding.sigma)
        }
      }
      return grid
    }
  }

  // MARK: Timesteps

  private var form: LevelForm { name.family == .sigma ? .exploding : .variancePreserving }

  private func discreteGrid(_ schedule: NoiseSchedule, _ prediction: Prediction) throws(DiffusionError) -> TimeGrid {
    if let timesteps {
      return try .discrete(
        schedule, timesteps: timesteps, form: form, final: final ?? .clean, prediction: prediction, clipping: clipping)
    }
    if let sigmas { return try sigmaGrid(sigmas, .karras(), schedule, prediction) }
    let chosen = spacing ?? (sigmaLevels == nil ? name.traits.usualSpacing : .linspace)
    if let spacing = chosen.ofSigmas {
      return try sigmaGrid(spacing.sigmas(steps, of: schedule), spacing, schedule, prediction)
    }
    let visited = try timestepSpacing(chosen).timesteps(steps, of: usedTimesteps ?? schedule.count)
    let initialNoise: InitialNoise = chosen == .leading ? .withData : .sigma
    switch sigmaLevels {
    case .range(let range):
      let sigmas = try sigmas(of: range, schedule, visited)
      return try sigmaGrid(
        sigmas, range.spacing, schedule, prediction, initialNoise: initialNoise,
        lowest: range.endsAtLowest ? sigmas.last : nil, cutsTimes: range.cutsTimes)
    case .logLinear: return try logLinearGrid(schedule, visited, prediction)
    case .explodingChain, nil:
      return try .discrete(
        schedule, timesteps: visited, form: form, final: final ?? .clean, initialNoise: initialNoise,
        prediction: prediction, clipping: clipping)
    }
  }

  private func timestepSpacing(_ chosen: Spacing) throws(DiffusionError) -> TimestepSpacing {
    switch chosen {
    case .trailing: return .trailing
    case .consistency: return .consistency()
    case .trajectory: return steps == 1 ? .trailing : .analyticTrajectory
    case .leading:
      return name.family == .lambda ? .leadingWithoutZero(offset: timestepsOffset) : .leading(offset: timestepsOffset)
    case .linspace:
      // One step of a linspace would start, and stay, at timestep 0.
      if steps == 1 { return .trailing }
      switch name.family {
      case .lambda: return .linspaceWithoutZero
      case .sigma: return .fractionalLinspace
      default: return .linspace
      }
    case .karras, .exponential, .lambda:
      throw DiffusionError(.invalidOption, "Spacing '\(chosen.rawValue)' does not choose timesteps.")
    }
  }

  /// A grid over σ. Where a solver goes by whole timesteps, Karras' are rounded unless asked otherwise, and exponential ones
  /// cut.
  private func sigmaGrid(
    _ sigmas: [Double], _ spacing: SigmaSpacing, _ schedule: NoiseSchedule, _ prediction: Prediction,
    initialNoise: InitialNoise = .sigma, lowest: Double? = nil, cutsTimes: Bool = false
  ) throws(DiffusionError) -> TimeGrid {
    let isCut = cutsTimes || spacing == .exponential
    let time: SigmaTime =
      form == .exploding ? .interpolated(schedule) : isCut ? .truncated(schedule) : .rounded(schedule)
    return try .sigmas(
      sigmas, time: time, final: final == .firstTimestep ? lowest ?? schedule.sigmas[0] : 0, form: form,
      initialNoise: initialNoise, prediction: prediction, clipping: clipping)
  }

  /// Exploding levels are spaced between the timesteps' own σ, others between the schedule's.
  private func sigmas(
    of range: SigmaRange, _ schedule: NoiseSchedule, _ visited: [Double]
  ) throws(DiffusionError) -> [Double] {
    guard form == .exploding else {
      return try range.spacing.sigmas(steps, of: schedule, from: range.highest, to: range.lowest)
    }
    let last = visited.count > 1 ? visited[visited.count - 1] : 0
    let (highest, lowest) = (try schedule.sigma(at: visited[0]), try schedule.sigma(at: last))
    return try range.spacing.sigmas(steps, from: range.highest ?? highest, to: range.lowest ?? lowest)
  }

  private func logLinearGrid(
    _ schedule: NoiseSchedule, _ visited: [Double], _ prediction: Prediction
  ) throws(DiffusionError) -> TimeGrid {
    let sigmas = try SigmaSpacing.exponential.sigmas(visited.count + 1, of: schedule)
    var grid = try TimeGrid.sigmas(
      sigmas.dropLast(), time: .sigma, final: schedule.sigmas[0], prediction: prediction, clipping: clipping)
    for (index, timestep) in visited.enumerated() { grid.levels[index].time = timestep }
    return grid
  }

  // MARK: Continuous time and flows

  private func continuousGrid(
    _ schedule: ContinuousSchedule, _ prediction: Prediction
  ) throws(DiffusionError) -> TimeGrid {
    if let timesteps {
      return try .continuous(schedule, times: timesteps, prediction: prediction, clipping: clipping)
    }
    if case .explodingChain(let end) = sigmaLevels { return try chainGrid(schedule, end: end, prediction) }
    // Song et al. end the exploding process nearer to the data: its smallest σ is small already.
    let end: Double
    if case .varianceExploding = schedule { end = 1e-5 } else { end = 1e-3 }
    if spacing == .lambda {
      return try .uniformLambda(schedule, steps: steps, to: end, prediction: prediction, clipping: clipping)
    }
    return try .uniformTime(schedule, steps: steps, to: end, prediction: prediction, clipping: clipping)
  }

  private func chainGrid(
    _ schedule: ContinuousSchedule, end: Double, _ prediction: Prediction
  ) throws(DiffusionError) -> TimeGrid {
    guard case .varianceExploding(let lowest, let highest) = schedule else {
      throw DiffusionError(.invalidOption, "The exploding chain is the schedule ve's.")
    }
    try require(steps >= 2, "\(steps) steps: Song et al.'s sampler needs at least two.")
    let sigmas = try SigmaSpacing.exponential.sigmas(steps, from: highest, to: lowest)
    var grid = try TimeGrid.sigmas(sigmas, time: .sigma, prediction: prediction)
    for (index, time) in evenlySpaced(from: 1, to: end, count: steps).enumerated() {
      grid.levels[index].time = lowest * power(highest / lowest, time)
    }
    grid.scalesInput = false
    return grid
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
}

extension SamplingMethod.Spacing {
  /// The spacing of σ, where it does not choose timesteps.
  fileprivate var ofSigmas: SigmaSpacing? {
    switch self {
    case .karras: .karras()
    case .exponential: .exponential
    case .linspace, .trajectory, .leading, .trailing, .consistency, .lambda: nil
    }
  }
}

extension TimeGrid {
  /// The same levels with α = 1.
  fileprivate var exploding: TimeGrid {
    var grid = self
    grid.levels = levels.map(\.exploding)
    grid.scalesInput = true
    grid.initialScale = grid.levels[0].sigma
    return grid
  }
}
