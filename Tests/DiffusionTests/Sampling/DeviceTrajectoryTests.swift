import CPUBackend
import Engine
import TestDevices
import Testing

@testable import Diffusion

/// Every sampler on the device against plain loops over Double with the same noise.
@Suite struct DeviceTrajectoryTests {
  private func method(_ name: SamplerName) throws -> SamplingMethod {
    var method = SamplingMethod(name, steps: 7)
    if method.needsGamma {
      let levels = try NoiseSchedule.linear().alphasBar.enumerated().map {
        NoiseLevel(time: Double($0.offset), alphaBar: $0.element)
      }
      method.gamma = try .gaussian(dataVariance: 0.25, levels: levels)
    }
    switch name {
    case .ddpm: method.clipping = .fixed(limit: 1)
    case .ddim:
      method.eta = 0.4
      method.clipping = .dynamic(ratio: 0.9, maximum: 1.5)
    default: break
    }
    return method
  }

  @Test(arguments: SamplerName.allCases, TestDevice.available)
  func followsThePlan(name: SamplerName, device: TestDevice) async throws {
    let (count, elements) = (3, 70)
    let prediction: Prediction = name == .flowEuler ? .flow : .epsilon
    let hasTwoHeads = name.traits.needsSecondHead
    let plan = try method(name).plan(prediction: prediction)
    var denoiser = ToyDenoiser(sampleShape: [7, 10], prediction: prediction)
    if hasTwoHeads { denoiser.outputHeads = 2 }
    let sampler = try Sampler(plan, denoiser: denoiser, on: try await device.engine())
    let noise = normals(count * elements, seed: 5)
    var request = SamplingRequest(count: count, seed: 0xFEED_0000_0BEE)
    request.start = .given(noise)
    let samples = try await sampler.samples(request)

    var executor = PlanExecutor(sampleSize: elements) { x, level in
      x.map { $0 * level.time / (level.time + 1) }
    }
    if hasTwoHeads { executor.secondOutput = { x, level in x.map { 0.5 * $0 * level.time / (level.time + 1) } } }
    executor.scalesInput = true
    executor.noise = { instruction, at in
      let isCorrector = if case .langevin = plan.instructions[instruction] { true } else { false }
      let stream: NoiseSource.Stream = isCorrector ? .corrector : .step
      let four = Philox.normals(
        counter: UInt32(at % elements / 4), step: UInt32(instruction), sample: UInt32(at / elements),
        stream: UInt32(stream.rawValue), key: (0x0000_0BEE, 0xFEED))
      return Double(four[at % elements % 4])
    }
    let expected = executor.run(plan, from: noise.map { Double($0) * plan.initialScale })

    let largest = expected.map(abs).max() ?? 0
    #expect(samples.values.count == expected.count)
    #expect(largest.isFinite && largest > 0)
    for (got, exact) in zip(samples.values, expected) {
      // Seven steps, each rounding a few terms as large as the largest sample on the way.
      #expect(abs(Double(got) - exact) <= 2e-5 * max(largest, plan.initialScale))
    }
  }

  private func normals(_ count: Int, seed: UInt32) -> [Float] {
    (0..<count).map { Philox.normals(counter: UInt32($0), step: 0, sample: 0, stream: 0, key: (seed, 0))[0] }
  }
}
