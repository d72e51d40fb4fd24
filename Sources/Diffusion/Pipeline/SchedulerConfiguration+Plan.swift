extension SchedulerConfiguration {
  /// The levels that the model's sampler visits.
  ///
  /// - Parameter steps: how many steps.
  /// - Returns: the grid.
  /// - Throws: `DiffusionError` if that many steps do not exist.
  public func grid(steps: Int) throws(DiffusionError) -> TimeGrid {
    try require(steps >= 1, "\(steps) steps: a sampler needs at least one.")
    if case .scoreSDE(let process) = solver { return try scoreGrid(process, steps) }
    var grid = try levels(steps)
    if tellsLogSigma {
      for index in grid.levels.indices {
        grid.levels[index].time = SigmaTime.quarterLogarithm.time(grid.levels[index].exploding.sigma)
      }
    }
    return grid
  }

  /// The coefficients of every step of the model's sampler.
  ///
  /// - Parameters:
  ///   - steps: from noise to data.
  ///   - strength: the part of the way that is gone, from the data's end; below 1 to start from an image.
  /// - Returns: the plan.
  /// - Throws: `DiffusionError` if that many steps do not exist, or the settings do not suit each other.
  public func plan(steps: Int, strength: Double = 1) throws(DiffusionError) -> SamplingPlan {
    let grid = try grid(steps: steps)
    let part = strength == 1 ? grid : try grid.suffix(strength: strength)
    let plan = try planner(grid).plan(part)
    try plan.checkRange()
    return plan
  }

  private func planner(_ grid: TimeGrid) throws(DiffusionError) -> any Planner {
    let steps = grid.steps
    switch solver {
    case .ddpm(let variance):
      // Noise is drawn unless the timestep is 0, also in the step to clean data.
      return DDPM(variance: variance, drawsFinalNoise: grid.levels[steps - 1].time > 0)
    case .ddim: return DDIM()
    case .pndm(let skipsWarmUp):
      return PNDM(warmUp: skipsWarmUp ? .multistep : .rungeKutta(halfway: try halfway(grid)))
    case .dpmSolver(let order, let variant, let lowersOrder):
      return DPMSolverPlusPlus(order: order, variant: variant, lowerOrderFinal: lowersOrder.applies(steps: steps))
    case .sdeDPMSolver(let order, let lowersOrder):
      return SDEDPMSolverPlusPlus(order: order, lowerOrderFinal: lowersOrder.applies(steps: steps))
    case .euler: return Euler()
    case .unipc(let order, let variant, let uncorrected, let lowersOrder):
      return UniPC(
        order: order, variant: variant, corrector: uncorrected.isEmpty ? .always : .except(uncorrected),
        lowerOrderFinal: lowersOrder)
    case .scoreSDE(let process):
      return ReverseSDE(
        .reverseDiffusion,
        corrector: process.correctorSteps > 0
          ? ReverseSDE.Corrector(steps: process.correctorSteps, signalToNoise: process.signalToNoise) : nil)
    }
  }

  private func levels(_ steps: Int) throws(DiffusionError) -> TimeGrid {
    guard let schedule else { throw DiffusionError(.invalidOption, "A process of continuous time has no timesteps.") }
    let timesteps = try timesteps(steps)
    if let sigmaRange { return try levels(of: sigmaRange, schedule, timesteps) }
    if isLogLinear { return try logLinearLevels(schedule, timesteps) }
    return try .discrete(
      schedule, timesteps: timesteps, form: form, final: final, initialNoise: initialNoise, prediction: prediction,
      clipping: clipping)
  }

  private var form: LevelForm { kind.isExploding ? .exploding : .variancePreserving }
  private var initialNoise: InitialNoise { spacing == .leading ? .withData : .sigma }

  /// Levels evenly in ln σ. There is one σ more than there are timesteps, which do not belong to their σ: samples end at
  /// the lowest.
  private func logLinearLevels(_ schedule: NoiseSchedule, _ timesteps: [Double]) throws(DiffusionError) -> TimeGrid {
    var grid = try TimeGrid.sigmas(
      SigmaSpacing.exponential.sigmas(timesteps.count + 1, of: schedule), time: .sigma, final: schedule.sigmas[0],
      prediction: prediction, clipping: clipping)
    for (index, timestep) in timesteps.enumerated() { grid.levels[index].time = timestep }
    return grid
  }

  /// Levels that follow σ. Exploding processes are spaced between the timesteps' own σ, others between the schedule's.
  private func levels(
    of range: SigmaRange, _ schedule: NoiseSchedule, _ timesteps: [Double]
  ) throws(DiffusionError) -> TimeGrid {
    let steps = timesteps.count
    let sigmas: [Double]
    if form == .exploding {
      let (highest, lowest) = (try schedule.sigma(at: timesteps[0]), try schedule.sigma(at: timesteps[steps - 1]))
      sigmas = try range.spacing.sigmas(steps, from: range.highest ?? highest, to: range.lowest ?? lowest)
    } else {
      sigmas = try range.spacing.sigmas(steps, of: schedule, from: range.highest, to: range.lowest)
    }
    let lowest = kind == .unipc ? sigmas[steps - 1] : schedule.sigmas[0]
    let grid = try TimeGrid.sigmas(
      sigmas, time: time(range.spacing, schedule), final: final == .clean ? 0 : lowest, form: form,
      initialNoise: initialNoise, prediction: prediction, clipping: clipping)
    return grid.repeatingLast(steps: steps)
  }

  /// Karras' timesteps are rounded, exponential ones cut, where a solver goes by whole timesteps.
  private func time(_ spacing: SigmaSpacing, _ schedule: NoiseSchedule) -> SigmaTime {
    if kind.isExploding { return .interpolated(schedule) }
    if case .karras = spacing { return .rounded(schedule) }
    return .truncated(schedule)
  }

  private func timesteps(_ steps: Int) throws(DiffusionError) -> [Double] {
    let choice: TimestepSpacing
    switch (spacing, kind) {
    case (.trailing, _): choice = .trailing
    case (.leading, .dpmSolver), (.leading, .unipc): choice = .leadingWithoutZero(offset: stepsOffset)
    case (.leading, _): choice = .leading(offset: stepsOffset)
    case (.linspace, .dpmSolver), (.linspace, .unipc): choice = .linspaceWithoutZero
    case (.linspace, .euler): choice = .fractionalLinspace
    case (.linspace, _): choice = .linspace
    }
    return try choice.timesteps(steps, of: usedTimesteps)
  }

  /// The levels halfway through the first three steps, as PNDM's Runge-Kutta start takes them.
  private func halfway(_ grid: TimeGrid) throws(DiffusionError) -> [NoiseLevel] {
    guard let schedule else { return [] }
    let half = Double(trainingTimesteps / max(1, grid.steps) / 2)
    var levels: [NoiseLevel] = []
    for level in grid.levels.prefix(min(3, grid.steps)) {
      let time = max(0, level.time - half)
      levels.append(NoiseLevel(time: time, alphaBar: try schedule.alphaBar(at: time)))
    }
    return levels
  }

  /// σ of the discretised process, from the highest to the lowest and from there to 0. A network is told σ of an evenly
  /// spaced time, which is the same but for where that time ends.
  private func scoreGrid(_ process: ScoreSDE, _ steps: Int) throws(DiffusionError) -> TimeGrid {
    let (lowest, highest) = (process.sigmas.lowerBound, process.sigmas.upperBound)
    try require(steps >= 2, "\(steps) steps: Song et al.'s sampler needs at least two.")
    let sigmas = try SigmaSpacing.exponential.sigmas(steps, from: highest, to: lowest)
    var grid = try TimeGrid.sigmas(sigmas, time: .sigma, prediction: prediction)
    for (index, time) in evenlySpaced(from: 1, to: process.end, count: steps).enumerated() {
      grid.levels[index].time = lowest * power(highest / lowest, time)
    }
    grid.scalesInput = false
    return grid
  }
}

extension TimeGrid {
  /// With so many steps, if one is missing: where a list of σ ends at the lowest, diffusers counts the step from there to
  /// itself, and the one before it is not the last.
  fileprivate func repeatingLast(steps: Int) -> TimeGrid {
    guard self.steps < steps, let last = levels.last else { return self }
    var grid = self
    grid.levels.append(last)
    return grid
  }
}
