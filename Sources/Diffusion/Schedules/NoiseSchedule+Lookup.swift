internal import Foundation

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
