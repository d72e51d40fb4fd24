extension TimeGrid {
  /// The time given to a clean final level: one before timestep 0. No denoiser is ever asked there.
  static let cleanTime = -1.0

  /// A grid over timesteps of a discrete schedule. Each step leads to the next entry of the list, the last one to
  /// `final`.
  /// - Parameters:
  ///   - schedule: The model's noise.
  ///   - timesteps: From noise to data, as `TimestepSpacing` or a caller gives them.
  ///   - form: How levels are written.
  ///   - final: Where the last step leads.
  ///   - initialNoise: The initial noise's size in the exploding form; the other form starts from unit variance.
  ///   - prediction: What the denoiser predicts.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if the list does not fit the schedule, or the form has no finite level for it.
  public static func discrete(
    _ schedule: NoiseSchedule, timesteps: [Double], form: LevelForm = .variancePreserving,
    final: FinalLevel = .clean, initialNoise: InitialNoise = .sigma, prediction: Prediction = .epsilon,
    clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    try TimestepSpacing.check(timesteps, count: schedule.count)
    var levels: [NoiseLevel] = []
    for timestep in timesteps {
      levels.append(NoiseLevel(time: timestep, alphaBar: try schedule.alphaBar(at: timestep)))
    }
    switch final {
    case .clean: levels.append(NoiseLevel(time: cleanTime, alpha: 1, sigma: 0))
    case .firstTimestep: levels.append(NoiseLevel(time: 0, alphaBar: schedule.alphasBar[0]))
    }
    return try written(levels, as: form, initialNoise, prediction, clipping)
  }

  /// A grid over the timesteps that a spacing chooses.
  /// - Parameters:
  ///   - schedule: The model's noise.
  ///   - spacing: Which timesteps.
  ///   - steps: How many.
  ///   - form: How levels are written.
  ///   - final: Where the last step leads.
  ///   - prediction: What the denoiser predicts.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid; in the exploding form its initial noise is √(σmax² + 1) for leading spacing, else σmax.
  /// - Throws: `DiffusionError` if the spacing has not that many timesteps, or the form no finite level for one.
  public static func discrete(
    _ schedule: NoiseSchedule, spacing: TimestepSpacing, steps: Int, form: LevelForm = .variancePreserving,
    final: FinalLevel = .clean, prediction: Prediction = .epsilon, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    let initialNoise: InitialNoise
    switch spacing {
    case .leading, .leadingWithoutZero: initialNoise = .withData
    default: initialNoise = .sigma
    }
    return try discrete(
      schedule, timesteps: spacing.timesteps(steps, of: schedule.count), form: form, final: final,
      initialNoise: initialNoise, prediction: prediction, clipping: clipping)
  }

  /// A grid of variance-preserving levels in the form asked for.
  static func written(
    _ levels: [NoiseLevel], as form: LevelForm, _ initialNoise: InitialNoise, _ prediction: Prediction,
    _ clipping: Clipping
  ) throws(DiffusionError) -> TimeGrid {
    switch form {
    case .variancePreserving:
      return TimeGrid(levels: levels, prediction: prediction, clipping: clipping, initialScale: 1)
    case .exploding:
      let exploding = levels.map(\.exploding)
      guard let first = exploding.first?.sigma, first.isFinite else {
        throw DiffusionError(
          .invalidOption,
          "The first level has no signal, so its σ is infinite: give the schedule the floor of 2^-24, or stay variance preserving."
        )
      }
      let scale = initialNoise == .sigma ? first : (first * first + 1).squareRoot()
      return TimeGrid(
        levels: exploding, prediction: prediction, clipping: clipping, scalesInput: true, initialScale: scale)
    }
  }
}

