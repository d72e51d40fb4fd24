import ArgumentParser
import Diffusion
import Foundation
import Weft

struct ScheduleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "Show the numbers of a sampler: noise levels, and the coefficients of every step.",
    usage: "weft schedule [<options>]",
    discussion: """
      Nothing is sampled. Each row is one fused step: with the network's output o and fresh noise z,

        x0 = clip(p·x + q·o)
        x' = A·x + B0·x0 + E·ε + Σ history + C·z

      ᾱ is that of the level x is at, ᾱ' that of the level x' is at. With --json the numbers in double \
      precision, as they are planned; a device reads them as float32. The analytic variance has the variance of x0 \
      given x in C; "variance_limit" is the most that may be, ((max - min) / 2)² of the data that Γ was estimated from, and \
      null, no limit, with --gaussian-variance:

        {"steps": [{"timestep", "alpha_bar", "alpha_bar_next", "p", "q",
          "A", "B0", "E", "history": […], "C", "clip", …}, …], …}
      """)

  @OptionGroup(title: "Sampler") var method: MethodOptions
  @OptionGroup(title: "Clipping") var clipping: ClippingOptions
  @OptionGroup(title: "Noise schedule") var noise: NoiseOptions

  @Option(
    help: ArgumentHelp(
      "What the network predicts: epsilon, sample, v_prediction, or flow; flow-euler's usual one is flow, all others' epsilon.",
      valueName: "name"))
  var prediction: Prediction?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Plan the last part of the way only, to start from an image.", valueName: "share"))
  var strength: Double?

  @Option(
    help: ArgumentHelp("Γ for the analytic variance, as 'weft sample --save-gamma' wrote it.", valueName: "file.json"))
  var gamma: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Γ of normal data with this variance, for the analytic variance.", valueName: "s²"))
  var gaussianVariance: Double?

  @Option(help: ArgumentHelp("Plot ᾱ, the signal-to-noise ratio and the visited levels.", valueName: "plot.svg"))
  var output: String?

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    try OutputName.check(output, "--output", isA: "svg", also: "; plots are vector graphics")
    try OutputName.checkDiffer([("--output", output)], inputs: [("--gamma", gamma)])
    guard method.sampler != .adaptive else {
      throw ValidationError("\(SamplerChoice.adaptiveName) chooses its steps on the way: only 'weft sample' takes it")
    }
    guard gamma == nil || gaussianVariance == nil else {
      throw ValidationError("give --gamma or --gaussian-variance, not both")
    }
  }

  func run() async throws {
    try await endingWrongCalls { try show() }
  }

  private func show() throws {
    let (method, grid) = try visited()
    let plan = try checkingOptions { () throws(DiffusionError) in try method.plan(prediction: grid.prediction) }
    let file = try output.map { try OutputFile(path: $0) }
    try file?.write(Array(try SchedulePlot(method: method, grid: grid).svg().utf8))

    let limit = method.needsGamma ? PlanReport.VarianceLimit(value: method.gamma?.varianceLimit) : nil
    try PlanReport(sampler: method.name, prediction: grid.prediction, plan: plan, varianceLimit: limit).show(json: json)
    try file?.commit()
  }

  /// The method with its Γ, and the levels it visits.
  private func visited() throws -> (method: SamplingMethod, grid: TimeGrid) {
    let prediction = prediction ?? (method.name.traits.schedules == [.flow] ? .flow : .epsilon)
    var method = try checkingOptions { () throws(DiffusionError) in
      var method = try self.method.method(
        noise: noise, prediction: prediction, clipping: clipping.clipping(usual: .none))
      method.strength = strength ?? 1
      return method
    }
    let whole = try checkingOptions { [method] () throws(DiffusionError) in try method.grid(prediction: prediction) }
    if method.needsGamma {
      method.gamma = try table(for: whole)
    } else if gamma != nil || gaussianVariance != nil {
      throw ValidationError("Γ is for the analytic variance, which '\(method.name.rawValue)' does not use here")
    }
    let part = try checkingOptions { [method] () throws(DiffusionError) in
      method.strength == 1 ? whole : try whole.suffix(strength: method.strength)
    }
    return (method, part)
  }

  private func table(for grid: TimeGrid) throws -> GammaTable {
    if let gamma { return try GammaFile.read(gamma) }
    guard let gaussianVariance else {
      throw ValidationError(
        "the analytic variance needs Γ: give --gamma FILE, or --gaussian-variance S2 for normal data")
    }
    return try checkingOptions { () throws(DiffusionError) in
      try .gaussian(dataVariance: gaussianVariance, levels: grid.levels.dropLast())
    }
  }
}
