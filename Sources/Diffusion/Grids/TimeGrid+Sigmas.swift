extension TimeGrid {
  /// A grid over noise levels σ̂, such as Karras'. In the variance-preserving form α = 1 / √(σ̂² + 1).
  ///
  /// A final σ̂ that the list already ends with is not repeated: the repeated level's step would divide 0 by 0. The grid
  /// then has one step less than the list has entries.
  /// - Parameters:
  ///   - sigmas: Strictly falling, above 0.
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
    try require(!sigmas.isEmpty, "A list of σ needs at least one.")
    for (index, sigma) in sigmas.enumerated() {
      try require(
        sigma > 0 && sigma < .infinity && (index == 0 || sigma < sigmas[index - 1]),
        "σ = \(sigma), entry \(index), must be finite, above 0 and below the entry before it.")
    }
    let lowest = sigmas[sigmas.count - 1]
    // Both often come from the same number, by ways that round differently.
    let repeats = abs(final - lowest) <= 1e-9 * lowest
    try require(
      final >= 0 && (final < lowest || repeats),
      "The final σ is \(final): it must be 0, or at most the last σ, \(lowest).")
    try require(!repeats || sigmas.count > 1, "The list's only σ is also the final one: no step is left.")
    let all = repeats ? sigmas : sigmas + [final]
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

  /// A grid for flow matching: `x = (1 - σ) x0 + σ ε`, the network is told 1000 σ and predicts the velocity
  /// (Lipman et al., 2023).
  /// - Parameters:
  ///   - sigmas: Strictly falling, above 0 and at most 1, before the shift. The last step leads to 0.
  ///   - shift: s of `sσ / (1 + (s - 1)σ)` (Esser et al., 2024); 1 changes nothing.
  ///   - clipping: What is done to x0.
  /// - Returns: The grid.
  /// - Throws: `DiffusionError` if the numbers do not fall, or the shift is not above 0.
  public static func flow(
    sigmas: [Double], shift: Double = 1, clipping: Clipping = .none
  ) throws(DiffusionError) -> TimeGrid {
    try require(shift > 0 && shift < .infinity, "The shift is \(shift): it must be above 0; 1 changes nothing.")
    try require(!sigmas.isEmpty, "A list of σ needs at least one.")
    for (index, sigma) in sigmas.enumerated() {
      try require(
        sigma > 0 && sigma <= 1 && (index == 0 || sigma < sigmas[index - 1]),
        "σ = \(sigma), entry \(index), must be above 0, at most 1 and below the entry before it.")
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
