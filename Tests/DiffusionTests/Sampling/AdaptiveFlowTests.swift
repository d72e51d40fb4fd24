import Foundation
import TestDevices
import Testing
import Weft

@testable import Diffusion

/// The adaptive flow against the Gaussian's closed form.
@Suite struct AdaptiveFlowTests {
  private let model = GaussianModel(mean: 0.3, variance: 0.25)
  private static let schedules: [ContinuousSchedule] = [
    .variancePreserving(), .varianceExploding(), .subVariancePreserving(),
  ]

  private func denoiser(_ elements: Int, _ engine: Engine) async throws -> MixtureDenoiser {
    try await MixtureDenoiser(
      mean: [Float](repeating: 0.3, count: elements), deviation: 0.5, shape: [elements], on: engine)
  }

  @Test(arguments: schedules, TestDevice.available)
  func endsWhereTheFlowDoes(schedule: ContinuousSchedule, device: TestDevice) async throws {
    let engine = try await device.engine()
    let flow = AdaptiveFlow(schedule, denoiser: try await denoiser(5, engine), on: engine)
    let noise: [Float] = (0..<35).map { Float($0 - 17) / 9 }
    var request = SamplingRequest(count: 7)
    request.start = .given(noise)
    let result = try await flow.samples(request)
    for (start, got) in zip(noise, result.samples.values) {
      let exact = model.flowed(
        Double(start) * schedule.initialScale, from: schedule.level(at: 1), to: schedule.level(at: 1e-3))
      #expect(abs(Double(got) - exact) < 2e-4)
    }
    #expect(result.evaluations[0] < 400)
  }

  @Test(arguments: schedules, TestDevice.available)
  func likelihoodIsTheGaussians(schedule: ContinuousSchedule, device: TestDevice) async throws {
    let engine = try await device.engine()
    let elements = 6
    let flow = AdaptiveFlow(schedule, denoiser: try await denoiser(elements, engine), on: engine)
    let data: [Float] = (0..<4 * elements).map { 0.3 + 0.5 * Float($0 % 7 - 3) / 2 }
    let got = try await flow.logLikelihood(of: data)
    let (start, end) = (schedule.level(at: 1e-3), schedule.level(at: 1))
    func logNormal(_ x: Double, _ mean: Double, _ variance: Double) -> Double {
      -0.5 * ((x - mean) * (x - mean) / variance + log(2 * Double.pi * variance))
    }
    for sample in 0..<4 {
      var exact = 0.0
      for x in data[sample * elements..<(sample + 1) * elements].map(Double.init) {
        exact += logNormal(x, start.alpha * 0.3, model.marginalVariance(start))
        // The flow's end is taken for N(0, scale²), which the true marginal there is not quite.
        let noise = model.flowed(x, from: start, to: end)
        exact += logNormal(noise, 0, schedule.initialScale * schedule.initialScale)
        exact -= logNormal(noise, end.alpha * 0.3, model.marginalVariance(end))
      }
      #expect(abs(got[sample] - exact) < 5e-3 * Double(elements))
    }
  }

  @Test(.enabled(if: TestDevice.hasOpenCL, "no OpenCL device")) func doesNotDependOnTheBatch() async throws {
    let engine = try await TestDevice.openCL.engine()
    let points: [Float] = [-1, 0.2, 0.4, -0.3, 0.9, 0.8]
    let denoiser = try await MixtureDenoiser(points: points, shape: [2], on: engine)
    var flow = AdaptiveFlow(.variancePreserving(), denoiser: denoiser, on: engine)
    (flow.absoluteTolerance, flow.relativeTolerance, flow.end) = (1e-2, 1e-2, 0.02)
    let together = try await flow.samples(SamplingRequest(count: 4, seed: 4)).samples.values
    flow.batchSize = 1
    let alone = try await flow.samples(SamplingRequest(count: 4, seed: 4)).samples.values
    #expect(together == alone)
    let data: [Float] = [0.1, 0.2, -0.9, 0.3, 0.5, -0.4]
    let each = try await flow.logLikelihood(of: data, probes: 2, seed: 1)
    flow.batchSize = nil
    #expect(try await flow.logLikelihood(of: data, probes: 2, seed: 1) == each)
  }

  @Test func refusesWhatMakesNoSense() async throws {
    let engine = try await Engine(.reference)
    var flow = AdaptiveFlow(.variancePreserving(), denoiser: HostGaussian(sampleShape: [2]), on: engine)
    await #expect(throws: DiffusionError.self) { _ = try await flow.logLikelihood(of: [1, 2, 3]) }
    await #expect(throws: DiffusionError.self) { _ = try await flow.logLikelihood(of: [1, .nan]) }
    await #expect(throws: DiffusionError.self) { _ = try await flow.logLikelihood(of: [1, 2], probes: 0) }
    flow.end = 1
    await #expect(throws: DiffusionError.self) { _ = try await flow.samples(SamplingRequest(count: 1)) }
  }
}