extension TimeGrid {
  /// A grid over noise levels σ̂, such as Karras'. In the variance-preserving form α = 1 / √(σ̂² + 1).
  ///
  /// A step leads from each entry to the next, and from the last to `final`. Where that is the last entry again, as with
  /// Karras' σ that end at the schedule's lowest, the last step is empty: solvers that correct their predictions still
  /// evaluate there.
  /// - Parameters:
  ///   - sigmas: Strictly falling, above 0. A 0 at the list's end, as k-diffusion's lists have, is where the last step leads
  ///     anyway: the list means the same without it.
  ///   - time: What a network is told.
  ///   - final: Where the last step leads: 0, or a σ̂ no higher than the list's last.
  ///   - form: How levels are written.
  ///   - initialNoise: The initial noise's size in the exploding form.
  ///   - prediction: What the denoiser predicts.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if the numbers do not fall, or leave no step.
  public static func sigmas(
    _ sigmas: [Double], time: SigmaTime, final: Double = 0, form: LevelForm = .exploding,
    initialNoise: InitialNoise = .sigma, prediction: Prediction = .epsilon, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    let sigmas = try noisy(sigmas, endsClean: final == 0)
    for (index, sigma) in sigmas.enumerated() {
      try require(
        sigma > 0 && sigma < .infinity && (index == 0 || sigma < sigmas[index - 1]),
        "σ = \(sigma), entry \(index), must be finite, above 0 and below the entry before it; the last may be 0.")
    }
    let lowest = sigmas[sigmas.count - 1]
    // Both often come from the same number, by ways that round differently.
    let repeats = abs(final - lowest) <= 1e-9 * lowest
    try require(
      final >= 0 && (final < lowest || repeats),
      "The final σ is \(final): it must be 0, or at most the last σ, \(lowest).")
    try require(!repeats || sigmas.count > 1, "The list's only σ is also the final one: no step is left.")
    let all = sigmas + [repeats ? lowest : final]
    let levels = all.map { sigma in
      let alpha = 1 / (sigma * sigma + 1).squareRoot()
      return NoiseLevel(time: sigma > 0 ? time.time(sigma) : cleanTime, alpha: alpha, sigma: sigma * alpha)
    }
    var grid = try written(levels, as: form, initialNoise, prediction, clipping)
    if form == .exploding {
      // Not through α and back.
      for (index, sigma) in all.enumerated() { grid.levels[index].sigma = sigma }
    }
    return grid
  }

  /// A list of σ without a 0 at its end, where the last step leads.
  private static func noisy(_ sigmas: [Double], endsClean: Bool) throws(DiffusionError) -> [Double] {
    guard sigmas.last == 0 else {
      try require(!sigmas.isEmpty, "A list of σ needs at least one.")
      return sigmas
    }
    try require(sigmas.count > 1, "The list's only σ is 0, which samples end at: start with a higher one.")
    try require(
      endsClean, "The list of σ ends with 0, clean data, but samples are to end at the lowest σ: leave out one of them."
    )
    return sigmas.dropLast()
  }

  /// A grid for flow matching: `x = (1 - σ) x0 + σ ε`, the network is told 1000 σ and predicts the velocity
  /// (Lipman et al., 2023).
  /// - Parameters:
  ///   - sigmas: Strictly falling, above 0 and at most 1, before the shift. The last step leads to 0, whether or not the list
  ///     ends with it.
  ///   - shift: s of `sσ / (1 + (s - 1)σ)` (Esser et al., 2024); 1 changes nothing.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if the numbers do not fall, or the shift is not above 0.
  public static func flow(
    sigmas: [Double], shift: Double = 1, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    try require(shift > 0 && shift < .infinity, "The shift is \(shift): it must be above 0; 1 changes nothing.")
    let sigmas = try noisy(sigmas, endsClean: true)
    for (index, sigma) in sigmas.enumerated() {
      try require(
        sigma > 0 && sigma <= 1 && (index == 0 || sigma < sigmas[index - 1]),
        "σ = \(sigma), entry \(index), must be above 0, at most 1 and below the entry before it; the last may be 0.")
    }
    let levels = (sigmas + [0]).map { sigma in
      let shifted = shift * sigma / (1 + (shift - 1) * sigma)
      return NoiseLevel(time: 1000 * shifted, alpha: 1 - shifted, sigma: shifted)
    }
    return TimeGrid(levels: levels, prediction: .flow, clipping: clipping, initialScale: levels[0].sigma)
  }

