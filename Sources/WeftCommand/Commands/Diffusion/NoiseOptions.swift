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
    if schedule == .squaredCosine, betaStart != nil {
      throw ValidationError("--beta-start: squaredcos_cap_v2 has none, only a limit, --beta-end")
    }
  }

  private var isGiven: Bool { !given.isEmpty }

  /// The options given.
  var given: [String] {
    let all: [(String, Bool)] = [
      ("--schedule", schedule != nil), ("--beta-start", betaStart != nil), ("--beta-end", betaEnd != nil),
      ("--timesteps-total", timestepsTotal != nil), ("--zero-snr", zeroSNR),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// The schedule for a sampler: its own usual one where nothing is said, nil for flow matching, which has none.
  func schedule(
    for traits: SamplerTraits, prediction: Prediction
  ) throws(DiffusionError) -> SamplingMethod.Schedule? {
    let usual: Family? =
      switch traits.schedules[0] {
      case .timesteps: .linear
      case .continuous: .variancePreserving
      case .flow: isGiven ? .linear : nil
      }
    let family = schedule ?? usual
    if let family, family.isContinuous, timestepsTotal != nil || zeroSNR {
      throw DiffusionError(
        .invalidOption, "--timesteps-total and --zero-snr are for schedules of timesteps, not for '\(family.rawValue)'."
      )
    }
    // x0 does not follow from ε where there is no signal, and λ and σ are infinite: those keep a trace of it.
    let keepsTrace = !traits.startsWithoutSignal || prediction == .epsilon
    switch family {
    case nil: return nil
    case .linear: return .discrete(try finished(.linear(from: start, to: end, count: total), keepsTrace))
    case .scaledLinear:
      return .discrete(try finished(.scaledLinear(from: start, to: end, count: total), keepsTrace))
    case .sigmoid: return .discrete(try finished(.sigmoid(from: start, to: end, count: total), keepsTrace))
    case .squaredCosine:
      return .discrete(try finished(.squaredCosine(maximum: betaEnd ?? 0.999, count: total), keepsTrace))
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

  private func finished(_ schedule: NoiseSchedule, _ keepsTrace: Bool) throws(DiffusionError) -> NoiseSchedule {
    zeroSNR ? try schedule.zeroTerminalSNR(hasFloor: keepsTrace) : schedule
  }
}
