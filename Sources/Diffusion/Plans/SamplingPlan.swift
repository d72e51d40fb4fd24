/// Everything a sampler will do, as numbers: computed once in Double, before any pixel is touched.
///
/// A plan works on numbered registers, each as large as the batch of samples. Register 0 holds the initial noise,
/// scaled by `initialScale`.
public struct SamplingPlan: Sendable, Hashable {
  /// What is done, in order. An instruction's place is also the step number of the noise it draws.
  public var instructions: [Instruction]
  /// Standard deviation of the initial noise.
  public var initialScale: Double
  /// The level of the initial noise.
  public var start: NoiseLevel
  /// How many registers the instructions name.
  public var registerCount: Int

  /// A plan from its instructions.
  public init(_ instructions: [Instruction], start: NoiseLevel, initialScale: Double) {
    self.instructions = instructions
    self.start = start
    self.initialScale = initialScale
    registerCount = 1 + instructions.reduce(0) { max($0, $1.highestRegister) }
  }

  /// One thing a plan does.
  public enum Instruction: Sendable, Hashable {
    /// Evaluates the denoiser, unless told not to, and takes the fused step.
    case update(PlannedUpdate)
    /// A Langevin corrector step.
    case langevin(PlannedLangevin)

    var highestRegister: Int {
      switch self {
      case .update(let update):
        ([update.input, update.output, update.keptX0 ?? 0, update.keptEpsilon ?? 0] + update.history.map(\.register))
          .reduce(0, max)
      case .langevin(let step): step.register
      }
    }
  }

  /// The updates alone.
  public var updates: [PlannedUpdate] {
    instructions.compactMap { if case .update(let update) = $0 { update } else { nil } }
  }

  /// Calls of the denoiser.
  public var evaluations: Int {
    instructions.reduce(0) {
      switch $1 {
      case .update(let update): $0 + (update.evaluates ? 1 : 0)
      case .langevin: $0 + 1
      }
    }
  }

  /// The register that holds the samples at the end.
  public var result: Int { updates.last?.output ?? 0 }
}

extension SamplingPlan {
  /// Checks that every number fits a device's float32.
  /// - Throws: `DiffusionError` that names the first that does not.
  func checkRange() throws(DiffusionError) {
    func check(_ name: String, _ value: Double, _ level: NoiseLevel) throws(DiffusionError) {
      try require(
        Float(value).isFinite,
        "At time \(level.time) the coefficient \(name) is \(value), which float32 cannot hold: the noise there leaves too "
          + "little signal, or steps are too long.")
    }
    try check("initial scale", initialScale, start)
    for update in updates {
      for (name, value) in [("A", update.sample), ("C", update.noise)] + update.history.map({ ("H", $0.weight) }) {
        try check(name, value, update.level)
      }
      guard update.evaluates else { continue }
      let conversion = update.conversion
      for (name, value) in [
        ("B0", update.x0), ("E", update.epsilon), ("p", conversion.x0FromSample), ("q", conversion.x0FromOutput),
        ("p of ε", conversion.epsilonFromSample), ("q of ε", conversion.epsilonFromOutput),
      ] { try check(name, value, update.level) }
    }
  }
}
