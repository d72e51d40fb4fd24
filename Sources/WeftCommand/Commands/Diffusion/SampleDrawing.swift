import ArgumentParser
import Diffusion
import Foundation
import Weft

/// One run of `weft sample`, its options checked against the data: everything that can be refused is refused before the
/// device is opened.
struct SampleDrawing {
  /// Pairs of a point and a noise that Γ of a level is estimated from.
  private static let gammaDraws = 2048

  private let command: SampleCommand
  private let data: SampleData
  private let request: SamplingRequest
  private var method: SamplingMethod
  private let grid: TimeGrid

  /// - Throws: `ValidationError` for options that make no sense together or with the data, `ModelFileError` for files.
  init(_ command: SampleCommand, data: SampleData) throws {
    self.command = command
    self.data = data
    let (name, strength) = (command.method.name, command.samples.stepShare)
    let clips = data.space.kind == .images && data.normalization.mode == .range && name.traits.clipping == .usual
    let clipping = command.clipping.clipping(usual: clips ? .fixed(limit: 1) : .none)
    var method = try checkingOptions { () throws(DiffusionError) in
      try command.method.method(noise: command.noise, prediction: .sample, clipping: clipping)
    }
    method.strength = strength
    if method.needsGamma {
      method.gamma = try command.gamma.gamma.map { try GammaFile.read($0) }
      method.varianceCap = command.gamma.varianceCap
    } else if let option = command.gamma.given.first {
      throw ValidationError("\(option) is for the analytic variance, which '\(name.rawValue)' does not use here")
    }
    grid = try checkingOptions { [method] () throws(DiffusionError) in
      let grid = try method.grid(prediction: .sample)
      if let problem = command.samples.problem(steps: grid.steps) { throw DiffusionError(.invalidOption, problem) }
      // The plan itself, unless Γ is still to be estimated: any will do to check all else.
      var tried = method
      if method.needsGamma && method.gamma == nil {
        tried.gamma = try .gaussian(dataVariance: 1, levels: grid.levels.dropLast())
      }
      _ = try tried.plan(prediction: .sample)
      return grid
    }
    self.method = method
    let noise = try command.samples.givenNoise(for: data.space)
    try SampleTargets.check(command, data.space, samples: command.samples.sampleCount(noise: noise))
    request = try command.samples.request(for: data.space, noise: noise)
  }

  func run() async throws {
    let targets = try SampleTargets(command, space: data.space, data: data.values)
    let engine = try await command.device.engine()
    let denoiser = try await MixtureDenoiser(points: data.values, shape: data.shape, on: engine)
    var method = method
    if method.needsGamma, method.gamma == nil {
      method.gamma = try await GammaTable.estimate(
        denoiser, over: data.values, of: grid, draws: Self.gammaDraws, on: engine)
    }
    let sampler = try checkingOptions { [method] () throws(DiffusionError) in
      try Sampler(method, denoiser: denoiser, on: engine, batchSize: command.samples.batch)
    }
    var run = SampleRun(sampler: sampler)
    if command.output.trajectory {
      run.followed = data.space.kind == .images ? SamplePicture.imageTrajectory : SamplePicture.pointTrajectory
    }
    try await run.run(request, into: targets, title: method.name.rawValue, gamma: method.gamma)
  }
}
