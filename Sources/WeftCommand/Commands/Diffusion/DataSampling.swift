import ArgumentParser
import Diffusion
import Foundation
import Weft

/// One run of `weft sample`, its options checked against the data: everything that can be refused is refused before the
/// device is opened.
struct DataSampling {
  /// Pairs of a point and a noise that Γ of a level is estimated from.
  private static let gammaDraws = 2048

  private let data: SampleData
  private let samples: SampleOptions
  private let output: SampleOutputOptions
  private let savedGamma: String?
  private let request: SamplingRequest
  private let method: SamplingMethod
  private let grid: TimeGrid

  /// - Throws: `ValidationError` for options that make no sense together or with the data, `ModelFileError` for files.
  init(
    data: SampleData, settings: SamplerSettings, samples: SampleOptions, output: SampleOutputOptions
  ) throws {
    self.data = data
    self.samples = samples
    self.output = output
    savedGamma = settings.gamma.saveGamma
    let name = settings.method.name
    let clips = data.space.kind == .images && data.normalization.mode == .range && name.traits.clipping == .usual
    let clipping = settings.clipping.clipping(usual: clips ? .fixed(limit: 1) : .none)
    var method = try checkingOptions { () throws(DiffusionError) in
      try settings.method.method(noise: settings.noise, prediction: .sample, clipping: clipping)
    }
    method.strength = samples.stepShare
    if method.needsGamma {
      method.gamma = try settings.gamma.gamma.map { try GammaFile.read($0) }
      method.gamma?.describe(data.values)
      method.varianceCap = settings.gamma.varianceCap
    } else {
      try settings.checkGamma(unusedBy: method)
    }
    grid = try checkingOptions { [method] () throws(DiffusionError) in
      let grid = try method.grid(prediction: .sample)
      if let problem = samples.problem(steps: grid.steps) { throw DiffusionError(.invalidOption, problem) }
      // The plan itself, unless Γ is still to be estimated: any will do to check all else.
      var tried = method
      if method.needsGamma && method.gamma == nil {
        tried.gamma = try .gaussian(dataVariance: 1, levels: grid.levels.dropLast())
      }
      _ = try tried.plan(prediction: .sample)
      return grid
    }
    self.method = method
    let noise = try samples.givenNoise(for: data.space)
    try SampleTargets.check(output, data.space, samples: samples.sampleCount(noise: noise))
    request = try samples.request(for: data.space, noise: noise)
  }

  func run(on device: DeviceOptions) async throws {
    let targets = try SampleTargets(output, gamma: savedGamma, space: data.space, data: data.values)
    let engine = try await device.engine()
    let denoiser = try await MixtureDenoiser(points: data.values, shape: data.shape, on: engine)
    var method = method
    if method.needsGamma, method.gamma == nil {
      method.gamma = try await GammaTable.estimate(
        denoiser, over: data.values, of: grid, draws: Self.gammaDraws, on: engine)
    }
    let sampler = try checkingOptions { [method] () throws(DiffusionError) in
      try Sampler(method, denoiser: denoiser, on: engine, batchSize: samples.batch)
    }
    var run = SampleRun(sampler: sampler)
    if output.trajectory {
      run.followed = data.space.kind == .images ? SamplePicture.imageTrajectory : SamplePicture.pointTrajectory
    }
    try await run.run(request, into: targets, title: method.name.rawValue, gamma: method.gamma)
  }
}

/// One run of `weft sample` along the adaptive flow, its options checked against the data before the device is opened.
struct FlowSampling {
  private static let usualTolerance = 1e-5

  private let data: SampleData
  private let samples: SampleOptions
  private let output: SampleOutputOptions
  private let request: SamplingRequest
  private let schedule: ContinuousSchedule

  /// - Throws: `ValidationError` for options that make no sense together or with the data.
  init(data: SampleData, noise: NoiseOptions, samples: SampleOptions, output: SampleOutputOptions) throws {
    self.data = data
    self.samples = samples
    self.output = output
    let chosen = try checkingOptions { () throws(DiffusionError) in
      try noise.schedule(for: SamplerName.odeHeun.traits, prediction: .sample)
    }
    guard case .continuous(let schedule) = chosen else {
      throw ValidationError(
        "'\(SamplerChoice.adaptiveName)' solves a differential equation: it needs a schedule vp, ve or subvp")
    }
    self.schedule = schedule
    let given = try samples.givenNoise(for: data.space)
    try SampleTargets.check(output, data.space, samples: samples.sampleCount(noise: given))
    request = try samples.request(for: data.space, noise: given)
  }

  /// - Parameters:
  ///   - tolerance: how much each step may err; the usual one if nil.
  ///   - device: what computes.
  /// - Throws: what the device, the flow or the files throw.
  func run(tolerance: Double?, on device: DeviceOptions) async throws {
    let targets = try SampleTargets(output, space: data.space, data: data.values)
    let engine = try await device.engine()
    let denoiser = try await MixtureDenoiser(points: data.values, shape: data.shape, on: engine)
    var flow = AdaptiveFlow(schedule, denoiser: denoiser, on: engine)
    let tolerance = tolerance ?? Self.usualTolerance
    (flow.absoluteTolerance, flow.relativeTolerance) = (tolerance, tolerance)
    if case .varianceExploding = schedule { flow.end = 1e-5 }
    flow.batchSize = samples.batch

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
