internal import ModelFiles

/// Pseudo numerical methods (Liu et al., 2022): Adams-Bashforth sums of ε with equal weights for equal steps, put into
/// DDIM's step `x' = (α'/α) x + (σ' - α' σ/α) ε`. One evaluation a step after the start.
public struct PNDM: Planner {
  /// How the first three steps do without older values of ε.
  public enum WarmUp: Sendable, Hashable {
    /// The first step is taken twice, the second time with the mean of ε at both ends; orders then rise. diffusers'
    /// `skip_prk_steps`, known as PLMS.
    case multistep
    /// The first three steps are of a pseudo Runge-Kutta method with four evaluations each, which needs the level halfway
    /// through each: for a model of discrete time that of the timestep halfway.
    case rungeKutta(halfway: [NoiseLevel])
  }

  /// How the method starts.
  public var warmUp: WarmUp

  /// A method with its start.
  public init(warmUp: WarmUp = .multistep) { self.warmUp = warmUp }

  /// The coefficients of every step.
  /// - Parameter grid: Levels that all have signal, without clipping. They should be evenly spaced in time.
  /// - Returns: One update for each step; two for the first one of a multistep start, five for each of a Runge-Kutta start.
  /// - Throws: `DiffusionError` if the grid does not suit the method, or has too few steps for the warm-up.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkLevels()
    try grid.checkSignal(for: "PNDM")
    try grid.checkNoClipping(for: "PNDM")
    var history = OutputHistory(registers: 3..<7)
    var updates: [PlannedUpdate] = []
    var sample = 0
    let spans = grid.spans
    var warmedUp = 0
    switch warmUp {
    case .multistep:
      if spans.count > 1 {
        updates = twice(spans[0], grid, &history)
        (sample, warmedUp) = (1, 1)
      }
    case .rungeKutta(let halfway):
      try check(halfway, spans)
      for (span, middle) in zip(spans, halfway) {
        updates += rungeKutta(span, middle, grid, from: sample, &history)
        sample = 1 - sample
      }
      warmedUp = halfway.count
    }
    for span in spans.dropFirst(warmedUp) {
      let weights = Self.adamsBashforth[min(history.count, 3)]
      let step = PseudoStep(span)
      var update = grid.update(from: span.level, to: span.next)
      update.input = sample
      update.output = sample
      update.sample = step.sample
      update.epsilon = step.epsilon * weights[0]
      update.history = weights.indices.dropFirst().map { history.term($0 - 1, step.epsilon * weights[$0]) }
      update.keptEpsilon = history.free
      history.push(span.level)
      updates.append(update)
    }
    return grid.plan(updates)
  }

  /// Weights of the values of ε, newest first, for one to four of them.
  private static let adamsBashforth: [[Double]] = [
    [1], [3.0 / 2, -1.0 / 2], [23.0 / 12, -16.0 / 12, 5.0 / 12], [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24],
  ]

  private func check(_ halfway: [NoiseLevel], _ spans: [LevelSpan]) throws(DiffusionError) {
    try require(
      halfway.count == 3 && spans.count > 3,
      "A Runge-Kutta warm-up takes three of at least four steps, each with its level halfway; there are \(halfway.count) levels and \(spans.count) steps."
    )
    for (index, (span, middle)) in zip(spans, halfway).enumerated() {
      try require(
        middle.alpha > 0 && span.level.lambda <= middle.lambda && middle.lambda <= span.next.lambda,
        "The level halfway through step \(index) does not lie between the step's ends.")
    }
  }

  /// The first step, and again from its start with the mean slope. The second evaluation is not kept.
  private func twice(_ span: LevelSpan, _ grid: TimeGrid, _ history: inout OutputHistory) -> [PlannedUpdate] {
    let step = PseudoStep(span)
    var first = grid.update(from: span.level, to: span.next)
    first.sample = step.sample
    first.epsilon = step.epsilon
    first.output = 1
    first.keptEpsilon = history.free
    first.finishesStep = false
    history.push(span.level)
    var second = grid.update(from: span.next, to: span.next)
    second.input = 1
    second.output = 1
    second.epsilon = step.epsilon / 2
    second.history = [.init(0, step.sample), history.term(0, step.epsilon / 2)]
    return [first, second]
  }

  /// One step with ε at its start, twice halfway and at its end, weighted 1, 2, 2 and 1. Only the first is kept for later.
  private func rungeKutta(
    _ span: LevelSpan, _ middle: NoiseLevel, _ grid: TimeGrid, from start: Int, _ history: inout OutputHistory
  ) -> [PlannedUpdate] {
    let whole = PseudoStep(span)
    let half = PseudoStep(LevelSpan(span.level, middle))
    let stage = 1 - start
    // The two values halfway are only needed as their sum: the first goes to register 2, the second to the history's
    // register that is still free.
    let firstHalfway = 2

    var one = grid.update(from: span.level, to: middle)
    one.input = start
    one.output = stage
    one.sample = half.sample
    one.epsilon = half.epsilon
    one.keptEpsilon = history.free
    history.push(span.level)
    let atStart = history.term(0, whole.epsilon / 6)

    var two = grid.update(from: middle, to: middle)
    two.epsilon = half.epsilon
    two.history = [.init(start, half.sample)]
    two.keptEpsilon = firstHalfway

    var three = grid.update(from: middle, to: span.next)
    three.epsilon = whole.epsilon
    three.history = [.init(start, whole.sample)]
    three.keptEpsilon = history.free

    var four = grid.update(from: span.next, to: span.next)
    four.epsilon = whole.epsilon / 6
    four.history = [.init(start, whole.sample), atStart, .init(firstHalfway, whole.epsilon / 3)]

    var rest = grid.idle(LevelSpan(span.next, span.next), from: stage, to: stage)
    rest.history = [.init(history.free ?? firstHalfway, whole.epsilon / 3)]
    var updates = [one, two, three, four, rest]
    for index in updates.indices {
      if index > 0 { updates[index].input = stage }
      updates[index].output = stage
      updates[index].finishesStep = index == updates.count - 1
    }
    return updates
  }
}

