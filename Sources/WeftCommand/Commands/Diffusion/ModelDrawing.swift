import ArgumentParser
import Diffusion
import Foundation
import Weft

/// One run of `weft sample --model`: everything that can be refused is refused before the network is loaded.
struct ModelDrawing {
  /// Pairs of an image and a noise that Γ of a level is estimated from.
  private static let gammaDraws = 512

  private let command: SampleCommand
  private let files: DiffusionModelFiles
  private let space: SampleSpace
  private let request: SamplingRequest
  private let data: [Float]?
  private var way: ModelSampler

  /// - Throws: `ValidationError` for options that make no sense together or with the model, `ModelFileError` for files.
  init(_ command: SampleCommand, model: String) throws {
    self.command = command
    files = try DiffusionModelFiles(directory: try command.network.directory(model))
    try files.checkWeights()
    space = SampleSpace(files)
    way = try ModelSampler(command, files)
    data = try command.data.data.map { [files, space] name in
      try GammaData(name, shape: files.sampleShape).values(in: space)
    }
    let noise = try command.samples.givenNoise(for: space)
    if !command.network.dryRun {
      try Self.check(command, space, samples: command.samples.sampleCount(noise: noise))
    }
    request = try command.samples.request(for: space, noise: noise)
  }

  private static func check(_ command: SampleCommand, _ space: SampleSpace, samples: Int) throws {
    guard space.shape[0] == 1 || space.shape[0] == 3 || command.output.output == nil else {
      throw ValidationError("--output: images of \(space.shape[0]) channels have no picture: use --array")
    }
    try SampleTargets.check(command, space, samples: samples)
  }

  func run() async throws {
    let engine = try await command.device.engine()
    guard !command.network.dryRun else {
      let report = ModelReport(files: files, title: way.title, plan: try way.checkedPlan(), engine: engine)
      print(try report.render(samples: request.count, batch: command.samples.batch), terminator: "")
      return
    }
    let targets = try SampleTargets(command, space: space)
    let denoiser = try await NetworkDenoiser(files, on: engine)
    var way = way
    if way.lacksGamma { way.method?.gamma = try await estimatedGamma(denoiser, engine) }
    let plan = try way.plan()
    let sampler = try checkingOptions { () throws(DiffusionError) in
      try Sampler(plan, denoiser: denoiser, on: engine, batchSize: command.samples.batch)
    }
    var run = SampleRun(sampler: sampler)
    run.isSlow = true
    if command.output.trajectory { run.followed = SamplePicture.imageTrajectory }
    run.bar = ProgressBar.onStandardError(
      title: "sample", total: run.totalSteps(samples: request.count), unit: .steps)
    defer { run.bar?.clear() }

    let clock = ContinuousClock()
    let start = clock.now
    let (samples, frames) = try await run.finish(request)
    let seconds = (clock.now - start) / .seconds(1)
    run.bar?.clear()

    try targets.finish(
      samples, frames: frames, title: "\(way.title), \(plan.stepCount) steps", gamma: way.method?.gamma)
    if run.bar != nil {
      let count = Quantity.grouped(request.count)
      note(
        "\(count) samples in \(Quantity.short(seconds)) s: \(way.title), \(plan.stepCount) steps, "
          + "\(plan.evaluations) evaluations")
    }
  }

  private func estimatedGamma(_ denoiser: NetworkDenoiser, _ engine: Engine) async throws -> GammaTable {
    let levels = Array(try way.grid().levels.dropLast())
    if Terminal(describing: STDERR_FILENO).canRedraw { note("weft: estimating Γ at \(levels.count) levels …") }
    return try await GammaTable.estimate(
      denoiser, over: data ?? [], levels: levels, draws: Self.gammaDraws, seed: 0, on: engine)
  }
}
