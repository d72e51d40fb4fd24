internal import ModelFiles

/// The unified predictor-corrector of data prediction (Zhao et al., 2023): a multistep predictor, whose result is
/// corrected once the network's output there is known. One evaluation a step; correcting raises the order by one.
public struct UniPC: Planner {
  /// The function B(h) that scales the slopes; both keep the order.
  public enum Variant: String, Sendable, Hashable, CaseIterable {
    /// B = -h, for few steps without guidance.
    case bh1
    /// B = e^(-h) - 1.
    case bh2

    func factor(_ h: Double) -> Double {
      switch self {
      case .bh1: -h
      case .bh2: -h * ExponentialFunctions.phi(1, -h)
      }
    }
  }

  /// Which predictions are corrected.
  public enum Corrector: Sendable, Hashable {
    /// All.
    case always
    /// None.
    case never
    /// All except those that these steps made, counted from 0; `disable_corrector` in diffusers. Large guidance makes the
    /// first corrections unsteady.
    case except(Set<Int>)

    func follows(step: Int) -> Bool {
      switch self {
      case .always: true
      case .never: false
      case .except(let steps): !steps.contains(step)
      }
    }
  }

  /// 1, 2 or 3.
  public var order: Int
  /// What B is.
  public var variant: Variant
  /// Which predictions are corrected.
  public var corrector: Corrector
  /// Whether the last steps have no more order than there are steps left. A step to clean data has order 1 anyway.
  public var lowerOrderFinal: Bool

  /// A solver of the given order.
  public init(
    order: Int = 2, variant: Variant = .bh2, corrector: Corrector = .always, lowerOrderFinal: Bool = true
  ) {
    self.order = order
    self.variant = variant
    self.corrector = corrector
    self.lowerOrderFinal = lowerOrderFinal
  }

