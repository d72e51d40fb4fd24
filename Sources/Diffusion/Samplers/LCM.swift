/// Sampling with a latent consistency model (Luo et al., 2023): x0 is predicted in one go, then noise leads to the next
/// level. `x' = α' (c_out x0 + c_skip x) + σ' z`; the last step draws none.
///
/// c_skip and c_out, with u = `timeScale` · t, are `d² / (u² + d²)` and `u / √(u² + d²)`: the model was trained so that it
/// leaves clean data alone.
public struct LCM: Planner {
  /// What timesteps are multiplied by in c_skip and c_out; 10 for the published models.
  public var timeScale: Double
  /// d, the data's standard deviation in c_skip and c_out; ½ for the published models.
  public var dataDeviation: Double

  /// A sampler with its boundary conditions.
  public init(timeScale: Double = 10, dataDeviation: Double = 0.5) {
    self.timeScale = timeScale
    self.dataDeviation = dataDeviation
  }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels; the last one says what the result is scaled by, and is clean for data.
  /// - Returns: One update for each step, all with noise except the last.
  /// - Throws: `DiffusionError` if an option or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require(
      dataDeviation > 0 && dataDeviation < .infinity, "The data's deviation is \(dataDeviation): it must be above 0.")
    try require(timeScale >= 0 && timeScale < .infinity, "The time scale is \(timeScale): it must be at least 0.")
    try grid.checkLevels()
    let variance = dataDeviation * dataDeviation
    return grid.plan(
      grid.spans.enumerated().map { index, span in
        let time = timeScale * span.level.time
        let norm = time * time + variance
        let isLast = index + 1 == grid.steps
        let scale = isLast ? 1 : span.next.alpha
        var update = grid.update(from: span.level, to: span.next)
        update.sample = scale * variance / norm
        update.x0 = scale * time / norm.squareRoot()
        update.noise = isLast ? 0 : span.next.sigma
        return update
      })
  }

  /// How many timesteps the published models were distilled for.
  public static let distilledTimesteps = 50

  /// The timesteps for few steps, out of those the model was distilled for.
  /// - Parameters:
  ///   - steps: How many.
  ///   - distilled: How many the model was distilled for, evenly spaced in its training timesteps.
  ///   - count: The training timesteps.
  /// - Returns: Timesteps from noise to data.
  /// - Throws: `DiffusionError` unless 1 ≤ steps ≤ distilled ≤ count.
  public static func timesteps(
    _ steps: Int, distilled: Int = distilledTimesteps, of count: Int = 1000
  ) throws(DiffusionError) -> [Double] {
    try require(
      1 <= steps && steps <= distilled && distilled <= count,
      "\(steps) steps of the \(distilled) that consistency models are distilled for, out of \(count) timesteps: each must "
        + "be at least 1 and at most the next; other spacings, such as trailing, take more steps.")
    // Entry k, counted from noise, of the distilled timesteps (count / distilled) · i - 1.
    return (0..<steps).map { step in
      Double((distilled - step * distilled / steps) * (count / distilled) - 1)
    }
  }
}

extension SamplerName {
  /// Latent consistency sampling. Its last step goes to the predicted data, wherever the grid ends. Timesteps are those the
  /// models were distilled for: at timestep 0, where other spacings end, an evaluation would leave the sample as it is.
  public static let lcm = SamplerName(
    "lcm", Description("latent consistency sampling, for models distilled for it (Luo et al., 2023)", order: nil),
    family: .discrete, traits: SamplerTraits(.timesteps, takesFinalLevel: false, spacing: .consistency)
  ) { _, _ in LCM() }
}
