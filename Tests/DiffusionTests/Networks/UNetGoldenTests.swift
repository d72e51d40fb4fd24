import Engine
import Foundation
import ModelFiles
import Networks
import TestDevices
import Testing
import Weft

@testable import Diffusion

/// U-Nets of every kind of block beside diffusers, on every device.
@Suite struct UNetGoldenTests {
  private static let tolerance: Float = 1e-4
  /// One that takes plain loops too long in a debug build, and adds no kind of block.
  private static let large = "small cifar"

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let device: TestDevice
    var testDescription: String { "\(name), \(device)" }
  }

  static let cases: [Case] = TestDevice.available.flatMap { device in
    UNetGolden.all.map(\.name).filter { device == .openCL || $0 != large }.map { Case(name: $0, device: device) }
  }

  @Test func theFileHoldsTheNetworks() {
    #expect(UNetGolden.all.count == 14)
    #expect(UNetGolden.all.count { $0.scheduler != nil } == 12)
  }

  /// The largest difference, relative to the largest number.
  private func deviation(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    let largest = expected.reduce(Float(0)) { max($0, abs($1)) }
    return zip(found, expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) } / largest
  }

  @Test(arguments: cases) func answersAreThoseOfDiffusers(_ one: Case) async throws {
    let golden = try UNetGolden.named(one.name)
    for timestep in golden.timesteps {
      let expected = try golden.numbers("forward.\(timestep)")
      let difference = deviation(
        try await answer(of: golden, timestep: timestep, count: expected.count, on: try await one.device.engine()),
        expected)
      #expect(difference < Self.tolerance, "timestep \(timestep)")
    }
  }

  /// A network's answer to the golden noise.
  private func answer(
    of golden: UNetGolden, timestep: Int, count: Int, on engine: Engine
  ) async throws -> [Float] {
    let directory = try ModelDirectory(golden, .init(hasOldNames: golden.hasOldNames))
    defer { withExtendedLifetime(directory) {} }
    let graph = try UNetFiles(model: directory.path).graph()
    #expect(Dictionary(uniqueKeysWithValues: graph.graph.tensors.map { ($0.name, $0.shape) }) == golden.shapes)
    let network = try await ImageNetwork(graph, files: UNetFiles(model: directory.path), on: engine)
    let pass = try network.makePass(images: UNetGolden.images)
    var row = CoefficientRow()
    row[.time] = Float(timestep)
    row[.inputScale] = 1
    var submission = Submission()
    let noise = try golden.numbers("noise")
    let samples = try engine.makeTensor(.float32, noise.count)
    let table = try engine.makeTensor(.float32, 1, CoefficientRow.width)
    let answer = try engine.makeTensor(.float32, count)
    try submission.upload(.float32(noise), to: samples)
    try submission.upload(.float32(row.elements), to: table)
    try pass.append(samples, at: CoefficientRows(table), into: answer, to: &submission)
    let place = try submission.download(answer)
    return try await engine.run(submission)[place].floats
  }

  /// How far lower precisions are from float32: the device's own units, and what GPUs with matrix units compute.
  @Test(
    .enabled(if: TestDevice.hasOpenCL, "an OpenCL device is needed"),
    arguments: [(Precision.bfloat16, Float(1e-2)), (.bfloat16x3, 2e-5)])
  func lowerPrecisionsAreNear(_ precision: Precision, _ limit: Float) async throws {
    let golden = try UNetGolden.named("plain")
    let timestep = try #require(golden.timesteps.first)
    let count = try golden.numbers("forward.\(timestep)").count
    let gpu = try Engine(.openCL(index: nil), variant: .gpu)
    let exact = try await answer(of: golden, timestep: timestep, count: count, on: gpu)
    // Emulation of bfloat16 has the bits of float32 units, and takes longer.
    let emulating = gpu.multiplying(at: precision, by: precision == .bfloat16 ? .float32 : .emulated)
    for engine in [try await TestDevice.openCL.engine().multiplying(at: precision), emulating] {
      let found = try await answer(of: golden, timestep: timestep, count: count, on: engine)
      #expect(deviation(found, exact) < limit)
      // The precision has been used.
      #expect(found != exact)
    }
  }

  @Test(arguments: cases.filter { (try? UNetGolden.named($0.name).scheduler) != nil })
  func fiveStepsAreThoseOfDiffusers(_ one: Case) async throws {
    let golden = try UNetGolden.named(one.name)
    var fields = try JSONSerialization.jsonObject(with: try #require(golden.scheduler)) as? [String: Any] ?? [:]
    fields["_class_name"] = "DDIMScheduler"
    let scheduler = String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self)
    let directory = try ModelDirectory(golden, scheduler: scheduler)
    defer { withExtendedLifetime(directory) {} }
    let files = try DiffusionModelFiles(directory: directory.path)
    let engine = try await one.device.engine()
    let denoiser = try await NetworkDenoiser(files, on: engine)
    let sampler = try Sampler(files.scheduler.plan(steps: golden.steps), denoiser: denoiser, on: engine)
    var request = SamplingRequest(count: UNetGolden.images)
    request.start = .given(try golden.numbers("noise"))
    let samples = try await sampler.samples(request)
    #expect(deviation(samples.values, try golden.numbers("ddim")) < Self.tolerance)
  }

  /// Float16, several files, one folder for all, and attention's old names hold the same network.
  @Test(arguments: [
    ModelDirectory.Layout(isFloat16: true), ModelDirectory.Layout(shards: 3),
    ModelDirectory.Layout(shards: 2, isFloat16: true, isFlat: true, hasOldNames: true),
  ])
  func filesMayLieInOtherWays(_ layout: ModelDirectory.Layout) async throws {
    let golden = try UNetGolden.named("attention in every block")
    let engine = try await TestDevice.reference.engine()
    let directory = try ModelDirectory(golden, layout)
    defer { withExtendedLifetime(directory) {} }
    let denoiser = try await NetworkDenoiser(try DiffusionModelFiles(directory: directory.path), on: engine)
    let level = NoiseLevel(time: 37, alpha: 1, sigma: 1)
    let call = DenoiserCall(samples: try golden.numbers("noise"), count: UNetGolden.images, levels: [level])
    #expect(deviation(try await denoiser.evaluate(call), try golden.numbers("forward.37")) < Self.tolerance)
  }

  /// What diffusers' own save_pretrained wrote, in float16 and five files.
  @Test func aSavedDirectoryIsRead() async throws {
    let golden = try UNetGolden.named("plain")
    let files = UNetFiles(network: "\(UNetGolden.folder)/sharded")
    let engine = try await TestDevice.reference.engine()
    let network = try await ImageNetwork(try files.graph(), files: files, on: engine)
    let denoiser = try await NetworkDenoiser(network, prediction: .epsilon, on: engine)
    let level = NoiseLevel(time: 999, alpha: 1, sigma: 1)
    let call = DenoiserCall(samples: try golden.numbers("noise"), count: UNetGolden.images, levels: [level])
    #expect(deviation(try await denoiser.evaluate(call), try golden.numbers("forward.999")) < Self.tolerance)
  }
}