  /// The coefficients of every step.
  /// - Parameter grid: Any levels.
  /// - Returns: One update for a step that does not correct, else two or three, of which the first evaluates.
  /// - Throws: `DiffusionError` if the order is not 1, 2 or 3, or the grid does not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try require((1...3).contains(order), "UniPC has order 1, 2 or 3, not \(order).")
    try grid.checkLevels()
    var state = State(history: OutputHistory(registers: 3..<(4 + order)))
    for (index, span) in grid.spans.enumerated() {
      // A step that leads nowhere predicts nothing, but what the step before it predicted is corrected.
      if !state.isEvaluated, let before = state.last, corrector.follows(step: before.step), before.span.h.isFinite {
        correct(span.level, grid, &state)
      }
      if span.isEmpty {
        state.updates.append(grid.idle(span, from: state.sample, to: state.sample))
      } else {
        predict(index, span, grid, &state)
      }
    }
    return grid.plan(state.updates)
  }

  /// What is known between two steps.
  private struct State {
    /// The step whose prediction `sample` holds.
    struct Step {
      let step: Int
      let span: LevelSpan
      let order: Int
      /// The register of the sample that it started from.
      let start: Int
    }

    var history: OutputHistory
    var updates: [PlannedUpdate] = []
    /// The register, of 0, 1 and 2, that the newest sample is in.
    var sample = 0
    var last: Step?
    /// Whether the output at the newest sample is known and in the history.
    var isEvaluated = false

    /// A register that holds neither the newest sample nor the one before.
    var freeSample: Int { (0...2).first { $0 != sample && $0 != last?.start } ?? 0 }
  }

  /// Evaluates at the predicted sample and takes the last step again with that output. It goes to a third register, as the
  /// sample that the step started from is read.
  private func correct(_ level: NoiseLevel, _ grid: TimeGrid, _ state: inout State) {
    guard let before = state.last else { return }
    let entries = state.history.entries.prefix(before.order)
    let weights = UniPCWeights(
      before.span, older: entries.dropFirst().map(\.level.lambda), correcting: true, variant: variant)
    var terms = [PlannedUpdate.HistoryTerm(before.start, before.span.sample), state.history.term(0, weights.start)]
    terms += weights.older.enumerated().map { state.history.term($0.offset + 1, $0.element) }
    var update = grid.update(from: level, to: level)
    update.x0 = weights.end
    update.input = state.sample
    update.output = state.freeSample
    update.keptX0 = state.history.free
    update.finishesStep = false
    update.history = Array(terms.prefix(3))
    state.updates.append(update)
    if terms.count > 3 {
      var rest = grid.idle(LevelSpan(level, level), from: update.output, to: update.output)
      rest.finishesStep = false
      rest.history = Array(terms.dropFirst(3))
      state.updates.append(rest)
    }
    state.history.push(level)
    state.sample = update.output
    state.isEvaluated = true
  }

  private func predict(_ index: Int, _ span: LevelSpan, _ grid: TimeGrid, _ state: inout State) {
    let known = state.history.count + (state.isEvaluated ? 0 : 1)
    let order = min(known, orderOfStep(index, of: grid, span))
    // Without a corrector nothing asks for the old sample again.
    let keepsStart = index + 1 < grid.steps && corrector.follows(step: index) && span.h.isFinite
    var update = grid.update(from: span.level, to: span.next)
    update.input = state.sample
    update.output = keepsStart ? freeOutput(state) : state.sample
    update.sample = span.sample
    let older = state.history.entries.dropFirst(state.isEvaluated ? 1 : 0).prefix(order - 1)
    let weights = UniPCWeights(span, older: older.map(\.level.lambda), correcting: false, variant: variant)
    if state.isEvaluated {
      update.evaluates = false
      update.history = ([weights.start] + weights.older).enumerated().map { state.history.term($0.offset, $0.element) }
    } else {
      update.x0 = weights.start
      update.history = weights.older.enumerated().map { state.history.term($0.offset, $0.element) }
      update.keptX0 = state.history.free
      state.history.push(span.level)
    }
    state.last = State.Step(step: index, span: span, order: order, start: state.sample)
    state.sample = update.output
    state.isEvaluated = false
    state.updates.append(update)
  }

  /// A register for a prediction that leaves the sample it starts from alone.
  private func freeOutput(_ state: State) -> Int { state.sample == 0 ? 1 : 0 }

  private func orderOfStep(_ index: Int, of grid: TimeGrid, _ span: LevelSpan) -> Int {
    if span.next.sigma == 0 { return 1 }
    return lowerOrderFinal ? min(order, grid.steps - index) : order
  }
}

/// The weights of outputs in one step of UniPC: `x' = (σ'/σ) x - α' φ₁ m0 - α' B Σ ρ_k D_k`, where φ₁ = e^(-h) - 1,
/// `D_k = (m_k - m0) / r_k` and `r_k = (λ_k - λ) / h` (Zhao et al., "UniPC", 2023).
///
/// ρ solves `Σ_k r_k^(i-1) ρ_k = i! φ_{i+1}(-h) · (-h) / B` for i = 1 … p, which makes the step exact for polynomials.
struct UniPCWeights {
  /// Of m0 at the step's start.
  let start: Double
  /// Of the older outputs, newest first.
  let older: [Double]
  /// Of the output at the step's end; 0 in a predictor.
  let end: Double

  /// The weights of one step.
  /// - Parameters:
  ///   - span: The step.
  ///   - older: λ of the outputs before the one at the step's start, newest first.
  ///   - correcting: Whether the output at the step's end is known.
  ///   - variant: What B is.
  init(_ span: LevelSpan, older: [Double], correcting: Bool, variant: UniPC.Variant) {
    let h = span.h
    // A place without signal is infinitely far back; its output counts nothing.
    let places = older.map { ($0 - span.level.lambda) / h }.filter(\.isFinite) + (correcting ? [1] : [])
    let rho = Self.solve(places, h, variant)
    // -α' B ρ_k / r_k
    let factor = -span.next.alpha * variant.factor(h)
    let weights = zip(rho, places).map { factor * $0 / $1 }
    start = span.x0 - weights.reduce(0, +)
    let olderCount = places.count - (correcting ? 1 : 0)
    self.older = Array(weights.prefix(olderCount)) + [Double](repeating: 0, count: older.count - olderCount)
    end = correcting ? weights.last ?? 0 : 0
  }

