internal import Foundation

/// The noise of a model trained in discrete time: ᾱ of the timesteps 0 ..< N (Ho et al., 2020).
///
/// Everything is kept in Double: in single precision `1 - ᾱ / ᾱ'` loses 5e-4 of its value at the first timesteps.
public struct NoiseSchedule: Sendable, Hashable {
  /// ᾱ of every timestep, falling; only the last may be 0.
  public let alphasBar: [Double]
  /// σ̂ = √((1 - ᾱ) / ᾱ) of every timestep, rising: the noise of a sample divided by α.
  public let sigmas: [Double]

  /// A schedule from ᾱ of every timestep.
  /// - Parameter alphasBar: Strictly falling numbers between 0 and 1; only the last may be 0.
  /// - Throws: `DiffusionError` if there are none, or one does not fit.
  public init(alphasBar: [Double]) throws(DiffusionError) {
    try require(!alphasBar.isEmpty, "A noise schedule needs at least one timestep.")
    var previous = 1.0
    for (timestep, value) in alphasBar.enumerated() {
      let isLast = timestep == alphasBar.count - 1
      try require(
        value < previous && (value > 0 || isLast && value == 0),
        "ᾱ at timestep \(timestep) is \(value): it must lie below the value before it, \(previous), and above 0"
          + (isLast ? " or be 0." : "."))
      previous = value
    }
    self.alphasBar = alphasBar
    sigmas = alphasBar.map { ((1 - $0) / $0).squareRoot() }
  }

  /// A schedule from β of every timestep: ᾱ is the product of 1 - β so far.
  /// - Parameter betas: Numbers above 0 and below 1; the last may be 1.
  /// - Throws: `DiffusionError` if there are none, or one does not fit.
  public init(betas: [Double]) throws(DiffusionError) {
    var alphaBar = 1.0
    var alphasBar: [Double] = []
    alphasBar.reserveCapacity(betas.count)
    for (timestep, beta) in betas.enumerated() {
      try require(
        beta > 0 && (beta < 1 || beta == 1 && timestep == betas.count - 1),
        "β at timestep \(timestep) is \(beta): it must lie between 0 and 1.")
      alphaBar *= 1 - beta
      alphasBar.append(alphaBar)
    }
    try self.init(alphasBar: alphasBar)
  }

  /// Timesteps of the schedule, N.
  public var count: Int { alphasBar.count }

  /// β = 1 - ᾱ / ᾱ' of every timestep.
  public var betas: [Double] {
    zip(alphasBar, [1] + alphasBar.dropLast()).map { 1 - $0 / $1 }
  }
}

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

extension NoiseSchedule {
  /// σ̂ at a timestep; between two timesteps interpolated linearly, as diffusers' solvers in σ do.
  /// - Parameter timestep: In 0 … N - 1.
  /// - Returns: √((1 - ᾱ) / ᾱ); infinite where ᾱ is 0.
  /// - Throws: `DiffusionError` if the timestep is not in the schedule.
  public func sigma(at timestep: Double) throws(DiffusionError) -> Double {
    let lower = try index(below: timestep)
    let fraction = timestep - Double(lower)
    guard fraction > 0 else { return sigmas[lower] }
    return sigmas[lower] + fraction * (sigmas[lower + 1] - sigmas[lower])
  }

  /// ᾱ at a timestep; between two timesteps that of the interpolated σ̂.
  /// - Parameter timestep: In 0 … N - 1.
  /// - Returns: ᾱ.
  /// - Throws: `DiffusionError` if the timestep is not in the schedule.
  public func alphaBar(at timestep: Double) throws(DiffusionError) -> Double {
    let lower = try index(below: timestep)
    guard timestep > Double(lower) else { return alphasBar[lower] }
    let sigma = try sigma(at: timestep)
    return 1 / (1 + sigma * sigma)
  }

  /// The timestep whose noise is `sigma`, interpolated linearly in ln σ̂ and limited to 0 … N - 1 (`_sigma_to_t` in
  /// diffusers).
  /// - Parameter sigma: σ̂, at least 0.
  /// - Returns: The timestep, fractional.
  public func timestep(forSigma sigma: Double) -> Double {
    guard count > 1 else { return 0 }
    // The last timestep with at most this noise, but one that has a successor.
    var lower = 0
    var upper = count - 1
    while upper - lower > 1 {
      let middle = (lower + upper) / 2
      if sigmas[middle] <= sigma { lower = middle } else { upper = middle }
    }
    // Between a finite and an infinite σ̂ there is no logarithmic midpoint.
    guard sigmas[lower + 1].isFinite else { return Double(sigma < .infinity ? lower : lower + 1) }
    let low = log(sigmas[lower])
    let high = log(sigmas[lower + 1])
    let fraction = (log(max(sigma, 1e-10)) - low) / (high - low)
    return Double(lower) + min(max(fraction, 0), 1)
  }

  private func index(below timestep: Double) throws(DiffusionError) -> Int {
    guard timestep >= 0, timestep <= Double(count - 1) else {
      throw DiffusionError(.invalidOption, "Timestep \(timestep) is outside the schedule's 0 … \(count - 1).")
    }
    return Int(timestep)
  }
}
