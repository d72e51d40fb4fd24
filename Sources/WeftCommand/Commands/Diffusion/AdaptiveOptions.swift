import ArgumentParser
import Diffusion

/// How exactly the adaptive flow is followed.
struct AdaptiveOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "\(SamplerChoice.adaptiveName)'s: each step may err by this, absolutely and relative to the sample (1e-5).",
      valueName: "number"))
  var tolerance: Double?

  func validate() throws {
    if let tolerance, !(tolerance >= 1e-7 && tolerance <= 1) {
      throw ValidationError("--tolerance is \(tolerance): it must be from 1e-7, which float32 can keep, to 1")
    }
  }

  /// Refuses options without effect: the tolerance for other samplers, for the adaptive flow all that plans steps.
  func check(_ command: SampleCommand) throws {
    guard command.method.sampler == .adaptive else {
      guard tolerance == nil else {
        throw ValidationError("--tolerance is for --sampler \(SamplerChoice.adaptiveName): others take planned steps")
      }
      return
    }
    let given = command.method.given + command.clipping.given + command.samples.givenStarts + command.gamma.given
    guard let option = (given + (command.output.trajectory ? ["--trajectory"] : [])).first else { return }
    throw ValidationError(
      "\(option) does nothing with \(SamplerChoice.adaptiveName), which follows the flow in steps of its own: "
        + "it takes --tolerance, and --schedule vp, ve or subvp")
  }
}
