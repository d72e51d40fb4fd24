internal import Foundation

extension NoiseSchedule {
  /// β rises linearly (Ho et al., 2020).
  /// - Parameters:
  ///   - start: β of timestep 0.
  ///   - end: β of the last timestep.
  ///   - count: Timesteps.
  /// - Returns: The schedule.
  /// - Throws: `DiffusionError` unless 0 < start ≤ end < 1.
  public static func linear(
    from start: Double = 1e-4, to end: Double = 0.02, count: Int = 1000
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(start, end, count)
    return try NoiseSchedule(betas: evenlySpaced(from: start, to: end, count: count))
  }

  /// √β rises linearly (Rombach et al., 2022); `scaled_linear` in diffusers. Stable Diffusion goes from 0.00085 to 0.012.
  /// - Parameters:
  ///   - start: β of timestep 0.
  ///   - end: β of the last timestep.
  ///   - count: Timesteps.
  /// - Returns: The schedule.
  /// - Throws: `DiffusionError` unless 0 < start ≤ end < 1.
  public static func scaledLinear(
    from start: Double = 1e-4, to end: Double = 0.02, count: Int = 1000
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(start, end, count)
    let roots = evenlySpaced(from: start.squareRoot(), to: end.squareRoot(), count: count)
    return try NoiseSchedule(betas: roots.map { $0 * $0 })
  }

  /// ᾱ follows a squared cosine (Nichol and Dhariwal, 2021); `squaredcos_cap_v2` in diffusers:
  /// `β_t = min(1 - f((t + 1) / N) / f(t / N), maximum)` with `f(u) = cos²(π/2 · (u + 0.008) / 1.008)`.
  /// - Parameters:
  ///   - maximum: What β is limited to.
  ///   - count: Timesteps.
  /// - Returns: The schedule.
  /// - Throws: `DiffusionError` unless 0 < maximum < 1.
  public static func squaredCosine(
    maximum: Double = 0.999, count: Int = 1000
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(maximum, maximum, count)
    func signal(_ timestep: Int) -> Double {
      let root = cos((Double(timestep) / Double(count) + 0.008) / 1.008 * Double.pi / 2)
      return root * root
    }
    return try NoiseSchedule(betas: (0..<count).map { min(1 - signal($0 + 1) / signal($0), maximum) })
  }

  /// β follows the logistic function from -6 to 6 (GeoDiff, Xu et al., 2022); `sigmoid` in diffusers.
  /// - Parameters:
  ///   - start: What β starts near.
  ///   - end: What β ends near.
  ///   - count: Timesteps.
  /// - Returns: The schedule.
  /// - Throws: `DiffusionError` unless 0 < start ≤ end < 1.
  public static func sigmoid(
    from start: Double = 1e-4, to end: Double = 0.02, count: Int = 1000
  ) throws(DiffusionError) -> NoiseSchedule {
    try check(start, end, count)
    let places = evenlySpaced(from: -6, to: 6, count: count)
    return try NoiseSchedule(betas: places.map { (end - start) / (1 + exp(-$0)) + start })
  }

  private static func check(_ start: Double, _ end: Double, _ count: Int) throws(DiffusionError) {
    try require(
      0 < start && start <= end && end < 1, "β from \(start) to \(end): both must lie between 0 and 1, and not fall.")
    try require(count >= 1, "A noise schedule of \(count) timesteps: it needs at least one.")
  }

  /// The schedule rescaled so that the last timestep keeps no signal at all: √ᾱ is shifted so that it ends at 0 and
  /// scaled so that it starts where it did (Lin et al., 2023, algorithm 1).
  ///
  /// Without signal x0 does not follow from ε: such a model predicts v, or ᾱ keeps a floor.
  /// - Parameter hasFloor: Whether the last ᾱ is 2⁻²⁴ instead of 0, as in diffusers' solvers in σ. Theirs leave the values
  ///   just before the last, which may be smaller still; here those are raised too, so that ᾱ falls.
  /// - Returns: The rescaled schedule.
  /// - Throws: `DiffusionError` if the schedule has a single timestep.
  public func zeroTerminalSNR(hasFloor: Bool = false) throws(DiffusionError) -> NoiseSchedule {
    let roots = alphasBar.map { $0.squareRoot() }
    guard roots.count > 1, let first = roots.first, let last = roots.last else {
      throw DiffusionError(.invalidOption, "A schedule of one timestep cannot be rescaled to end without signal.")
    }
    var rescaled = roots.map { root in
      let value = (root - last) * first / (first - last)
      return value * value
    }
    // The first timestep keeps its value exactly, and the last is exact by definition.
    rescaled[0] = alphasBar[0]
    rescaled[rescaled.count - 1] = 0
    if hasFloor {
      for timestep in rescaled.indices {
        // The floor rises a little towards the data, because equal values would be a step without noise.
        let floor = 0x1p-24 * (1 + 1e-9 * Double(rescaled.count - 1 - timestep))
        rescaled[timestep] = max(rescaled[timestep], floor)
      }
    }
    return try NoiseSchedule(alphasBar: rescaled)
  }
}
