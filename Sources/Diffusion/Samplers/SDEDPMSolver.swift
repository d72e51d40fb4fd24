/// The multistep solver DPM-Solver++ for the reverse SDE (Lu et al., 2022, appendix; "SDE-DPM-Solver++(2M)"):
/// `x' = (σ'/σ) e^(-h) x + α' (1 - e^(-2h)) (m0 + ½ D1) + σ' √(1 - e^(-2h)) z`. One evaluation a step.
public struct SDEDPMSolverPlusPlus: Planner {
  /// 1 or 2. Order 1 is DDIM with η = 1.
  public var order: Int
  /// Whether the last step has order 1; diffusers does so below 15 steps.
  public var lowerOrderFinal: Bool

  /// A solver of the given order.
  public init(order: Int = 2, lowerOrderFinal: Bool = true) {
    self.order = order
    self.lowerOrderFinal = lowerOrderFinal
  }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels.
  /// - Returns: One update for each step, all with noise except the step to clean data.
  /// - Throws: `DiffusionError` if the order is not 1 or 2, or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require((1...2).contains(order), "SDE-DPM-Solver++ has order 1 or 2, not \(order).")
    try grid.checkLevels()
    var history = OutputHistory(registers: 1..<(order + 1))
    var updates: [PlannedUpdate] = []
    for (index, span) in grid.spans.enumerated() {
      guard !span.isEmpty else {
        updates.append(grid.idle(span, from: 0, to: 0))
        continue
      }
      let fresh = 1 - span.decay * span.decay
      var update = grid.update(from: span.level, to: span.next)
      update.sample = span.sample * span.decay
      update.x0 = span.next.alpha * fresh
      update.noise = span.next.sigma * fresh.squareRoot()
      let isLast = index + 1 == grid.steps
      let lowersOrder = span.next.sigma == 0 || lowerOrderFinal && isLast
      if !lowersOrder, let earlier = history.entries.first {
        let r0 = (span.level.lambda - earlier.level.lambda) / span.h
        let slope = span.next.alpha * fresh / 2 / r0
        update.x0 += slope
        update.history = [history.term(0, -slope)]
      }
      if order > 1 && !isLast {
        update.keptX0 = history.free
        history.push(span.level)
      }
      updates.append(update)
    }
    return grid.plan(updates)
  }
}

extension SamplerName {
  /// SDE-DPM-Solver++ 2M.
  public static let sdeDPMSolver = SamplerName(
    "sde-dpm-solver-2m",
    spellings: [
      "dpmpp2msde", "sdedpmpp2m", "sdedpmpp", "sdedpmsolverpp", "sdedpmsolverpp2m",
    ],
    Description("SDE-DPM-Solver++ 2M: the reverse SDE, multistep", order: nil), family: .lambda,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, grid in SDEDPMSolverPlusPlus(lowerOrderFinal: grid.steps < DPMSolverPlusPlus.steadySteps) }
}
