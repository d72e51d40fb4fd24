import ArgumentParser
import Diffusion
import Foundation
import ModelFiles
import Weft

struct SampleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draw samples from noise, with a trained network or the exact denoiser of a data set.",
    usage: """
      weft sample --model <directory> [<options>]
      weft sample --data <points.npy|images.npy|DIGITS> [<options>]
      """,
    discussion: """
      The model is a directory of Hugging Face diffusers with a UNet2DModel. Its scheduler_config.json says which \
      sampler it was made for; --sampler takes another one, with the model's noise. Images go from 0 to 1 in arrays.

        weft sample --model digits-unet --steps 50 --count 64 --output grid.png
        weft sample --model digits-unet --sampler ddim --steps 20 --array out.npy

      The data are a NumPy file: float points of shape [N, d], or uint8 or float images of shape [N, height, width] or \
      [N, channels, height, width]; DIGITS stands for 1797 handwritten digits that come with Weft. The denoiser is the \
      one a perfectly trained network would be, so that samples are points of the data again; what differs between \
      samplers is how near they come, and how fast.

        weft sample --data DIGITS --sampler ddim --count 64 --output grid.png

      The sampler works on scaled data: images reach from -1 to 1 by the smallest and the largest number of the data \
      (DIGITS: 0 and 16), points have mean 0 and, over all coordinates, variance 1. Pictures and arrays are in the \
      data's own units again.

      With images ddpm, ddim and the analytic samplers limit predicted clean samples to ±1; all others limit nothing.
      """)

  @Flag(help: "Describe every sampler in a line, with its order and its evaluations for each step.")
  var list = false

  @OptionGroup(title: "Model") var network: SampleModelOptions
  @OptionGroup(title: "Data") var data: SampleDataOptions
  @OptionGroup(title: "Output") var output: SampleOutputOptions
  @OptionGroup(title: "Samples") var samples: SampleOptions
  @OptionGroup(title: "Sampler") var method: MethodOptions
  @OptionGroup(title: "Adaptive flow") var adaptive: AdaptiveOptions
  @OptionGroup(title: "Clipping") var clipping: ClippingOptions
  @OptionGroup(title: "Noise schedule") var noise: NoiseOptions
  @OptionGroup(title: "Analytic variance") var gamma: GammaOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions

  func validate() throws {
    if list { return }
    guard data.data != nil || network.model != nil else {
      throw ValidationError(
        "--model and --data are missing: a diffusers directory, or a NumPy file, or --data DIGITS for the bundled digits"
      )
    }
    if data.data?.isEmpty == true {
      throw ValidationError("--data is empty: a NumPy file, or DIGITS for the bundled digits")
    }
    if network.model == nil, precision.precision != .float32 {
      throw ValidationError("--precision is about a network's layers: give --model")
    }
    try network.check(data: data, settings: settings)
    if !network.dryRun { try output.check() }
    try OutputName.check(gamma.saveGamma, "--save-gamma", isA: "json")
    try OutputName.checkDiffer(
      [("--output", output.output), ("--array", output.array), ("--save-gamma", gamma.saveGamma)],
      inputs: [
        ("--data", SampleData.path(of: data.data)), ("--noise", samples.noise), ("--start", samples.start),
        ("--known", samples.known), ("--mask", samples.mask), ("--gamma", gamma.gamma),
      ])
    try adaptive.check(settings, starts: samples.givenStarts, trajectory: output.trajectory)
    if network.model == nil, method.name.traits.needsSecondHead || method.variance == .learned {
      let name = method.variance == .learned ? "variance 'learned'" : "'\(method.name.rawValue)'"
      throw ValidationError(
        "\(name) needs a network with a second output, which a data set's denoiser has not: try analytic-ddpm")
    }
  }

  func run() async throws {
    guard !list else {
      print(SamplerTable.render(on: Terminal(describing: STDOUT_FILENO)), terminator: "")
      return
    }
    try await endingWrongCalls {
      if let model = network.model {
        return try await ModelSampling(
          directory: try network.directory(model), isDry: network.dryRun, gammaImages: data.data, settings: settings,
          samples: samples, output: output
        ).run(on: device, precision)
      }
      guard let name = data.data else { return }
      let set = try SampleData(name, normalize: data.normalize)
      if method.sampler == .adaptive {
        let flow = try FlowSampling(data: set, noise: noise, samples: samples, output: output)
        try await flow.run(tolerance: adaptive.tolerance, on: device)
      } else {
        try await DataSampling(data: set, settings: settings, samples: samples, output: output).run(on: device)
      }
    }
  }

  private var settings: SamplerSettings {
    SamplerSettings(method: method, clipping: clipping, noise: noise, gamma: gamma)
  }
}

/// What samples are drawn from.
struct SampleDataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Points or images, or DIGITS; with --model the images that Γ of the analytic variance is estimated from.",
      valueName: "file.npy"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Scale data to -1 … 1 (range, usual for images), to variance 1 (unit, usual for points), or not.",
      valueName: "mode"))
  var normalize: Normalization.Mode?
}

extension Normalization.Mode: ExpressibleByArgument {}

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
  func check(data: SampleDataOptions, settings: SamplerSettings) throws {
    guard model != nil else { return }
    if data.normalize != nil {
      throw ValidationError("--normalize is about --data: a network's images have their size")
    }
    if let option = settings.noise.given.first {
      throw ValidationError("\(option) is about --data: a model's scheduler_config.json says which noise it knows")
    }
    guard let sampler = settings.method.sampler else {
      let given =
        settings.method.given.filter { $0 != "--steps" } + settings.clipping.given
        + (settings.clipping.noClip ? ["--no-clip"] : []) + settings.gamma.given
      guard let option = given.first else { return try checkData(data, settings) }
      throw ValidationError(
        "\(option) changes the sampler: name it with --sampler; without one the model's scheduler_config.json says "
          + "everything but the steps")
    }
    guard sampler != .adaptive, settings.method.name.traits.schedules.contains(.timesteps) else {
      throw ValidationError(
        "--sampler \(sampler == .adaptive ? SamplerChoice.adaptiveName : settings.method.name.rawValue) is made for "
          + "continuous time; the model knows timesteps: try dpm-solver-2m")
    }
    try checkData(data, settings)
  }

  /// With a model data are what Γ is estimated from.
  private func checkData(_ data: SampleDataOptions, _ settings: SamplerSettings) throws {
    guard data.data != nil else { return }
    let isAnalytic = settings.method.variance == .analytic || settings.method.name.traits.isAnalytic
    guard settings.method.sampler != nil, isAnalytic, settings.gamma.gamma == nil else {
      throw ValidationError("--data with --model is what Γ is estimated from: for --sampler analytic-ddpm and its like")
    }
  }
}
