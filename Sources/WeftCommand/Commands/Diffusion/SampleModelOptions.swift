import ArgumentParser
import Foundation
import Weft

/// The trained network that samples come from, in place of a data set's own denoiser.
struct SampleModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A diffusers directory with a UNet2DModel, or \(BundledModels.digits), which comes with Weft.",
      valueName: "directory"))
  var model: String?

  @Flag(help: "Say what --model would compute and what memory it takes, and compute nothing.")
  var dryRun = false

  func validate() throws {
    if model?.isEmpty == true { throw ValidationError("--model needs the name of a directory") }
    if dryRun, model == nil { throw ValidationError("--dry-run is about a network: give --model") }
  }

  /// The model's directory.
  func directory(_ name: String) throws -> String {
    guard name == BundledModels.digits, !FileManager.default.fileExists(atPath: name) else { return name }
    return try BundledModels.directory(named: name)
  }

  /// Refuses options that the model itself answers, or that do nothing to it.
  func check(_ command: SampleCommand) throws {
    guard model != nil else { return }
    if command.data.normalize != nil {
      throw ValidationError("--normalize is about --data: a network's images have their size")
    }
    if let option = command.noise.given.first {
      throw ValidationError("\(option) is about --data: a model's scheduler_config.json says which noise it knows")
    }
    guard let sampler = command.method.sampler else {
      let given =
        command.method.given.filter { $0 != "--steps" } + command.clipping.given
        + (command.clipping.noClip ? ["--no-clip"] : []) + command.gamma.given
      guard let option = given.first else { return try checkData(command) }
      throw ValidationError(
        "\(option) changes the sampler: name it with --sampler; without one the model's scheduler_config.json says "
          + "everything but the steps")
    }
    guard sampler != .adaptive, command.method.name.traits.schedules.contains(.timesteps) else {
      throw ValidationError(
        "--sampler \(sampler == .adaptive ? SamplerChoice.adaptiveName : command.method.name.rawValue) is made for "
          + "continuous time; the model knows timesteps: try dpm-solver-2m")
    }
    try checkData(command)
  }

  /// With a model data are what Γ is estimated from.
  private func checkData(_ command: SampleCommand) throws {
    guard command.data.data != nil else { return }
    let isAnalytic =
      command.method.variance == .analytic || [.analyticDDPM, .analyticDDIM].contains(command.method.name)
    guard command.method.sampler != nil, isAnalytic, command.gamma.gamma == nil else {
      throw ValidationError("--data with --model is what Γ is estimated from: for --sampler analytic-ddpm and its like")
    }
  }
}
