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
    _ = try files.memory(
      way.checkedPlan(), samples: request.count, batchSize: command.samples.batch, on: engine)
    let targets = try SampleTargets(command, space: space)
    let denoiser = try await NetworkDenoiser(files, on: engine)
    var way = way
    if way.lacksGamma {
      let gamma = try await GammaTable.estimate(
        denoiser, over: data ?? [], of: try way.grid(), draws: Self.gammaDraws, on: engine)
      way.method?.gamma = gamma
    }
    let plan = try way.plan()
    let sampler = try checkingOptions { () throws(DiffusionError) in
      try Sampler(plan, denoiser: denoiser, on: engine, batchSize: command.samples.batch)
    }
    var run = SampleRun(sampler: sampler)
    run.isSlow = true
    if command.output.trajectory { run.followed = SamplePicture.imageTrajectory }
    try await run.run(request, into: targets, title: way.title, gamma: way.method?.gamma)
  }
}
