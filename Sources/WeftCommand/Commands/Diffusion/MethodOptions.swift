import ArgumentParser
import Diffusion

/// A sampler with its options: what `weft sample` and `weft schedule` share.
struct MethodOptions: ParsableArguments {
  enum FinalAlphaBar: String, CaseIterable, ExpressibleByArgument { case one, first }

  static let usualSampler = SamplerName.dpmSolver2M
  static let usualSteps = 20

  @Option(
    help: ArgumentHelp(
      "The sampler: dpm-solver-2m if none is named; 'weft sample --list' shows all.", valueName: "name"),
    transform: { try Choice.named($0) })
  var sampler: SamplerName?

  @Option(parsing: .unconditional, help: ArgumentHelp("Steps from noise to data (20).", valueName: "n"))
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "Which levels the steps visit: linspace, leading, trailing, karras, exponential, or lambda (continuous time).",
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
    help: ArgumentHelp("The σ to visit, from noise to data, separated by commas.", valueName: "list"),
    transform: { try Choice.list($0) })
  var sigmas: [Double]?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("DDIM's η, 0 (no noise) to 1 (DDPM's); euler-ancestral's too.", valueName: "number"))
  var eta: Double?

  @Option(help: "DDPM's noise: small (β̃), large (β), analytic (the optimal), or learned (a second output).")
  var variance: SamplingMethod.Variance = .small

  @Flag(help: "Draw noise on the step to clean data too.")
  var finalNoise = false

  @Option(help: "Where the last step leads: to ᾱ = 1, or to timestep 0 (first).")
  var finalAlphaBar: FinalAlphaBar = .one

  @Option(parsing: .unconditional, help: ArgumentHelp("The shift of a flow's σ (1).", valueName: "number"))
  var shift: Double?

  func validate() throws {
    guard timesteps == nil || sigmas == nil else { throw ValidationError("give --timesteps or --sigmas, not both") }
    if timesteps != nil || sigmas != nil, steps != nil || spacing != nil {
      throw ValidationError("--timesteps and --sigmas say which steps are taken: leave out --steps and --spacing")
    }
    if let steps, !(1...100_000).contains(steps) {
      throw ValidationError("--steps is \(steps): it must be at least 1, and at most the schedule's timesteps")
    }
    if shift != nil, name != .flowEuler { throw ValidationError("--shift is flow matching's: --sampler flow-euler") }
  }

  var name: SamplerName { sampler ?? Self.usualSampler }

  /// The method, without Γ.
  func method(
    noise: NoiseOptions, prediction: Prediction, clipping: Clipping
  ) throws(DiffusionError) -> SamplingMethod {
    var method = SamplingMethod(name, steps: steps ?? Self.usualSteps)
    method.schedule = try noise.schedule(for: name, prediction: prediction)
    method.spacing = spacing
    method.timesteps = timesteps
    method.sigmas = sigmas
    method.eta = eta
    method.variance = variance
    method.clipping = clipping
    method.drawsFinalNoise = finalNoise
    method.final = finalAlphaBar == .one ? .clean : .firstTimestep
    method.shift = shift ?? 1
    return method
  }
}
