internal import ModelFiles

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

/// Euler's method to a lower level than the next, from which noise leads up to it. With s = σ / α:
/// `s_up² = s'² (s² - s'²) / s²`, `s_down² = s'² - s_up²` (ancestral sampling in Song et al., 2021, for any α).
public struct EulerAncestral: Planner {
  /// The share of s_up, in 0 … 1; with 0 nothing is random.
  public var eta: Double

  /// A sampler with its share of noise.
  public init(eta: Double = 1) { self.eta = eta }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels.
  /// - Returns: One update for each step, all with noise except the step to clean data.
  /// - Throws: `DiffusionError` if η or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require(eta >= 0 && eta <= 1, "η is \(eta): it must lie between 0, no noise, and 1, ancestral sampling.")
    try grid.checkLevels()
    return grid.plan(
      grid.spans.map { span in
        let next = span.next
        // In σ at the next level's α; s'/s is e^(-h).
        let up = eta * next.sigma * max(1 - span.decay * span.decay, 0).squareRoot()
        let down = max(next.sigma * next.sigma - up * up, 0).squareRoot()
        var update = grid.euler(
          LevelSpan(span.level, NoiseLevel(time: next.time, alpha: next.alpha, sigma: down)))
        update.next = next
        update.noise = up
        return update
      })
  }
}

/// Noise added before a step, which is then taken from the higher level (Karras et al., 2022, algorithm 2).
public struct Churn: Sendable, Hashable {
  /// S_churn: how much noise in all; divided by the number of steps.
  public var amount: Double
  /// S_min … S_max: the σ̂ at which noise is added.
  public var range: ClosedRange<Double>
  /// S_noise: the noise's standard deviation, a little above 1 to make up for what networks remove too much.
  public var noise: Double
  /// What a network is told at the higher level.
  public var time: SigmaTime

  /// Noise of an amount.
  public init(amount: Double, range: ClosedRange<Double> = 0...Double.infinity, noise: Double = 1, time: SigmaTime) {
    self.amount = amount
    self.range = range
    self.noise = noise
    self.time = time
  }

  func check(_ grid: TimeGrid) throws(DiffusionError) {
    try require(
      grid.prediction != .flow, "Churn leads to levels with α + σ above 1, which a flow's velocity is not defined at.")
    try require(amount >= 0 && amount < .infinity, "The churn is \(amount): it must be at least 0; 0 adds no noise.")
    try require(noise >= 0 && noise < .infinity, "The churn's noise factor is \(noise): it must be at least 0.")
  }

  /// Lets an update evaluate at a raised level. A network of variance-preserving levels still expects unit variance there.
  static func enter(_ update: inout PlannedUpdate, from level: NoiseLevel) {
    let variance = level.alpha * level.alpha + level.sigma * level.sigma
    if abs(variance - 1) < 1e-9 { update.inputScale = update.level.unitScale }
  }

  /// The update that raises a level's noise; nil where none is added.
  func raise(_ level: NoiseLevel, on grid: TimeGrid, register: Int) -> PlannedUpdate? {
    let gamma = min(amount / Double(grid.steps), 2.0.squareRoot() - 1)
    // Without signal there is nothing that more noise could hide.
    guard gamma > 0, level.alpha > 0, range.contains(level.sigma / level.alpha) else { return nil }
    let sigma = level.sigma * (1 + gamma)
    let raised = NoiseLevel(time: time.time(sigma / level.alpha), alpha: level.alpha, sigma: sigma)
    var update = grid.update(from: level, to: raised)
    update.evaluates = false
    update.sample = 1
    update.noise = noise * (sigma * sigma - level.sigma * level.sigma).squareRoot()
    update.input = register
    update.output = register
    update.finishesStep = false
    return update
  }
}

extension SamplerName {
  /// Euler's method in σ.
  public static let euler = SamplerName(
    "euler", Description("Euler's method in σ (Karras et al., 2022)", order: 1), family: .sigma,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, _ in Euler() }

  /// Euler's method in σ with fresh noise each step.
  public static let eulerAncestral = SamplerName(
    "euler-ancestral", spellings: ["eulera"],
    Description("Euler's method in σ with fresh noise each step", order: nil), family: .sigma,
    traits: SamplerTraits(.timesteps, .continuous, eta: 1)
  ) { method, _ in EulerAncestral(eta: method.usedEta) }
}

/// Euler's method as diffusers configures it.
struct EulerDiscreteScheduler: SchedulerClass {
  static let name = "EulerDiscreteScheduler"
  static let traits = SchedulerTraits(
    spacing: .linspace, clipping: .none, end: .finalSigmasType, needsFiniteLambda: true, takesSigmaEnds: true,
    interpolatesSigmas: true)

  init(_ fields: JSONFields) {}

  func method(steps: Int) -> SamplingMethod { SamplingMethod(.euler, steps: steps) }
}
