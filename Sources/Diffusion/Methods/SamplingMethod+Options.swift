extension SamplingMethod {
  /// The kind of the schedule that is stepped through: the sampler's usual one if none is given.
  var scheduleKind: SamplerTraits.ScheduleKind {
    switch schedule {
    case .discrete: .timesteps
    case .continuous: .continuous
    case nil: name.traits.schedules[0]
    }
  }

  /// Refuses options that contradict each other or would do nothing.
  func checkOptions() throws(DiffusionError) {
    try checkSchedule()
    try checkLevels()
    let traits = name.traits
    try require(eta == nil || traits.eta != nil, doesNothing("η", to: Self.names { $0.eta != nil }))
    if let eta { try require((0...1).contains(eta), "η is \(eta): it must lie between 0, deterministic, and 1.") }
    if let variance {
      try require(
        traits.variances.contains(variance),
        doesNothing("variance '\(variance.rawValue)'", to: Self.names { $0.variances.contains(variance) }))
    }
    try require(
      clipping == .none || traits.clipping != .none,
      "'\(name.rawValue)' works on ε, which limiting x0 does not change: leave the limit out.")
    let drawsLast: Bool =
      switch traits.finalNoise {
      case .never: false
      case .always: true
      case .withOptimalVariance: variance == .analytic
      }
    try require(
      drawsLast || !drawsFinalNoise,
      "'\(name.rawValue)' draws no noise on its last step\(traits.finalNoise == .never ? "" : " here"): "
        + "final noise is for DDPM and the optimal variances.")
    try require(shift == 1 || scheduleKind == .flow, doesNothing("a shift", to: Self.names { $0.schedules == [.flow] }))
    try require(
      gamma == nil || needsGamma, "Γ is for the optimal variance, which '\(name.rawValue)' does not use here.")
    try require(
      varianceCap == nil || needsGamma,
      "A cap of the noise is for the optimal variance, which '\(name.rawValue)' does not use here.")
  }

  /// Refuses what a grid leaves without effect.
  func checkOptions(on grid: TimeGrid) throws(DiffusionError) {
    guard drawsFinalNoise, let last = grid.levels.last else { return }
    try require(
      last.sigma == 0, "Final noise is for a last step to clean data; this one ends at noise and draws some anyway.")
  }

  private func checkSchedule() throws(DiffusionError) {
    let kinds = name.traits.schedules
    guard schedule != nil, !kinds.contains(scheduleKind) else { return }
    let problem =
      switch kinds[0] {
      case .timesteps: "is made for schedules of timesteps, such as linear."
      case .continuous: "solves a differential equation: it needs a schedule vp, ve or subvp."
      case .flow: "does flow matching, which has its own schedule, α = 1 - σ; only a shift changes it."
      }
    throw DiffusionError(.invalidOption, "'\(name.rawValue)' \(problem)")
  }

  private func checkLevels() throws(DiffusionError) {
    try require(timesteps == nil || sigmas == nil, "Give timesteps or sigmas, not both.")
    try require(
      (timesteps == nil && sigmas == nil) || spacing == nil,
      "A list of timesteps or sigmas leaves no spacing to choose.")
    switch scheduleKind {
    case .timesteps:
      try require(
        spacing != .lambda, "Spacing 'lambda' is for continuous schedules; 'exponential' is its like here.")
      try require(
        final != .firstTimestep || name.traits.takesFinalLevel,
        "'\(name.rawValue)' ends at the predicted data: a final ᾱ would do nothing.")
      return
    case .continuous:
      try require(sigmas == nil, "A continuous schedule takes times in 0 … 1, not sigmas.")
      if let spacing {
        try require(
          scheduleKind.spacings.contains(spacing),
          "A continuous schedule has the spacings 'linspace', in t, and 'lambda'.")
      }
    case .flow:
      try require(
        timesteps == nil && spacing == nil, "Flow matching takes sigmas in 0 … 1, not timesteps or spacings.")
    }
    try require(final == nil, "A final ᾱ is for schedules of timesteps; this one has its own end.")
  }

  private func doesNothing(_ option: String, to takers: String) -> String {
    "'\(name.rawValue)' has no \(option): it is for \(takers)."
  }

  /// The samplers with a trait, for messages.
  private static func names(_ isTaker: (SamplerTraits) -> Bool) -> String {
    SamplerName.allCases.filter { isTaker($0.traits) }.map(\.rawValue).joined(separator: ", ")
  }
}
