import ArgumentParser
import Diffusion

/// The noise that a model was trained with.
struct NoiseOptions: ParsableArguments {
  enum Family: String, CaseIterable {
    case linear
    case scaledLinear = "scaled_linear"
    case squaredCosine = "squaredcos_cap_v2"
    case sigmoid
    case variancePreserving = "vp"
    case varianceExploding = "ve"
    case subVariancePreserving = "subvp"

    var isContinuous: Bool {
      switch self {
      case .linear, .scaledLinear, .squaredCosine, .sigmoid: false
      case .variancePreserving, .varianceExploding, .subVariancePreserving: true
      }
    }
  }

  @Option(
    help: ArgumentHelp(
      "Of timesteps: linear (usual), scaled_linear, squaredcos_cap_v2, sigmoid; of continuous time: vp, ve, subvp.",
      valueName: "name"),
    transform: { try Choice.named($0) })
  var schedule: Family?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Where β starts (1e-4; vp, subvp 0.1); for ve σ (0.01).", valueName: "number"))
  var betaStart: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where β ends (0.02; vp, subvp 20); for ve σ (50), for squaredcos_cap_v2 what β is limited to (0.999).",
      valueName: "number"))
  var betaEnd: Double?

  @Option(help: ArgumentHelp("Timesteps that the model was trained with (1000).", valueName: "n"))
  var timestepsTotal: Int?

  @Flag(name: .customLong("zero-snr"), help: "Rescale the schedule so that the last timestep keeps no signal.")
  var zeroSNR = false

  func validate() throws {
    if let timestepsTotal, !(1...1_000_000).contains(timestepsTotal) {
      throw ValidationError("--timesteps-total is \(timestepsTotal): it must be from 1 to 1000000")
    }
    if let schedule, schedule.isContinuous, timestepsTotal != nil || zeroSNR {
      throw ValidationError(
        "--timesteps-total and --zero-snr are for schedules of timesteps, not for '\(schedule.rawValue)'")
    }
    if schedule == .squaredCosine, betaStart != nil {
      throw ValidationError("--beta-start: squaredcos_cap_v2 has none, only a limit, --beta-end")
    }
  }

  private var isGiven: Bool {
    schedule != nil || betaStart != nil || betaEnd != nil || timestepsTotal != nil || zeroSNR
  }

  /// The schedule for a sampler: its own usual one where nothing is said, nil for flow matching, which has none.
  func schedule(for name: SamplerName, prediction: Prediction) throws(DiffusionError) -> SamplingMethod.Schedule? {
    switch schedule ?? (isGiven ? .linear : name.usualNoise) {
    case nil: return nil
    case .linear: return .discrete(try finished(.linear(from: start, to: end, count: total), name, prediction))
    case .scaledLinear:
      return .discrete(try finished(.scaledLinear(from: start, to: end, count: total), name, prediction))
    case .sigmoid: return .discrete(try finished(.sigmoid(from: start, to: end, count: total), name, prediction))
    case .squaredCosine:
      return .discrete(try finished(.squaredCosine(maximum: betaEnd ?? 0.999, count: total), name, prediction))
    case .variancePreserving:
      return try checked(.variancePreserving(betaMin: betaStart ?? 0.1, betaMax: betaEnd ?? 20))
    case .subVariancePreserving:
      return try checked(.subVariancePreserving(betaMin: betaStart ?? 0.1, betaMax: betaEnd ?? 20))
    case .varianceExploding:
      return try checked(.varianceExploding(sigmaMin: betaStart ?? 0.01, sigmaMax: betaEnd ?? 50))
    }
  }

  private var start: Double { betaStart ?? 1e-4 }
  private var end: Double { betaEnd ?? 0.02 }
  private var total: Int { timestepsTotal ?? 1000 }

  private func checked(_ schedule: ContinuousSchedule) throws(DiffusionError) -> SamplingMethod.Schedule {
    try schedule.check()
    return .continuous(schedule)
  }

  private func finished(
    _ schedule: NoiseSchedule, _ name: SamplerName, _ prediction: Prediction
  ) throws(DiffusionError) -> NoiseSchedule {
    guard zeroSNR else { return schedule }
    // x0 does not follow from ε where there is no signal, and λ and σ are infinite: those keep a trace of it.
    let keepsTrace = !name.bearsNoSignal || prediction == .epsilon
    return try schedule.zeroTerminalSNR(hasFloor: keepsTrace)
  }
}

extension SamplerName {
  /// The schedule taken where none is named.
  fileprivate var usualNoise: NoiseOptions.Family? {
    switch self {
    case .flowEuler: nil
    case .eulerMaruyama, .reverseDiffusion, .ancestral, .predictorCorrector, .odeEuler, .odeHeun: .variancePreserving
    default: .linear
    }
  }

  /// Whether steps can start at a level of noise alone.
  fileprivate var bearsNoSignal: Bool {
    switch self {
    case .ddpm, .ddim, .analyticDDPM, .analyticDDIM, .nprDDPM, .nprDDIM, .snDDPM, .snDDIM: true
    default: false
    }
  }
}
