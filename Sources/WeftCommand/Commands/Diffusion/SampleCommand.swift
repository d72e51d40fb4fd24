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
    try network.check(self)
    if !network.dryRun { try output.check() }
    try OutputName.check(gamma.saveGamma, "--save-gamma", isA: "json")
    try OutputName.checkDiffer(
      [("--output", output.output), ("--array", output.array), ("--save-gamma", gamma.saveGamma)],
      inputs: [
        ("--data", SampleData.path(of: data.data)), ("--noise", samples.noise), ("--start", samples.start),
        ("--known", samples.known), ("--mask", samples.mask), ("--gamma", gamma.gamma),
      ])
    try adaptive.check(self)
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
      if let model = network.model { return try await ModelDrawing(self, model: model).run() }
      guard let name = data.data else { return }
      let set = try SampleData(name, normalize: data.normalize)
      if method.sampler == .adaptive {
        try await FlowDrawing(self, data: set).run()
      } else {
        try await SampleDrawing(self, data: set).run()
      }
    }
  }
}
