/// Turns a grid of levels into coefficients. A planner never sees a sample.
public protocol Planner: Sendable, Hashable {
  /// The coefficients of every step.
  /// - Throws: `DiffusionError` if the grid or the denoiser's prediction does not suit the method.
  func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan
}

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

/// One fused step: `x0 = clip(p·x + q·o)`, then `x' = A·x + B0·x0 + E·ε + Σ weight·history + C·z`.
///
/// `o` is the denoiser's output for the sample `x` in register `input`; `ε = pe·x + qe·o` is taken before clipping.
/// `x'` goes to register `output`, which may be `input`; what an update keeps may not be read by the same update.
public struct PlannedUpdate: Sendable, Hashable {
  /// A register and its weight in the sum.
  public struct HistoryTerm: Sendable, Hashable {
    /// The register read.
    public var register: Int
    /// Its factor.
    public var weight: Double

    /// A register and its factor.
    public init(_ register: Int, _ weight: Double) {
      self.register = register
      self.weight = weight
    }
  }

  /// Where the sample is before the update, and what the denoiser is told.
  public var level: NoiseLevel
  /// Where it is afterwards.
  public var next: NoiseLevel
  /// Whether the denoiser is called. Without a call p, q, B0 and E do nothing.
  public var evaluates = true
  /// What a network's input is multiplied by. Exact denoisers work at the level as it is.
  public var inputScale = 1.0
  /// p, q, pe and qe.
  public var conversion: Prediction.Conversion
  /// What is done to x0 before it is used.
  public var clipping = Clipping.none
  /// A
  public var sample = 0.0
  /// B0
  public var x0 = 0.0
  /// E
  public var epsilon = 0.0
  /// C; a factor on the standard deviation if `variance` is not fixed.
  public var noise = 0.0
  /// Where the noise's variance comes from.
  public var variance = StepVariance.fixed
  /// At most three earlier registers.
  public var history: [HistoryTerm] = []
  /// The register that holds x.
  public var input = 0
  /// The register that x' goes to.
  public var output = 0
  /// A register that x0, after clipping, is kept in.
  public var keptX0: Int?
  /// A register that ε is kept in.
  public var keptEpsilon: Int?
  /// Whether a step of the trajectory is complete: `output` holds a sample at `next`.
  public var finishesStep = true

  /// An update that does nothing yet, for a denoiser of the given kind.
  public init(from level: NoiseLevel, to next: NoiseLevel, prediction: Prediction) {
    self.level = level
    self.next = next
    conversion = prediction.conversion(at: level)
  }
}

/// What is done to a predicted x0.
public enum Clipping: Sendable, Hashable {
  /// Nothing.
  case none
  /// Limited to ±limit.
  case fixed(limit: Double)
  /// Limited to ±s and divided by s, where s is each sample's `ratio` quantile of |x0|, kept in 1 … maximum (Saharia et al.,
  /// 2022, "dynamic thresholding").
  case dynamic(ratio: Double, maximum: Double)
}

/// Where a step's noise variance comes from.
public enum StepVariance: Sendable, Hashable {
  /// The factor C alone.
  case fixed
  /// Between two variances, by the network's second output f in -1 … 1: `ln V = f' logLarge + (1 - f') logSmall`,
  /// `f' = (f + 1) / 2` (Nichol and Dhariwal, 2021). C multiplies √V.
  case learnedRange(logSmall: Double, logLarge: Double)
  /// `V = base + gain · clip(ratio · g, 0, 1)`, g the second output, an estimate of E[(ε - ε_θ)²] (NPR-DPM, Bao et al.,
  /// 2022). C multiplies √V.
  case noiseResidual(base: Double, gain: Double, ratio: Double)
  /// The same with `h - ε²` for g, h the second output, an estimate of E[ε²] (SN-DPM). C multiplies √V.
  case noiseSquare(base: Double, gain: Double, ratio: Double)
}

/// A corrector step of annealed Langevin dynamics (Song et al., 2021): with the score s and fresh noise z of each sample,
/// `step = 2 · factor · (signalToNoise · ‖z‖ / ‖s‖)²` and `x ← x + step · s + √(2 · step) · z`.
public struct PlannedLangevin: Sendable, Hashable {
  /// Where the sample is.
  public var level: NoiseLevel
  /// What a network's input is multiplied by.
  public var inputScale = 1.0
  /// How ε, and with it the score -ε/σ, follows from the output.
  public var conversion: Prediction.Conversion
  /// The signal-to-noise ratio that sets the step's size.
  public var signalToNoise: Double
  /// α_i of the discretised schedule; 1 for an exploding one.
  public var factor: Double
  /// The register that holds the sample before and after.
  public var register = 0

  /// A corrector step at a level.
  public init(at level: NoiseLevel, prediction: Prediction, signalToNoise: Double, factor: Double) {
    self.level = level
    conversion = prediction.conversion(at: level)
    self.signalToNoise = signalToNoise
    self.factor = factor
  }
}
