import ArgumentParser
import Diffusion
import Foundation
import Weft

struct WarmCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "warm",
    abstract: "Build a model's kernels ahead of its first run.",
    usage: "weft warm [<options>]",
    discussion: """
      Kernels are compiled on the machine that runs them, once: the first run with a model takes seconds longer than \
      later ones. This command makes that first run, with a sentence or with noise, and throws its result away. \
      'make build' calls it for the models that come with Weft.
      """)

  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions

  @Option(
    help: ArgumentHelp(
      "A model's directory, as 'weft extract --model' or 'weft sample --model' takes it; may be repeated. Without it, the model that finds entities.",
      valueName: "directory"))
  var model: [String] = []

  @Flag(help: "All models that come with Weft.")
  var all = false

  func validate() throws {
    if all, !model.isEmpty { throw ValidationError("--all is for the models that come with Weft: leave out --model") }
  }

  func run() async throws {
    let names = all ? BundledModels.all : [BundledModels.entities]
    let directories = model.isEmpty ? try names.map { try BundledModels.directory(named: $0) } : model
    let runs = try directories.map { try FirstRun(directory: $0) }
    // The quickest start is from a binary, also where asking for one costs a second compilation.
    if ProcessInfo.processInfo.environment["WEFT_CACHE"] != "off" { setenv("WEFT_CACHE", "always", 1) }
    let engine = precision.applied(to: try await device.engine())
    let clock = ContinuousClock()
    for run in runs {
      let start = clock.now
      try await run(on: engine)
      print(String(format: "%@: kernels are ready (%.1f s)", run.name, (clock.now - start) / .seconds(1)))
    }
  }
}

/// What a model's directory holds.
enum ModelKind {
  /// A network that reads text.
  case text
  /// A network that draws images.
  case images

  /// A pipeline has an index; an image network of its own lies beside its scheduler.
  init(directory: String) {
    let files = ["model_index.json", "scheduler_config.json", "scheduler/scheduler_config.json"]
    let isOfImages = files.contains { FileManager.default.fileExists(atPath: directory + "/" + $0) }
    self = isOfImages ? .images : .text
  }
}

/// The smallest run that launches all kernels of a model.
private struct FirstRun {
  /// Every sampler's first steps differ from its later ones.
  private static let steps = 5

  let name: String
  private let body: @Sendable (Engine) async throws -> Void

  /// - Throws: what is wrong with the model's files, as far as is seen before they are loaded.
  init(directory: String) throws {
    name = URL(filePath: directory).lastPathComponent
    guard ModelKind(directory: directory) == .images else {
      body = { engine in
        let extractor = try await Extractor(model: directory, on: engine)
        for try await _ in extractor.documents(in: ["Elizabeth walked to Meryton."]) {}
      }
      return
    }
    let files = try DiffusionModelFiles(directory: directory)
    try files.checkWeights()
    body = { engine in
      let denoiser = try await NetworkDenoiser(files, on: engine)
      for plan in try Self.plans(files) {
        _ = try await Sampler(plan, denoiser: denoiser, on: engine).samples(count: 1)
      }
    }
  }

  func callAsFunction(on engine: Engine) async throws { try await body(engine) }

  /// Of the model's own sampler, and of the one that draws well in few steps, as in `weft demo`.
  private static func plans(_ files: DiffusionModelFiles) throws -> [SamplingPlan] {
    let scheduler = files.scheduler
    let all = scheduler.trainingTimesteps
    func own(steps: Int) throws -> SamplingPlan {
      try scheduler.method(steps: steps).plan(prediction: scheduler.prediction)
    }
    // A sampler may want more steps than a few.
    var plans = [try (try? own(steps: min(steps, all))) ?? own(steps: all)]
    if scheduler.schedule != nil {
      var method = SamplingMethod.dpmSolver(steps: min(steps, all))
      scheduler.adapt(&method)
      plans.append(try method.plan(prediction: scheduler.prediction))
    }
    return plans
  }
}
