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
