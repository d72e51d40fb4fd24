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
