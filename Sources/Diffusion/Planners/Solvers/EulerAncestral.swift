/// Euler's method to a lower level than the next, from which noise leads up to it. With s = σ / α:
/// `s_up² = s'² (s² - s'²) / s²`, `s_down² = s'² - s_up²` (ancestral sampling in Song et al., 2021, for any α).
public struct EulerAncestral: Planner {
  /// The share of s_up, in 0 … 1; with 0 nothing is random.
  public var eta: Double

  /// A sampler with its share of noise.
  public init(eta: Double = 1) { self.eta = eta }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels.
  /// - Returns: One update for each step, all with noise but the step to clean data.
  /// - Throws: `DiffusionError` if η or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require(eta >= 0 && eta <= 1, "η is \(eta): it must lie between 0, no noise, and 1, ancestral sampling.")
    try grid.checkLevels()
    return grid.plan(
      grid.spans.map { span in
        let next = span.next
        // In σ at the next level's α; s'/s is e^(-h).
        let up = eta * next.sigma * max(1 - span.decay * span.decay, 0).squareRoot()
        let down = max(next.sigma * next.sigma - up * up, 0).squareRoot()
        var update = grid.euler(
          LevelSpan(span.level, NoiseLevel(time: next.time, alpha: next.alpha, sigma: down)))
        update.next = next
        update.noise = up
        return update
      })
  }
}