  private static func solve(_ places: [Double], _ h: Double, _ variant: UniPC.Variant) -> [Double] {
    // For a single slope the paper takes ½, its limit for small h, which keeps the order.
    if places.count <= 1 { return places.map { _ in 0.5 } }
    var factorial = 1.0
    var power = [Double](repeating: 1, count: places.count)
    var rows: [[Double]] = []
    for index in 1...places.count {
      factorial *= Double(index)
      rows.append(power + [-h * ExponentialFunctions.phi(index + 1, -h) * factorial / variant.factor(h)])
      power = zip(power, places).map { $0 * $1 }
    }
    return eliminate(rows)
  }

  /// Solves a small system, given with its right side as the last column.
  private static func eliminate(_ system: [[Double]]) -> [Double] {
    var rows = system
    let count = rows.count
    for pivot in 0..<count {
      let best = (pivot..<count).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
      rows.swapAt(pivot, best)
      for row in 0..<count where row != pivot {
        let ratio = rows[row][pivot] / rows[pivot][pivot]
        for column in pivot...count { rows[row][column] -= ratio * rows[pivot][column] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }
}

extension SamplerName {
  /// UniPC of order 2.
  public static let unipc2 = SamplerName(
    "unipc-2", spellings: ["unipc"],
    Description("UniPC, predictor and corrector of order 2 (Zhao et al., 2023)", order: 3), family: .lambda,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, _ in UniPC(order: 2) }

  /// UniPC of order 3.
  public static let unipc3 = SamplerName(
    "unipc-3", Description("UniPC of order 3", order: 4), family: .lambda,
    traits: SamplerTraits(.timesteps, .continuous)
  ) { _, _ in UniPC(order: 3) }
}

extension SamplingMethod {
  /// UniPC of order 2 (Zhao et al., 2023).
  public static func unipc(steps: Int) -> SamplingMethod { SamplingMethod(.unipc2, steps: steps) }
}

/// UniPC as diffusers configures it.
struct UniPCMultistepScheduler: SchedulerClass {
  static let name = "UniPCMultistepScheduler"
  static let traits = SchedulerTraits(
    spacing: .linspace, clipping: .dynamic, end: .finalSigmasType, needsFiniteLambda: true, takesSigmaEnds: true,
    endsAtLowestSigma: true)

  private let solver: UniPC

  init(_ fields: JSONFields) throws(ModelFileError) {
    if try fields.bool("predict_x0") == false { throw fields.error("predict_x0", "false is not supported") }
    for name in ["solver_p", "shift_terminal"] where fields[name] != nil {
      throw fields.error(name, "is not supported; it must be null")
    }
    let variant: UniPC.Variant =
      try fields.choice(
        "solver_type",
        of: [("bh1", .bh1), ("bh2", .bh2), ("midpoint", .bh2), ("heun", .bh2), ("logrho", .bh2)]) ?? .bh2
    let order = try fields.integer("solver_order", in: 1...3) ?? 2
    let uncorrected = Set(try fields.integers("disable_corrector", in: 0...1_000_000) ?? [])
    solver = UniPC(
      order: order, variant: variant, corrector: uncorrected.isEmpty ? .always : .except(uncorrected),
      lowerOrderFinal: try fields.bool("lower_order_final") ?? true)
  }

  func method(steps: Int) -> SamplingMethod {
    var method = SamplingMethod(solver.order == 3 ? .unipc3 : .unipc2, steps: steps)
    method.solver = solver
    return method
  }
}
