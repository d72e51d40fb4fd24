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
