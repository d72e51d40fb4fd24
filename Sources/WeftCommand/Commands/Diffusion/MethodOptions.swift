public import ArgumentParser
public import Diffusion

/// A sampler with its options: what `weft sample` and `weft schedule` share.
struct MethodOptions: ParsableArguments {
  enum FinalAlphaBar: String, CaseIterable { case one, first }

  static let usualSampler = SamplerName.dpmSolver2M
  static let usualSteps = 20

  @Option(
    help: ArgumentHelp(
      "The sampler: dpm-solver-2m if none is named, the model's own with --model; 'weft sample --list' shows all, and which options each takes.",
      valueName: "name"),
    transform: { try SamplerChoice($0) })
  var sampler: SamplerChoice?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Steps from noise to data (20; with a model's own sampler 50, or all that a process of continuous time was trained with).",
      valueName: "n"))
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "Which levels the steps visit: linspace (usual), leading, trailing, karras (usual for heun, edm, kdpm2), exponential, trajectory (usual for analytic samplers), consistency (usual for lcm), or lambda (continuous time). With a model its own replaces linspace.",
      valueName: "name"),
    transform: { try Choice.named($0) })
  var spacing: SamplingMethod.Spacing?

  @Option(
    help: ArgumentHelp(
      "The timesteps to visit, from noise to data, separated by commas; in continuous time one more than steps.",
      valueName: "list"),
    transform: { try Choice.list($0) })
  var timesteps: [Double]?

  @Option(
    help: ArgumentHelp(
      "The σ to visit, from noise to data, separated by commas; the last step leads to 0, which the list may end with.",
      valueName: "list"),
    transform: { try Choice.list($0) })
  var sigmas: [Double]?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The share of noise, η, 0 to 1: for \(SamplerTable.takers { $0.eta != nil }).", valueName: "number"))
  var eta: Double?

  @Option(
    help: ArgumentHelp(
      "The noise of a step: small (β̃, usual), large (β), analytic (the optimal), or learned (a second output): for "
        + "\(SamplerTable.takers { !$0.variances.isEmpty }).", valueName: "name"),
    transform: { try Choice.named($0) })
  var variance: SamplingMethod.Variance?

  @Flag(
    help: ArgumentHelp(
      "Draw noise on the step to clean data too: for \(SamplerTable.takers { $0.finalNoise != .never })."))
  var finalNoise = false

  @Option(
    help: ArgumentHelp(
      "Where the last step leads in a schedule of timesteps: to ᾱ = 1 (one, usual), or to timestep 0 (first).",
      valueName: "one|first"),
    transform: { try Choice.named($0) })
  var finalAlphaBar: FinalAlphaBar?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The shift of a flow's σ (1): flow-euler's.", valueName: "number"))
  var shift: Double?

  func validate() throws {
    guard timesteps == nil || sigmas == nil else { throw ValidationError("give --timesteps or --sigmas, not both") }
    if timesteps != nil || sigmas != nil, steps != nil || spacing != nil {
      throw ValidationError("--timesteps and --sigmas say which steps are taken: leave out --steps and --spacing")
    }
    if let steps, !(1...100_000).contains(steps) {
      throw ValidationError("--steps is \(steps): it must be at least 1, and at most the schedule's timesteps")
    }
    if shift != nil, !name.traits.schedules.contains(.flow) {
      throw ValidationError("--shift is flow matching's: --sampler flow-euler")
    }
  }

  /// The sampler with planned steps; it has no meaning for the adaptive flow.
  var name: SamplerName { if case .planned(let name) = sampler { name } else { Self.usualSampler } }

  /// The options given that plan steps.
  var given: [String] {
    let all: [(String, Bool)] = [
      ("--steps", steps != nil), ("--spacing", spacing != nil), ("--timesteps", timesteps != nil),
      ("--sigmas", sigmas != nil), ("--eta", eta != nil), ("--variance", variance != nil),
      ("--final-noise", finalNoise), ("--final-alpha-bar", finalAlphaBar != nil),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// The method, without Γ.
  func method(
    noise: NoiseOptions, prediction: Prediction, clipping: Clipping
  ) throws(DiffusionError) -> SamplingMethod {
    var method = SamplingMethod(name, steps: steps ?? Self.usualSteps)
    method.schedule = try noise.schedule(for: name.traits, prediction: prediction)
    method.spacing = spacing
    method.timesteps = timesteps
    method.sigmas = sigmas
    method.eta = eta
    method.variance = variance
    method.clipping = clipping
    method.drawsFinalNoise = finalNoise
    method.final = finalAlphaBar.map { $0 == .one ? .clean : .firstTimestep }
    method.shift = shift ?? 1
    return method
  }
}

/// What is done to a predicted clean sample.
struct ClippingOptions: ParsableArguments {
  /// The most that a dynamic threshold may be where `--clip` does not say.
  private static let usualMaximum = 1000.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Limit each predicted clean sample to ± this.", valueName: "limit"))
  var clip: Double?

  @Flag(help: "Do not limit predicted clean samples.")
  var noClip = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Limit each to ± the quantile of its own absolute values, at least 1 and at most --clip, and divide by it.",
      valueName: "ratio"))
  var threshold: Double?

  func validate() throws {
    if noClip, clip != nil || threshold != nil {
      throw ValidationError("--no-clip leaves nothing for --clip or --threshold to say")
    }
    if let clip, !(clip > 0 && clip <= 1e6) {
      throw ValidationError("--clip is \(clip): it must be above 0 and at most 1000000")
    }
    if let threshold, !(threshold > 0 && threshold <= 1) {
      throw ValidationError("--threshold is \(threshold): it must be above 0 and at most 1")
    }
    if threshold != nil, let clip, clip < 1 {
      throw ValidationError("--clip is \(clip): with --threshold it must be at least 1")
    }
  }

  /// The options given that limit something; that nothing is limited may be said of every sampler.
  var given: [String] { (clip != nil ? ["--clip"] : []) + (threshold != nil ? ["--threshold"] : []) }

  /// What the options say.
  /// - Parameter usual: what is done where they say nothing.
  /// - Returns: what is done.
  func clipping(usual: Clipping) -> Clipping {
    if noClip { return .none }
    if let threshold { return .dynamic(ratio: threshold, maximum: clip ?? Self.usualMaximum) }
    return clip.map { .fixed(limit: $0) } ?? usual
  }
}

