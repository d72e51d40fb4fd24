import TestDevices
import Testing
import Weft

@testable import Diffusion

/// The acceptance numbers of exact Gaussian data, drawn on the device.
@Suite(.enabled(if: TestDevice.hasOpenCL, "no OpenCL device")) struct GaussianSamplingTests {
  private let elements = 64
  private let count = 4096

  private func denoiser(_ engine: Engine) async throws -> MixtureDenoiser {
    try await MixtureDenoiser(
      mean: [Float](repeating: 0, count: elements), deviation: 0.5, shape: [elements], on: engine)
  }

  private func varianceRatio(_ method: SamplingMethod) async throws -> Double {
    let engine = try await TestDevice.openCL.engine()
    let samples = try await Sampler(method, denoiser: try await denoiser(engine), on: engine)
      .samples(count: count, seed: 11)
    let square = samples.values.reduce(0.0) { $0 + Double($1) * Double($1) }
    return square / Double(samples.values.count) / 0.25
  }

  /// Four standard errors of a variance from that many draws.
  private func error(_ ratio: Double) -> Double { 4 * ratio * (2 / Double(count * elements)).squareRoot() }

  private func method(_ name: SamplerName, _ steps: Int) -> SamplingMethod {
    var method = SamplingMethod(name, steps: steps)
    method.spacing = .trajectory
    method.drawsFinalNoise = name != .ddim
    return method
  }

  @Test(arguments: [
    (5, 0.175949, 2.233810, 0.202655), (10, 0.416890, 1.434485, 0.523052), (25, 0.653489, 1.151768, 0.789302),
    (50, 0.785681, 1.071931, 0.890815), (100, 0.875924, 1.035007, 0.944192), (1000, 0.984501, 1.003408, 0.993990),
  ])
  func outputVariance(steps: Int, small: Double, large: Double, ddim: Double) async throws {
    #expect(abs(try await varianceRatio(method(.ddpm, steps)) - small) < error(small))
    var ddpm = method(.ddpm, steps)
    ddpm.variance = .large
    #expect(abs(try await varianceRatio(ddpm) - large) < error(large))
    #expect(abs(try await varianceRatio(method(.ddim, steps)) - ddim) < error(ddim))
  }

  /// With the closed form's Γ the variance is right however few the steps.
  @Test(arguments: [2, 3, 5, 20]) func analyticVarianceIsExact(steps: Int) async throws {
    var method = method(.analyticDDPM, steps)
    let levels = try method.grid(prediction: .sample).levels.dropLast()
    method.gamma = try .gaussian(dataVariance: 0.25, levels: Array(levels))
    #expect(abs(try await varianceRatio(method) - 1) < error(1))
  }

  /// Γ measured on the device, and samples of the right variance with it. Two steps are too few for a measured Γ:
  /// the first then crosses everything from t = 1000, where (1 - ᾱ) / ᾱ = 2.5e4 multiplies the estimate's error.
  @Test(arguments: [5, 20]) func measuredVarianceIsRight(steps: Int) async throws {
    let engine = try await TestDevice.openCL.engine()
    var method = method(.analyticDDPM, steps)
    let levels = try method.grid(prediction: .sample).levels.dropLast()
    let denoiser = try await denoiser(engine)
    // Data: the noise of another seed, times s.
    let data = try await Sampler(
      SamplingPlan([], start: levels[0], initialScale: 0.5), denoiser: denoiser, on: engine
    ).samples(count: 2048, seed: 99)
    let gamma = try await GammaTable.estimate(
      denoiser, over: data.values, levels: Array(levels), draws: 2048, seed: 3, on: engine)
    #expect(gamma.dataRange == Double(data.values.min() ?? 0)...Double(data.values.max() ?? 0))
    #expect(abs(try #require(gamma.dataVariance) / 0.25 - 1) < 0.1)
    for level in levels {
      let noise = level.sigma * level.sigma
      let exact = noise / (level.alpha * level.alpha * 0.25 + noise)
      let measured = try gamma.gamma(at: level.time, interpolates: false)
      let error = exact * (2.0 / Double(2048 * elements)).squareRoot()
      #expect(abs(measured - exact) < 5 * error)
    }
    method.gamma = gamma
    // The estimate's own error adds to that of the samples.
    #expect(abs(try await varianceRatio(method) - 1) < 3 * error(1))
  }
}
