/// The singlestep solver DPM-Solver++(2S) (Lu et al., 2022): over two steps of the grid at once, with the level between
/// them as its inner stage. One evaluation a step of the grid; the sample between is of first order.
public struct DPMSolverSinglestep: Planner {
  /// Whether the last step stands alone, with order 1. It does anyway if the number of steps is odd, or it leads to
  /// clean data.
  public var lowerOrderFinal: Bool

  /// A solver of order 2.
  public init(lowerOrderFinal: Bool = true) { self.lowerOrderFinal = lowerOrderFinal }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels.
  /// - Returns: One update for each step.
  /// - Throws: `DiffusionError` if the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkLevels()
    let kept = 2
    var updates: [PlannedUpdate] = []
    // The pair's first step leaves x in its register and takes the sample between to the other.
    var start = 0
    var first: LevelSpan?
    for (index, span) in grid.spans.enumerated() {
      let isLast = index + 1 == grid.steps
      let standsAlone = span.next.sigma == 0 || lowerOrderFinal && isLast
      let between = updates.last?.output ?? 0
      // A pair may end with a step that leads nowhere: its first step is taken again with the output found there. It cannot
      // begin with one, whose output would lie at the same place as the next.
      if span.isEmpty, first == nil || standsAlone {
        updates.append(grid.idle(span, from: between, to: between))
        (start, first) = (between, nil)
        continue
      }
      var update = grid.update(from: span.level, to: span.next)
      update.input = between
      if let inner = first, !standsAlone {
        let whole = LevelSpan(inner.level, span.next)
        let slope = whole.x0 / 2 * slopeScale(whole, inner)
        update.x0 = slope
        update.history = [.init(start, whole.sample), .init(kept, whole.x0 - slope)]
        update.output = between
        (start, first) = (between, nil)
      } else {
        update.sample = span.sample
        update.x0 = span.x0
        let opensPair = !isLast && first == nil
        update.output = opensPair ? 1 - between : between
        update.keptX0 = opensPair ? kept : nil
        (start, first) = opensPair ? (between, span) : (between, nil)
      }
      updates.append(update)
    }
    return grid.plan(updates)
  }

  /// 1 / r0; 0 from a level without signal, which is infinitely far away.
  private func slopeScale(_ whole: LevelSpan, _ inner: LevelSpan) -> Double {
    inner.h.isFinite ? whole.h / inner.h : 1
  }
}

extension SamplerName {
  /// DPM-Solver++ 2S.
  public static let dpmSolver2S = SamplerName(
    "dpm-solver-2s", spellings: ["dpmpp2s", "dpmsolverpp2s"],
    Description("DPM-Solver++ 2S, singlestep: pairs of steps", order: 2), family: .lambda,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, _ in DPMSolverSinglestep(lowerOrderFinal: false) }
}