  /// A grid for flow matching of evenly spaced σ, from 1 to `lowest` and from there to 0.
  /// - Parameters:
  ///   - steps: How many.
  ///   - shift: s of `sσ / (1 + (s - 1)σ)`.
  ///   - lowest: The last σ before 0; by default 1 / steps, which makes all steps the same.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if an option does not fit.
  public static func flow(
    steps: Int, shift: Double = 1, lowest: Double? = nil, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    try require(steps >= 1, "\(steps) steps: a sampler needs at least one.")
    return try flow(
      sigmas: evenlySpaced(from: 1, to: lowest ?? 1 / Double(steps), count: steps), shift: shift, clipping: clipping)
  }
}

extension TimeGrid {
  /// A grid over times of a continuous schedule. A network is told t in 0 … 1.
  /// - Parameters:
  ///   - schedule: The model's noise.
  ///   - times: S + 1 strictly falling times for S steps, in 0 … 1 and above 0; samples end at the last.
  ///   - prediction: What the denoiser predicts.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if the times do not fall, or leave no step.
  public static func continuous(
    _ schedule: ContinuousSchedule, times: [Double], prediction: Prediction = .epsilon, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    try schedule.check()
    try require(times.count >= 2, "\(times.count) times: one step needs two.")
    for (index, time) in times.enumerated() {
      try require(
        time > 0 && time <= 1 && (index == 0 || time < times[index - 1]),
        "Time \(time), entry \(index), must be above 0, at most 1 and below the entry before it.")
    }
    return TimeGrid(
      levels: times.map(schedule.level(at:)), prediction: prediction, clipping: clipping,
      initialScale: schedule.initialScale)
  }

  /// A grid over evenly spaced times of a continuous schedule.
  /// - Parameters:
  ///   - schedule: The model's noise.
  ///   - steps: How many.
  ///   - start: The first time.
  ///   - end: Where samples end, above 0; at 0 the score grows without bound. Song et al. use 1e-3 (variance preserving)
  ///     and 1e-5 (exploding).
  ///   - prediction: What the denoiser predicts.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if an option does not fit.
  public static func uniformTime(
    _ schedule: ContinuousSchedule, steps: Int, from start: Double = 1, to end: Double = 1e-3,
    prediction: Prediction = .epsilon, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    try require(steps >= 1, "\(steps) steps: a sampler needs at least one.")
    let times = evenlySpaced(from: start, to: end, count: steps + 1)
    return try continuous(schedule, times: times, prediction: prediction, clipping: clipping)
  }

  /// A grid evenly spaced in λ = ln(α / σ) between two times of a continuous schedule (Lu et al., 2022).
  /// - Parameters:
  ///   - schedule: The model's noise.
  ///   - steps: How many.
  ///   - start: The first time.
  ///   - end: Where samples end, above 0.
  ///   - prediction: What the denoiser predicts.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if an option does not fit.
  public static func uniformLambda(
    _ schedule: ContinuousSchedule, steps: Int, from start: Double = 1, to end: Double = 1e-3,
    prediction: Prediction = .epsilon, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    try require(steps >= 1, "\(steps) steps: a sampler needs at least one.")
    try schedule.check()
    let lambdas = evenlySpaced(
      from: schedule.level(at: start).lambda, to: schedule.level(at: end).lambda, count: steps + 1)
    var times = lambdas.map(schedule.time(atLambda:))
    // The ends are known exactly.
    times[0] = start
    times[steps] = end
    return try continuous(schedule, times: times, prediction: prediction, clipping: clipping)
  }
}
