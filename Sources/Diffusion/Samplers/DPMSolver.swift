internal import ModelFiles

/// The multistep solver DPM-Solver++ (Lu et al., 2022): an exponential integrator of the probability flow whose x0 is
/// extrapolated from the last `order` outputs. One evaluation a step.
///
/// The first steps have a lower order, because older outputs are missing, and so has a step to clean data, because λ is
/// infinite there.
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
  /// Whether the last step alone has order 1, whatever `lowerOrderFinal` says; `euler_at_final` in diffusers.
  public var eulerAtFinal: Bool

  /// With fewer steps than this the last ones have a lower order, as in diffusers, which is steadier. With more it would cost
  /// what the order gains.
  static let steadySteps = 15

  /// A solver of the given order.
  public init(
    order: Int = 2, variant: Variant = .midpoint, lowerOrderFinal: Bool = true, eulerAtFinal: Bool = false
  ) {
    self.order = order
    self.variant = variant
    self.lowerOrderFinal = lowerOrderFinal
    self.eulerAtFinal = eulerAtFinal
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
    if span.next.sigma == 0 || eulerAtFinal && index + 1 == grid.steps { return 1 }
    return lowerOrderFinal ? min(order, grid.steps - index) : order
  }
}

/// The weights of a data prediction's value and slopes in one step of DPM-Solver++:
/// `x' = (σ'/σ) x + value · m0 + first · D1 + second · D2` (Lu et al., "DPM-Solver++", 2022).
struct MultistepWeights {
  /// Weights of the newest output and of the older ones, newest first.
  let outputs: [Double]

  /// The weights of one step.
  /// - Parameters:
  ///   - span: The step.
  ///   - earlier: λ of the older outputs, newest first: one for each order above 1.
  ///   - variant: How the second order uses the slope.
  init(_ span: LevelSpan, earlier: [Double], variant: DPMSolverPlusPlus.Variant) {
    let h = span.h
    let lambda = span.level.lambda
    let value = span.x0
    guard let first = earlier.first else {
      outputs = [value]
      return
    }
    // An output at a level without signal lies infinitely far back: its weight becomes 0.
    let r0 = (lambda - first) / h
    guard earlier.count > 1 else {
      let slope = variant == .midpoint ? value / 2 : span.next.alpha * h * ExponentialFunctions.phi(2, -h)
      outputs = [value + slope / r0, -slope / r0]
      return
    }
    let slope = span.next.alpha * h * ExponentialFunctions.phi(2, -h)
    let curvature = span.next.alpha * h * ExponentialFunctions.phi(3, -h)
    let r1 = (first - earlier[1]) / h
    // D1 = d0 + share · (d0 - d1), D2 = (d0 - d1) / (r0 + r1); d0 = (m0 - m1) / r0, d1 = (m1 - m2) / r1.
    let share = r1.isFinite ? r0 / (r0 + r1) : 0
    let d0 = slope * (1 + share) + curvature / (r0 + r1)
    let d1 = -slope * share - curvature / (r0 + r1)
    outputs = [value + d0 / r0, -d0 / r0 + d1 / r1, -d1 / r1]
  }
}

extension SamplerName {
  /// DPM-Solver++ of order 1.
  public static let dpmSolver1 = SamplerName(
    "dpm-solver-1",
    spellings: ["dpmpp1", "dpmsolverpp1"],
    Description("DPM-Solver++ of order 1: DDIM's step (Lu et al., 2022)", order: 1), family: .lambda,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, grid in DPMSolverPlusPlus(order: 1, lowerOrderFinal: grid.steps < DPMSolverPlusPlus.steadySteps) }

  /// DPM-Solver++ 2M.
  public static let dpmSolver2M = SamplerName(
    "dpm-solver-2m",
    spellings: ["dpmpp", "dpmpp2m", "dpmsolver", "dpmsolverpp", "dpmsolverpp2m"],
    Description("DPM-Solver++ 2M, multistep: a good default (Lu et al., 2022)", order: 2), family: .lambda,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, grid in DPMSolverPlusPlus(order: 2, lowerOrderFinal: grid.steps < DPMSolverPlusPlus.steadySteps) }

  /// DPM-Solver++ 3M.
  public static let dpmSolver3M = SamplerName(
    "dpm-solver-3m",
    spellings: ["dpmpp3m", "dpmsolverpp3m"],
    Description("DPM-Solver++ 3M, multistep", order: 3), family: .lambda,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, grid in DPMSolverPlusPlus(order: 3, lowerOrderFinal: grid.steps < DPMSolverPlusPlus.steadySteps) }
}

extension SamplingMethod {
  /// DPM-Solver++ 2M (Lu et al., 2022).
  public static func dpmSolver(steps: Int) -> SamplingMethod { SamplingMethod(.dpmSolver2M, steps: steps) }
}

/// DPM-Solver++, and its form for the reverse SDE, as diffusers configures them.
struct DPMSolverMultistepScheduler: SchedulerClass {
  static let name = "DPMSolverMultistepScheduler"
  static let traits = SchedulerTraits(
    spacing: .linspace, clipping: .dynamic, end: .finalSigmasType, needsFiniteLambda: true, cutsCosineTimes: true,
    limitsLambda: true)

  private let order: Int
  private let isStochastic: Bool
  private let variant: DPMSolverPlusPlus.Variant
  /// `lower_order_final`: with few steps the last ones have a lower order.
  private let lowersFewSteps: Bool
  /// `euler_at_final`: the last alone always has.
  private let endsWithEuler: Bool

  init(_ fields: JSONFields) throws(ModelFileError) {
    order = try fields.integer("solver_order", in: 1...3) ?? 2
    // deis is what diffusers takes for dpmsolver++.
    isStochastic =
      try fields.choice(
        "algorithm_type", of: [("dpmsolver++", false), ("deis", false), ("sde-dpmsolver++", true)]) ?? false
    // What belongs to other solvers diffusers takes for midpoint.
    variant =
      try fields.choice(
        "solver_type",
        of: [
          ("midpoint", .midpoint), ("heun", .heun), ("logrho", .midpoint), ("bh1", .midpoint), ("bh2", .midpoint),
        ]) ?? .midpoint
    lowersFewSteps = try fields.bool("lower_order_final") ?? true
    endsWithEuler = try fields.bool("euler_at_final") ?? false
    guard isStochastic else { return }
    guard order <= 2 else {
      throw fields.error("solver_order", "\(order) is not supported with sde-dpmsolver++; 1 and 2 are")
    }
    guard variant == .midpoint else {
      throw fields.error("solver_type", "'heun' is not supported with sde-dpmsolver++; 'midpoint' is")
    }
  }

  func method(steps: Int) -> SamplingMethod {
    let lowersOrder = lowersFewSteps && steps < DPMSolverPlusPlus.steadySteps
    guard !isStochastic else {
      var method = SamplingMethod(.sdeDPMSolver, steps: steps)
      method.solver = SDEDPMSolverPlusPlus(order: order, lowerOrderFinal: lowersOrder || endsWithEuler)
      return method
    }
    let name: SamplerName = order == 1 ? .dpmSolver1 : order == 2 ? .dpmSolver2M : .dpmSolver3M
    var method = SamplingMethod(name, steps: steps)
    method.solver = DPMSolverPlusPlus(
      order: order, variant: variant, lowerOrderFinal: lowersOrder, eulerAtFinal: endsWithEuler)
    return method
  }
}
