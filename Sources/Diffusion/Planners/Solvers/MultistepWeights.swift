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
