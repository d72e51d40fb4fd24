/// The multistep solver DPM-Solver++ (Lu et al., 2022): an exponential integrator of the probability flow whose x0 is
/// extrapolated from the last `order` outputs. One evaluation a step.
///
/// The first steps have a lower order, for want of outputs; so has a step to clean data, where λ is infinite.
public struct DPMSolverPlusPlus: Planner {
  /// How the second order uses the slope of x0.
  public enum Variant: String, Sendable, Hashable, CaseIterable {
    /// ½ times the first-order weight, as in the paper.
    case midpoint
    /// The exact integral of a linear x0.
    case heun
  }

  /// 1, 2 (2M) or 3 (3M). Order 1 is DDIM.
  public var order: Int
  /// How order 2 uses the slope; order 3 has one way only.
  public var variant: Variant
  /// Whether the last step has order 1 and the one before it at most order 2, which is steadier with few steps.
  /// diffusers does so below 15 steps.
  public var lowerOrderFinal: Bool

  /// A solver of the given order.
  public init(order: Int = 2, variant: Variant = .midpoint, lowerOrderFinal: Bool = true) {
    self.order = order
    self.variant = variant
    self.lowerOrderFinal = lowerOrderFinal
  }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels.
  /// - Returns: One update for each step.
  /// - Throws: `DiffusionError` if the order is not 1, 2 or 3, or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require((1...3).contains(order), "DPM-Solver++ has order 1, 2 or 3, not \(order).")
    try grid.checkLevels()
    var history = OutputHistory(registers: 1..<(order + 1))
    var updates: [PlannedUpdate] = []
    for (index, span) in grid.spans.enumerated() {
      guard !span.isEmpty else {
        updates.append(grid.idle(span, from: 0, to: 0))
        continue
      }
      let earlier = history.entries.prefix(orderOfStep(index, of: grid, span) - 1).map(\.level.lambda)
      let weights = MultistepWeights(span, earlier: Array(earlier), variant: variant).outputs
      var update = grid.update(from: span.level, to: span.next)
      update.sample = span.sample
      update.x0 = weights[0]
      update.history = weights.indices.dropFirst().map { history.term($0 - 1, weights[$0]) }
      if order > 1 && index + 1 < grid.steps {
        update.keptX0 = history.free
        history.push(span.level)
      }
      updates.append(update)
    }
    return grid.plan(updates)
  }

  private func orderOfStep(_ index: Int, of grid: TimeGrid, _ span: LevelSpan) -> Int {
    if span.next.sigma == 0 { return 1 }
    return lowerOrderFinal ? min(order, grid.steps - index) : order
  }
}
