internal import Foundation

/// Noise levels σ̂ that do not follow a model's timesteps.
public enum SigmaSpacing: Sendable, Hashable {
  /// `(σmax^(1/ρ) + i / (S - 1) · (σmin^(1/ρ) - σmax^(1/ρ)))^ρ` (Karras et al., 2022).
  case karras(rho: Double = 7)
  /// Evenly spaced in ln σ.
  case exponential

  /// The levels of a sampler, from noise to data. The final level is not among them.
  /// - Parameters:
  ///   - steps: S, how many levels.
  ///   - highest: σmax.
  ///   - lowest: σmin, above 0.
  /// - Returns: S falling numbers; σmax alone for one step.
  /// - Throws: `DiffusionError` if an option does not fit.
  public func sigmas(_ steps: Int, from highest: Double, to lowest: Double) throws(DiffusionError) -> [Double] {
    try require(steps >= 1, "\(steps) steps: a sampler needs at least one.")
    try require(
      0 < lowest && lowest < highest && highest < .infinity,
      "σ from \(highest) to \(lowest): the first must be finite and larger, the second above 0.")
    let ramp = evenlySpaced(from: 0, to: 1, count: steps)
    switch self {
    case .karras(let rho):
      try require(rho > 0 && rho < .infinity, "ρ is \(rho): it must be above 0; Karras et al. use 7.")
      let (first, last) = (pow(highest, 1 / rho), pow(lowest, 1 / rho))
      return ramp.map { pow(first + $0 * (last - first), rho) }
    case .exponential:
      return evenlySpaced(from: log(highest), to: log(lowest), count: steps).map(exp)
    }
  }

  /// The levels of a sampler between the ends of a schedule, or given ends.
  /// - Parameters:
  ///   - steps: S, how many levels.
  ///   - schedule: Where ends that are not given come from.
  ///   - highest: σmax, if not that of the last timestep.
  ///   - lowest: σmin, if not that of timestep 0.
  /// - Returns: S falling numbers.
  /// - Throws: `DiffusionError` if an option does not fit, such as a schedule that ends without signal.
  public func sigmas(
    _ steps: Int, of schedule: NoiseSchedule, from highest: Double? = nil, to lowest: Double? = nil
  ) throws(DiffusionError) -> [Double] {
    try sigmas(
      steps, from: highest ?? schedule.sigmas[schedule.count - 1], to: lowest ?? schedule.sigmas[0])
  }
}
