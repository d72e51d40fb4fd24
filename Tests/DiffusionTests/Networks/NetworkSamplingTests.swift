import Engine
import Foundation
import ModelFiles
import Networks
import TestDevices
import Testing
import Weft

@testable import Diffusion

/// Trajectories with a network: memory is as planned, and samples do not depend on each other.
@Suite struct NetworkSamplingTests {
  /// A model on a device of its own, so that nothing else takes memory there.
  private func model(_ name: String, _ device: TestDevice) async throws -> (
    DiffusionModelFiles, NetworkDenoiser, Engine
  ) {
    let directory = try ModelDirectory(try UNetGolden.named(name))
    defer { withExtendedLifetime(directory) {} }
    let files = try DiffusionModelFiles(directory: directory.path)
    let engine = try await Engine(device == .reference ? .reference : .openCL(index: nil))
    return (files, try await NetworkDenoiser(files, on: engine), engine)
  }

  @Test(arguments: TestDevice.available) func aSampleDoesNotDependOnItsBatch(_ device: TestDevice) async throws {
    let (files, denoiser, engine) = try await model("scale and shift", device)
    let plan = try files.scheduler.plan(steps: 3)
    var results: [[Float]] = []
    for batch in [1, 2, 5] {
      results.append(
        try await Sampler(plan, denoiser: denoiser, on: engine, batchSize: batch).samples(count: 5, seed: 9).values)
    }
    #expect(results[0] == results[1] && results[0] == results[2])
    var request = SamplingRequest(count: 1, seed: 9)
    request.firstSample = 3
    let alone = try await Sampler(plan, denoiser: denoiser, on: engine).samples(request)
    #expect(alone.values == Array(results[0][3 * 64..<4 * 64]))
  }

  /// Each sample at its own noise level gets the answer that it gets alone.
  @Test func levelsMayDiffer() async throws {
    let (_, denoiser, _) = try await model("wide", .reference)
    let noise = try UNetGolden.named("wide").numbers("noise")
    let levels = [0, 999].map { NoiseLevel(time: $0, alpha: 1, sigma: 1) }
    let both = try await denoiser.evaluate(DenoiserCall(samples: noise, count: 2, levels: levels))
    for (index, level) in levels.enumerated() {
      let half = Array(noise[index * 128..<(index + 1) * 128])
      let one = try await denoiser.evaluate(DenoiserCall(samples: half, count: 1, levels: [level]))
      #expect(one == Array(both[index * 128..<(index + 1) * 128]))
    }
  }

  @Test(.enabled(if: TestDevice.hasOpenCL), arguments: [("small cifar", 12), ("equal channels", 3)])
  func thePeakIsAsPlanned(name: String, samples: Int) async throws {
    let (files, denoiser, engine) = try await model(name, .openCL)
    let plan = try files.scheduler.plan(steps: 4)
    let planned = try files.memory(plan, samples: samples, batchSize: nil, on: engine)
    let sampler = try Sampler(plan, denoiser: denoiser, on: engine)
    #expect(min(sampler.batchSize, samples) == planned.batchSize)
    _ = try await sampler.samples(count: samples)
    let peak = Double(engine.memory.peakBytes)
    #expect(peak <= 1.2 * Double(planned.total) && peak >= 0.8 * Double(planned.total), "\(peak) of \(planned.total)")
  }

  /// Windows, linear layers, old names and images made larger: the weights take what is planned, to the byte.
  @Test(arguments: ["small cifar", "equal channels", "scale and shift", "wide"]) func weightsAreAsPlanned(name: String)
    async throws
  {
    let (files, denoiser, engine) = try await model(name, .reference)
    #expect(engine.memory.bytes == files.graph.memory(images: 1, in: engine.weightLayout).weights)
    withExtendedLifetime(denoiser) {}
  }

  /// A batch larger than any number of samples is one of all samples.
  @Test func anEndlessBatch() async throws {
    let (files, denoiser, engine) = try await model("scale and shift", .reference)
    let plan = try files.scheduler.plan(steps: 2)
    let all = try await Sampler(plan, denoiser: denoiser, on: engine, batchSize: .max).samples(count: 2, seed: 9)
    let usual = try await Sampler(plan, denoiser: denoiser, on: engine).samples(count: 2, seed: 9)
    #expect(all.values == usual.values)
  }

  /// The device's memory decides how many samples travel together.
  @Test func batchesFitTheMemory() {
    func size(_ memory: Int) -> Int {
      let device = DeviceDescription(
        name: "", platform: "", driver: "", kind: .cpu, variant: "cpu", computeUnits: 1, memoryBytes: memory)
      return SamplingMemory.batchSize(busy: 64, resident: 1000, on: device) { 100 * $0 }
    }
    #expect(size(1 << 30) == 64)
    #expect(size(2 * (1000 + 1700)) == 17)
    #expect(size(2 * (1000 + 1699)) == 16)
    // One sample is tried whatever happens: the device says what is missing.
    #expect(size(10) == 1)
  }

  @Test func aNetworkThatDoesNotFitSaysByHowMuch() throws {
    let graph = ImageGraph.unet2D(.celebA)
    let device = DeviceDescription(
      name: "a small device", platform: "", driver: "", kind: .gpu, variant: "gpu", computeUnits: 1,
      memoryBytes: 512 << 20)
    let memory = graph.memory(images: 1, in: WeightLayout(panelWidth: 32))
    let missing = memory.weights + memory.pass - (384 << 20)
    #expect(missing > 0)
    do {
      try graph.checkFits(device, in: WeightLayout(panelWidth: 32))
      Issue.record("it fits")
    } catch {
      #expect(error.kind == .exhausted)
      #expect(error.message.contains("\((missing + (1 << 20) - 1) >> 20) MiB more than the 384 MiB"))
    }
  }

  /// Γ of a trained network: with noise alone ε is all there is to see, and its square is 1.
  @Test(.enabled(if: TestDevice.hasOpenCL)) func gammaOfTheDigitsNetwork() async throws {
    let files = try DiffusionModelFiles(directory: try BundledModels.directory(named: BundledModels.digits))
    let engine = try await TestDevice.openCL.engine()
    let denoiser = try await NetworkDenoiser(files, on: engine)
    let schedule = try #require(files.scheduler.schedule)
    let levels = [300, 999].map { NoiseLevel(time: Double($0), alphaBar: schedule.alphasBar[$0]) }
    // A bright bar on a dark ground, in place of a digit.
    let data: [Float] = (0..<256).map { (6..<10).contains($0 % 16) ? 1 : -1 }
    let table = try await GammaTable.estimate(denoiser, over: data, levels: levels, draws: 8, on: engine)
    let values = table.entries.map(\.gamma)
    #expect(values.count == 2 && values.allSatisfy { (0.8...1.2).contains($0) }, "\(values)")
  }
}
