/// Heun's method in y = x / α over s = σ / α (Karras et al., 2022, algorithm 2): Euler's step, then the same step with the
/// mean of the slopes at both ends. Two evaluations a step; a step to clean data is Euler's.
public struct Heun: Planner {
  /// Noise added before each step; nil for none.
  public var churn: Churn?

  /// Heun's method.
  public init(churn: Churn? = nil) { self.churn = churn }

  /// The coefficients of every step.
  /// - Parameter grid: Levels that all have signal.
  /// - Returns: Two updates for each step, one for a step to clean data, and one more where noise is added.
  /// - Throws: `DiffusionError` if an option or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkLevels()
    try grid.checkSignal(for: "Heun's method")
    try churn?.check(grid)
    var updates: [PlannedUpdate] = []
    var register = 0
    for span in grid.spans {
      guard !span.isEmpty else {
        updates.append(grid.idle(span, from: register, to: register))
        continue
      }
      var level = span.level
      if let raise = churn?.raise(level, on: grid, register: register) {
        updates.append(raise)
        level = raise.next
      }
      let step = LevelSpan(level, span.next)
      if step.next.sigma == 0 {
        var update = grid.euler(step)
        Churn.enter(&update, from: span.level)
        update.input = register
        update.output = register
        updates.append(update)
      } else {
        var pair = pair(step, grid, from: register)
        Churn.enter(&pair[0], from: span.level)
        updates += pair
        register = 1 - register
      }
    }
    return grid.plan(updates)
  }

  /// A step's two updates. The start stays in its register until both slopes are known.
  private func pair(_ span: LevelSpan, _ grid: TimeGrid, from register: Int) -> [PlannedUpdate] {
    let kept = 2
    var first = grid.euler(span)
    first.input = register
    first.output = 1 - register
    first.keptX0 = kept
    first.finishesStep = false

    // y' = y + ½ (s' - s) · ((y - m0) / s + (y1 - m1) / s'), times α'.
    let half = (span.next.sigma / span.next.alpha - span.level.sigma / span.level.alpha) / 2
    let startSlope = half * span.level.alpha / span.level.sigma
    let endSlope = half * span.next.alpha / span.next.sigma
    var second = grid.update(from: span.next, to: span.next)
    second.input = first.output
    second.output = first.output
    second.sample = endSlope
    second.x0 = -span.next.alpha * endSlope
    second.history = [
      .init(register, span.next.alpha / span.level.alpha * (1 + startSlope)),
      .init(kept, -span.next.alpha * startSlope),
    ]
    return [first, second]
  }
}

extension TimeGrid {
  /// Refuses a level without signal, where σ / α is infinite.
  func checkSignal(for method: String) throws(DiffusionError) {
    try require(
      levels.allSatisfy { $0.alpha > 0 },
      "\(method) divides by α, which is 0 at the first level: give the schedule a floor or start one step later.")
  }
}

extension SamplerName {
  /// Heun's method in σ.
  public static let heun = SamplerName(
    "heun", Description("Heun's method in σ (Karras et al., 2022)", order: 2, evaluations: 2), family: .sigma,
    traits: SamplerTraits(.timesteps, .continuous, spacing: .karras)
  ) { _, _ in Heun() }

  /// Heun's method with the churn that Karras et al. (2022) found for CIFAR-10: S_churn 30, S_min 0.01, S_max 1, S_noise
  /// 1.007.
  public static let edm = SamplerName(
    "edm", spellings: ["edmheun"],
    Description("Heun's method with churn (EDM, Karras et al., 2022)", order: nil, evaluations: 2), family: .sigma,
    traits: SamplerTraits(.timesteps, .continuous, spacing: .karras)
  ) { method, _ throws(DiffusionError) in
    Heun(churn: Churn(amount: 30, range: 0.01...1, noise: 1.007, time: try method.toldTime()))
  }
}
