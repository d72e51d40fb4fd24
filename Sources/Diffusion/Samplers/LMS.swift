/// The linear multistep method of Adams and Bashforth with unequal steps: ε as a polynomial in s = σ / α through its last
/// `order` values, integrated exactly: `y' = y + Σ c_k ε_k`, y = x / α (used for diffusion by K. Crowson, k-diffusion).
public struct LMS: Planner {
  /// How many values of ε are used, 1 … 4.
  public var order: Int

  /// A method of the given order.
  public init(order: Int = 4) { self.order = order }

  /// The coefficients of every step.
  /// - Parameter grid: Levels that all have signal, without clipping.
  /// - Returns: One update for each step.
  /// - Throws: `DiffusionError` if the order is not in 1 … 4, or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require((1...4).contains(order), "LMS has order 1 to 4, not \(order).")
    try grid.checkLevels()
    try grid.checkSignal(for: "LMS")
    try grid.checkNoClipping(for: "LMS")
    var history = OutputHistory(registers: 1..<(order + 1))
    var updates: [PlannedUpdate] = []
    for span in grid.spans {
      guard !span.isEmpty else {
        updates.append(grid.idle(span, from: 0, to: 0))
        continue
      }
      let known = [span.level] + history.entries.prefix(order - 1).map(\.level)
      let weights = Self.integrals(
        places: known.map { $0.sigma / $0.alpha }, to: span.next.sigma / span.next.alpha)
      var update = grid.update(from: span.level, to: span.next)
      update.sample = span.next.alpha / span.level.alpha
      update.epsilon = span.next.alpha * weights[0]
      update.history = weights.indices.dropFirst().map { history.term($0 - 1, span.next.alpha * weights[$0]) }
      if order > 1 {
        update.keptEpsilon = history.free
        history.push(span.level)
      }
      updates.append(update)
    }
    return grid.plan(updates)
  }

  /// The integrals of the Lagrange polynomials of `places`, from the first place to `end`.
  ///
  /// Their degree is at most 3, for which Gauss' rule with two points is exact.
  static func integrals(places: [Double], to end: Double) -> [Double] {
    let start = places.first ?? end
    let (middle, half) = ((start + end) / 2, (end - start) / 2)
    let points = [middle - half / 3.0.squareRoot(), middle + half / 3.0.squareRoot()]
    return places.indices.map { own in
      points.reduce(0) { sum, point in
        var value = half
        for other in places.indices where other != own {
          value *= (point - places[other]) / (places[own] - places[other])
        }
        return sum + value
      }
    }
  }
}

extension SamplerName {
  /// Linear multistep.
  public static let lms = SamplerName(
    "lms", Description("linear multistep of order 4 in σ", order: 4), family: .sigma,
    traits: SamplerTraits(.timesteps, .continuous, clipping: .none)
  ) { _, _ in LMS() }
}
