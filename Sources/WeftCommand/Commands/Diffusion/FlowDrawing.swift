import ArgumentParser
import Diffusion
import Foundation
import Weft

/// One run of `weft sample` along the adaptive flow, its options checked against the data before the device is opened.
struct FlowDrawing {
  private static let usualTolerance = 1e-5

  private let command: SampleCommand
  private let data: SampleData
  private let request: SamplingRequest
  private let schedule: ContinuousSchedule

  /// - Throws: `ValidationError` for options that make no sense together or with the data.
  init(_ command: SampleCommand, data: SampleData) throws {
    self.command = command
    self.data = data
    let chosen = try checkingOptions { () throws(DiffusionError) in
      try command.noise.schedule(for: SamplerName.odeHeun.traits, prediction: .sample)
    }
    guard case .continuous(let schedule) = chosen else {
      throw ValidationError(
        "'\(SamplerChoice.adaptiveName)' solves a differential equation: it needs a schedule vp, ve or subvp")
    }
    self.schedule = schedule
    let noise = try command.samples.givenNoise(for: data.space)
    try SampleTargets.check(command, data.space, samples: command.samples.sampleCount(noise: noise))
    request = try command.samples.request(for: data.space, noise: noise)
  }

  func run() async throws {
    let targets = try SampleTargets(command, space: data.space, data: data.values)
    let engine = try await command.device.engine()
    let denoiser = try await MixtureDenoiser(points: data.values, shape: data.shape, on: engine)
    var flow = AdaptiveFlow(schedule, denoiser: denoiser, on: engine)
    let tolerance = command.adaptive.tolerance ?? Self.usualTolerance
    (flow.absoluteTolerance, flow.relativeTolerance) = (tolerance, tolerance)
    if case .varianceExploding = schedule { flow.end = 1e-5 }
    flow.batchSize = command.samples.batch

    let clock = ContinuousClock()
    let start = clock.now
    let result = try await flow.samples(request)
    let seconds = (clock.now - start) / .seconds(1)
    try targets.finish(result.samples, title: "\(SamplerChoice.adaptiveName), tolerance \(tolerance)")
    if Terminal(describing: STDERR_FILENO).canRedraw {
      let (count, evaluations) = (Quantity.grouped(request.count), result.evaluations.max() ?? 0)
      note("\(count) samples in \(Quantity.short(seconds)) s: at most \(evaluations) evaluations")
    }
  }
}