/// DDIM's step with a given ε.
private struct PseudoStep {
  let sample: Double
  let epsilon: Double

  init(_ span: LevelSpan) {
    sample = span.next.alpha / span.level.alpha
    epsilon = span.next.sigma - sample * span.level.sigma
  }
}

extension SamplerName {
  /// Pseudo linear multistep with a Runge-Kutta start.
  public static let pndm = SamplerName(
    "pndm", Description("pseudo linear multistep with a Runge-Kutta start (Liu et al., 2022)", order: 2),
    family: .discrete, traits: SamplerTraits(.timesteps, clipping: .none, keepsFinalLevel: true)
  ) { method, grid throws(DiffusionError) in
    PNDM(warmUp: .rungeKutta(halfway: try PNDM.halfway(grid, of: method)))
  }

  /// Pseudo linear multistep with a multistep start.
  public static let plms = SamplerName(
    "plms", Description("pseudo linear multistep with a multistep start", order: 2), family: .discrete,
    traits: SamplerTraits(.timesteps, clipping: .none, keepsFinalLevel: true)
  ) { _, _ in PNDM(warmUp: .multistep) }
}

extension PNDM {
  /// The levels at the timesteps halfway through the first three steps, as the Runge-Kutta method has them. Where steps are
  /// all N // S long, diffusers' `N // S // 2` leads to the same timesteps. Where they are not, as with linspace, diffusers
  /// takes the sample `N // S // 2` below the step's start and tells the network a timestep as far above its end.
  fileprivate static func halfway(_ grid: TimeGrid, of method: SamplingMethod) throws(DiffusionError) -> [NoiseLevel] {
    let schedule = try method.usedTimestepSchedule()
    // A network may be told something else than the timestep.
    func timestep(_ level: NoiseLevel) -> Double {
      method.tellsLogSigma ? schedule.timestep(forSigma: level.exploding.sigma) : level.time
    }
    var levels: [NoiseLevel] = []
    for (level, next) in zip(grid.levels, grid.levels.dropFirst()).prefix(3) {
      let middle = max(0, ((timestep(level) + timestep(next)) / 2).rounded())
      var halfway = NoiseLevel(time: middle, alphaBar: try schedule.alphaBar(at: middle))
      if method.tellsLogSigma { halfway.time = SigmaTime.quarterLogarithm.time(halfway.exploding.sigma) }
      levels.append(halfway)
    }
    return levels
  }
}

/// PNDM and PLMS as diffusers configures them.
struct PNDMScheduler: SchedulerClass {
  static let name = "PNDMScheduler"
  static let traits = SchedulerTraits(
    spacing: .leading, clipping: .none, end: .setAlphaToOne(usual: false), rescalesBetas: false)

  private let skipsWarmUp: Bool

  init(_ fields: JSONFields) throws(ModelFileError) { skipsWarmUp = try fields.bool("skip_prk_steps") ?? false }

  func method(steps: Int) -> SamplingMethod { SamplingMethod(skipsWarmUp ? .plms : .pndm, steps: steps) }
}
