/// One step between two levels, as solvers of the diffusion ODE see it: without noise it is
/// `x' = sample · x + x0 · D`, D an estimate of x0 over the step.
struct LevelSpan {
  let level: NoiseLevel
  let next: NoiseLevel

  init(_ level: NoiseLevel, _ next: NoiseLevel) {
    self.level = level
    self.next = next
  }

  /// h = λ' - λ. Infinite from a level without signal and to clean data.
  var h: Double { next.lambda - level.lambda }

  /// σ' / σ
  var sample: Double { next.sigma / level.sigma }

  /// `α' - α σ' / σ`, which is `-α' (e^(-h) - 1)` and needs no λ: exact at both ends of the noise.
  var x0: Double { next.alpha - level.alpha * sample }

  /// `e^(-h)`, likewise.
  var decay: Double { sample * level.alpha / next.alpha }

  /// Whether the step leads nowhere, as between repeated levels: h = 0, which no history can be divided by.
  var isEmpty: Bool { level.alpha == next.alpha && level.sigma == next.sigma }
}

extension TimeGrid {
  /// The grid's steps as spans.
  var spans: [LevelSpan] { zip(levels, levels.dropFirst()).map { LevelSpan($0, $1) } }

  /// An update that takes x from one register to another, for steps between repeated levels.
  func idle(_ span: LevelSpan, from input: Int, to output: Int) -> PlannedUpdate {
    var update = update(from: span.level, to: span.next)
    update.evaluates = false
    update.sample = 1
    update.input = input
    update.output = output
    return update
  }

  /// Refuses what a method that only uses ε cannot do: ε is taken before x0 is clipped.
  func checkNoClipping(for method: String) throws(DiffusionError) {
    try require(clipping == .none, "\(method) works on ε, which clipping x0 does not change: turn clipping off.")
  }
}
