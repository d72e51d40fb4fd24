@testable import Diffusion

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
    return keepingRepeatedLevel(grid)
  }

  private func sigmaGrid() throws -> TimeGrid {
    let schedule = try schedule()
    let timesteps = try timesteps()
    let final = endsClean ? 0 : schedule.sigmas[0]
    let initialNoise: InitialNoise =
      config.text("timestep_spacing", default: "linspace") == "leading" ? .withData : .sigma
    if config.text("interpolation_type", default: "linear") == "log_linear" {
      // One σ more than there are timesteps: the samples end at the lowest, and timesteps do not belong to their σ.
      var grid = try TimeGrid.sigmas(
        SigmaSpacing.exponential.sigmas(steps + 1, of: schedule), time: .sigma, final: schedule.sigmas[0],
        prediction: prediction(), clipping: clipping)
      for (index, timestep) in timesteps.enumerated() { grid.levels[index].time = timestep }
      return grid
    }
    guard let spacing = sigmaSpacing else {
      return try .discrete(
        schedule, timesteps: timesteps, form: .exploding, final: endsClean ? .clean : .firstTimestep,
        initialNoise: initialNoise, prediction: prediction(), clipping: clipping)
    }
    let (first, last) = (timesteps[0], timesteps[timesteps.count - 1])
    let grid = try TimeGrid.sigmas(
      spacing.sigmas(steps, from: schedule.sigma(at: first), to: schedule.sigma(at: last)),
      time: .interpolated(schedule), final: final, initialNoise: initialNoise, prediction: prediction(),
      clipping: clipping)
    return keepingRepeatedLevel(grid)
  }

  /// diffusers counts the step from the lowest σ to itself, so that the step before it is not the last one.
  private func keepingRepeatedLevel(_ grid: TimeGrid) -> TimeGrid {
    var grid = grid
    if grid.steps < steps, let last = grid.levels.last { grid.levels.append(last) }
    return grid
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
