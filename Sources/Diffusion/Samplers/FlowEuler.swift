/// Euler's method for flow matching (Lipman et al., 2023): `x' = x + (σ' - σ) v`.
public struct FlowEuler: Planner {
  /// Whether each step predicts x0 and draws fresh noise, `x' = (1 - σ') x0 + σ' z`; for distilled models.
  public var isStochastic: Bool

  /// Euler's method.
  public init(isStochastic: Bool = false) { self.isStochastic = isStochastic }

  /// The coefficients of every step.
  /// - Parameter grid: Levels with α = 1 - σ of a model that predicts the flow's velocity.
  /// - Returns: One update for each step.
  /// - Throws: `DiffusionError` if the grid is not a flow's.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require(
      grid.prediction == .flow,
      "FlowEuler needs a model that predicts the flow's velocity, not \(grid.prediction.rawValue): take Euler.")
    try grid.checkLevels()
    return grid.plan(
      grid.spans.map { span in
        var update = grid.euler(span)
        if isStochastic {
          update.sample = 0
          update.x0 = span.next.alpha
          update.noise = span.next.sigma
        }
        return update
      })
  }
}

extension SamplerName {
  /// Euler's method for flow matching.
  public static let flowEuler = SamplerName(
    "flow-euler", spellings: ["flow", "flowmatching"],
    Description("Euler's method for flow matching (Lipman et al., 2023)", order: 1), family: .flow,
    traits: SamplerTraits(.flow)
  ) { _, grid in
    // With a predicted sample, Euler's step along the flow is DDIM's.
    if grid.prediction == .flow { return FlowEuler() }
    return DDIM()
  }
}
