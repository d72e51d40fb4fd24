/// A model's sampler, as the `scheduler_config.json` of a diffusers directory describes it.
public struct SchedulerConfiguration: Sendable, Hashable {
  /// The classes that are known.
  enum Kind: String, Sendable, Hashable, CaseIterable {
    case ddpm = "DDPMScheduler"
    case ddim = "DDIMScheduler"
    case pndm = "PNDMScheduler"
    case dpmSolver = "DPMSolverMultistepScheduler"
    case euler = "EulerDiscreteScheduler"
    case unipc = "UniPCMultistepScheduler"
    case scoreSDE = "ScoreSdeVeScheduler"

    /// Whether it steps through σ of an exploding process.
    var isExploding: Bool { self == .euler || self == .scoreSDE }
    /// Whether λ of its levels, or σ̂, must be finite: a schedule without signal at its end keeps a trace of it.
    var keepsTrace: Bool { self == .dpmSolver || self == .unipc || self == .euler }
  }

  /// How levels are spaced.
  enum Spacing: String, Sendable, Hashable, CaseIterable { case leading, trailing, linspace }

  /// Levels that follow σ instead of timesteps.
  struct SigmaRange: Sendable, Hashable {
    var spacing: SigmaSpacing
    /// The ends where they are not the schedule's.
    var lowest: Double?
    var highest: Double?
  }

  /// What only some classes have.
  enum Solver: Sendable, Hashable {
    case ddpm(DDPM.Variance)
    case ddim
    case pndm(skipsWarmUp: Bool)
    case dpmSolver(order: Int, DPMSolverPlusPlus.Variant, lowersOrder: FinalOrder)
    case sdeDPMSolver(order: Int, lowersOrder: FinalOrder)
    case euler
    case unipc(order: Int, UniPC.Variant, uncorrected: Set<Int>, lowersOrder: Bool)
    case scoreSDE(ScoreSDE)
  }

  /// When DPM-Solver's last step has order 1.
  struct FinalOrder: Sendable, Hashable {
    /// `lower_order_final`: with fewer than 15 steps.
    let withFewSteps: Bool
    /// `euler_at_final`
    let always: Bool

    func applies(steps: Int) -> Bool { always || withFewSteps && steps < 15 }
  }

  /// Song et al.'s (2021) sampler of the exploding process.
  struct ScoreSDE: Sendable, Hashable {
    let sigmas: ClosedRange<Double>
    /// Where the time ends that a network's σ is computed from.
    let end: Double
    let signalToNoise: Double
    let correctorSteps: Int
  }

  let kind: Kind
  let solver: Solver
  /// Timesteps that the model was trained with.
  public let trainingTimesteps: Int
  /// The noise that the model was trained with; nil for a process of continuous time.
  public let schedule: NoiseSchedule?
  /// What the network predicts.
  public let prediction: Prediction
  /// What is done to a predicted x0.
  public let clipping: Clipping
  let spacing: Spacing
  let stepsOffset: Int
  let final: FinalLevel
  let sigmaRange: SigmaRange?
  /// Timesteps that DPM-Solver starts below, where `lambda_min_clipped` leaves noisier ones out.
  let usedTimesteps: Int
  /// Levels evenly in ln σ, whatever their timesteps are: `interpolation_type` log_linear.
  let isLogLinear: Bool
  /// Whether the network is told ¼ ln σ instead of the timestep.
  let tellsLogSigma: Bool

  /// What the class is called in diffusers.
  public var className: String { kind.rawValue }

  /// Numbers of clean images: -1 … 1, but for Song et al.'s exploding process, whose images go from 0 to 1.
  public var imageRange: ClosedRange<Float> { kind == .scoreSDE ? 0...1 : -1...1 }
}
