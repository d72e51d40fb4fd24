/// Euler's method in y = x / α over s = σ / α: `x' = (σ'/σ) x + (α' - α σ'/σ) x0` (Karras et al., 2022). It is DDIM with ε
/// taken anew from the clipped x0, and for a flow `x + (σ' - σ) v`.
public struct Euler: Planner {
  /// Noise added before each step; nil for none.
  public var churn: Churn?

  /// Euler's method.
  public init(churn: Churn? = nil) { self.churn = churn }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels.
  /// - Returns: One update for each step, and one more where noise is added.
  /// - Throws: `DiffusionError` if an option or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkLevels()
    try churn?.check(grid)
    var updates: [PlannedUpdate] = []
    for span in grid.spans {
      guard !span.isEmpty else {
        updates.append(grid.idle(span, from: 0, to: 0))
        continue
      }
      var level = span.level
      if let raise = churn?.raise(level, on: grid, register: 0) {
        updates.append(raise)
        level = raise.next
      }
      var update = grid.euler(LevelSpan(level, span.next))
      Churn.enter(&update, from: span.level)
      updates.append(update)
    }
    return grid.plan(updates)
  }
}

extension TimeGrid {
  /// Euler's step.
  func euler(_ span: LevelSpan) -> PlannedUpdate {
    var update = update(from: span.level, to: span.next)
    update.sample = span.sample
    update.x0 = span.x0
    return update
  }
}
