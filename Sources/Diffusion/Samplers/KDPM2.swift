/// The midpoint method in y = x / α over s = σ / α (`sample_dpm_2` of k-diffusion, after DPM-Solver-2 of Lu et al., 2022, and
/// Karras et al., 2022): Euler's step to the geometric mean of both ends, then the whole step with the slope found there. Two
/// evaluations a step; a step to clean data is Euler's.
public struct KDPM2: Planner {
  /// What a network is told halfway, at a level that the grid does not have.
  public var time: SigmaTime

  /// The midpoint method.
  public init(time: SigmaTime) { self.time = time }

  /// The coefficients of every step.
  /// - Parameter grid: Levels that all have signal.
  /// - Returns: Two updates for each step, one for a step to clean data.
  /// - Throws: `DiffusionError` if the grid does not suit the method, or the denoiser predicts a flow.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkLevels()
    try grid.checkSignal(for: "The midpoint method")
    try require(
      grid.prediction != .flow,
      "The midpoint method evaluates between levels, where α + σ is not 1, which a flow's velocity is not defined at.")
    var updates: [PlannedUpdate] = []
    var register = 0
    for span in grid.spans {
      if span.isEmpty {
        updates.append(grid.idle(span, from: register, to: register))
      } else if span.next.sigma == 0 {
        var update = grid.euler(span)
        update.input = register
        update.output = register
        updates.append(update)
      } else {
        updates += pair(span, grid, from: register)
        register = 1 - register
      }
    }
    return grid.plan(updates)
  }

  /// A step's two updates. The start stays in its register until the slope halfway is known.
  private func pair(_ span: LevelSpan, _ grid: TimeGrid, from register: Int) -> [PlannedUpdate] {
    let (level, next) = (span.level, span.next)
    // At the start's α, so that σ / α is √(s s').
    var halfway = NoiseLevel(
      time: 0, alpha: level.alpha, sigma: (level.sigma * next.sigma * level.alpha / next.alpha).squareRoot())
    halfway.time = time.time(halfway.sigma / halfway.alpha)

    var first = grid.euler(LevelSpan(level, halfway))
    first.input = register
    first.output = 1 - register
    first.finishesStep = false

    // y' = y + (s' - s) · (y1 - m1) / √(s s'), times α'.
    let slope = (next.sigma / next.alpha - level.sigma / level.alpha) * halfway.alpha / halfway.sigma
    var second = grid.update(from: halfway, to: next)
    // As at a level with churn: networks of variance-preserving levels expect unit variance here, too.
    Churn.enter(&second, from: level)
    second.input = first.output
    second.output = first.output
    second.sample = next.alpha / halfway.alpha * slope
    second.x0 = -next.alpha * slope
    second.history = [.init(register, next.alpha / level.alpha)]
    return [first, second]
  }
}

extension SamplerName {
  /// The midpoint method in σ: DPM2 of k-diffusion, KDPM2 of diffusers.
  public static let kdpm2 = SamplerName(
    "kdpm2", spellings: ["dpm2", "sampledpm2"],
    Description("the midpoint method in σ (DPM2 of k-diffusion)", order: 2, evaluations: 2), family: .sigma,
    traits: SamplerTraits(.timesteps, .continuous, spacing: .karras)
  ) { method, _ throws(DiffusionError) in
    KDPM2(time: try method.toldTime())
  }
}