/// Everything that says how samples are drawn.
struct SamplerSettings {
  let method: MethodOptions
  let clipping: ClippingOptions
  let noise: NoiseOptions
  let gamma: GammaOptions

  /// Refuses options about Γ where a method does not use it.
  func checkGamma(unusedBy method: SamplingMethod) throws {
    guard let option = gamma.given.first else { return }
    throw ValidationError("\(option) is for the analytic variance, which '\(method.name.rawValue)' does not use here")
  }
}

// Options that are values of the library, by the library's own names.
extension SamplingMethod.Variance: ExpressibleByArgument {}
extension Prediction: ExpressibleByArgument {}

/// Runs what may refuse an option: that is a wrong call, exit status 64, not a failure.
func checkingOptions<Value>(_ body: () throws(DiffusionError) -> Value) throws -> Value {
  do { return try body() } catch {
    guard error.kind == .invalidOption else { throw error }
    throw ValidationError(error.message)
  }
}

/// Ends a command whose options turn out not to fit its input with one line and exit status 64. Thrown on, the error
/// would come with the usage of `weft` itself.
func endingWrongCalls(_ body: () async throws -> Void) async throws {
  do { try await body() } catch let error as ValidationError {
    note("Error: \(error.message)")
    throw ExitCode(ExitStatus.usage.rawValue)
  }
}
