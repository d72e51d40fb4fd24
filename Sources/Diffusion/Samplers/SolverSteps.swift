extension TimeGrid {
  /// Checks what every planner relies on: levels that can be computed with, falling noise, and a prediction that x0 and ε
  /// follow from at every level except the last.
  func checkLevels() throws(DiffusionError) {
    try require(steps >= 1, "A grid of \(levels.count) levels has no step: give at least two.")
    try require(initialScale >= 0 && initialScale < .infinity, "The initial noise's size is \(initialScale).")
    for (index, level) in levels.enumerated() {
      let (alpha, sigma) = (level.alpha, level.sigma)
      try require(
        alpha >= 0 && sigma >= 0 && alpha + sigma > 0 && (alpha + sigma).isFinite,
        "Level \(index) has α = \(alpha) and σ = \(sigma): both must be finite and at least 0, and not both 0.")
      try require(
        sigma <= largestNumber,
        "Level \(index) has σ = \(sigma): devices compute in float32, where at most \(largestNumber) fits.")
      if index > 0 {
        // σ / α, without dividing by an α of 0.
        let previous = levels[index - 1]
        try require(
          alpha > 0 && sigma * previous.alpha <= previous.sigma * alpha,
          "Level \(index) has no signal or is noisier than the one before it: levels go from noise to data.")
      }
      if index < steps { try checkPrediction(at: level, index) }
    }
  }

  /// Whether every level has unit variance.
  var isVariancePreserving: Bool {
    levels.allSatisfy { abs($0.alpha * $0.alpha + $0.sigma * $0.sigma - 1) < 1e-9 }
  }

  /// Checks that every level has unit variance, besides what `checkLevels` does.
  func checkVariancePreserving(for method: String) throws(DiffusionError) {
    try checkLevels()
    for (index, level) in levels.enumerated() {
      let variance = level.alpha * level.alpha + level.sigma * level.sigma
      try require(
        abs(variance - 1) < 1e-9,
        "\(method) needs variance-preserving levels, but level \(index) has α² + σ² = \(variance).")
    }
    try require(prediction != .flow, "\(method) needs variance-preserving levels, which flow models do not have.")
  }

  private func checkPrediction(at level: NoiseLevel, _ index: Int) throws(DiffusionError) {
    try require(level.sigma > 0, "Level \(index) has no noise, but the denoiser is asked there.")
    switch prediction {
    case .epsilon, .score:
      try require(
        level.alpha > 0,
        "Level \(index) has no signal, so x0 does not follow from ε: the model must predict v, or the schedule keep a floor of 2^-24."
      )
    case .flow:
      try require(
        abs(level.alpha + level.sigma - 1) < 1e-9,
        "A flow's velocity needs α = 1 - σ, but level \(index) has α = \(level.alpha) and σ = \(level.sigma).")
    case .sample, .vPrediction: break
    }
  }
}

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

/// The outputs that a multistep method keeps: the newest first, in registers that take turns.
struct OutputHistory {
  /// A kept output and the level it was taken at.
  struct Entry {
    let register: Int
    let level: NoiseLevel
  }

  /// The newest first.
  private(set) var entries: [Entry] = []
  private let registers: Range<Int>

  /// A history in `registers`; one of them is always free for the next output.
  init(registers: Range<Int>) { self.registers = registers }

  var count: Int { entries.count }

  /// A register that an update may write to while it reads the others; nil if nothing is to be kept.
  var free: Int? { registers.first { register in !entries.contains { $0.register == register } } }

  /// Notes that the output at a level was kept in `free`, and drops the oldest if no register would stay free.
  mutating func push(_ level: NoiseLevel) {
    guard let register = free else { return }
    entries.insert(Entry(register: register, level: level), at: 0)
    if entries.count == registers.count { entries.removeLast() }
  }

  /// A term of an update's sum: an entry and its weight.
  func term(_ index: Int, _ weight: Double) -> PlannedUpdate.HistoryTerm {
    PlannedUpdate.HistoryTerm(entries[index].register, weight)
  }
}

/// The functions of exponential integrators: φ₀(z) = e^z and `φ_k(z) = (φ_{k-1}(z) - 1/(k-1)!) / z`, so φ₁ = (e^z - 1) / z
/// (Hochbruck and Ostermann, "Exponential integrators", 2010).
enum ExponentialFunctions {
  /// φ_k(z). Near 0 the recursion would cancel, so a Taylor series, `Σ z^j / (j + k)!`, takes its place.
  static func phi(_ order: Int, _ z: Double) -> Double {
    var inverseFactorial = 1.0
    if abs(z) > 1 {
      var value = exponential(z)
      for index in 0..<order {
        value = (value - inverseFactorial) / z
        inverseFactorial /= Double(index + 1)
      }
      return value
    }
    for index in stride(from: 2, through: order, by: 1) { inverseFactorial /= Double(index) }
    var term = inverseFactorial
    var sum = term
    // 1 / 20! is below the last digit of the first term.
    for index in 1...20 {
      term *= z / Double(order + index)
      sum += term
    }
    return sum
  }
}
