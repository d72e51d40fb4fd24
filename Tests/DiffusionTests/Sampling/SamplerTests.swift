import TestDevices
import Testing
import Weft

@testable import Diffusion

/// What a user of `Sampler` relies on.
@Suite struct SamplerTests {
  private let points: [Float] = (0..<30 * 9).map { Float(($0 * 37) % 101) / 50 - 1 }

  private func sampler(
    _ method: SamplingMethod, _ device: TestDevice, batchSize: Int? = nil
  ) async throws -> Sampler {
    let engine = try await device.engine()
    let denoiser = try await MixtureDenoiser(points: points, shape: [3, 3], on: engine)
    return try Sampler(method, denoiser: denoiser, on: engine, batchSize: batchSize)
  }

  private static let methods: [SamplingMethod] = {
    var thresholds = SamplingMethod.ddpm(steps: 8)
    thresholds.clipping = .dynamic(ratio: 0.9, maximum: 2)
    return [
      .ddpm(steps: 10), .ddim(steps: 7, eta: 0.5), .dpmSolver(steps: 6), .unipc(steps: 6), thresholds,
      SamplingMethod(.predictorCorrector, steps: 5), SamplingMethod(.edm, steps: 5),
    ]
  }()

  /// 64 samples in one batch are 64 batches of one, bit for bit.
  @Test(arguments: methods, TestDevice.available)
  func aSampleDoesNotDependOnItsBatch(method: SamplingMethod, device: TestDevice) async throws {
    let count = 64
    let together = try await sampler(method, device).samples(count: count, seed: 3)
    let alone = try await sampler(method, device, batchSize: 1).samples(count: count, seed: 3)
    #expect(together.values.map(\.bitPattern) == alone.values.map(\.bitPattern))
    let uneven = try await sampler(method, device, batchSize: 7).samples(count: count - 2, seed: 3)
    #expect(uneven.values.map(\.bitPattern) == together.values.dropLast(18).map(\.bitPattern))
  }

  /// So it is for every sampler. Samples are tiny, so that the reference takes them all too.
  @Test(arguments: SamplerName.allCases, TestDevice.available)
  func aSampleOfAnySamplerDoesNotDependOnItsBatch(name: SamplerName, device: TestDevice) async throws {
    let engine = try await device.engine()
    var method = SamplingMethod(name, steps: 5)
    if method.needsGamma {
      method.gamma = try .gaussian(dataVariance: 0.25, levels: method.grid(prediction: .sample).levels.dropLast())
    }
    let denoiser: any Denoiser =
      name.traits.needsSecondHead
      ? ToyDenoiser(sampleShape: [2], outputHeads: 2)
      : try await MixtureDenoiser(points: [0.5, -0.25, -0.75, 1, 0.125, 0.5], shape: [2], on: engine)
    func draw(_ batchSize: Int) async throws -> [UInt32] {
      try await Sampler(method, denoiser: denoiser, on: engine, batchSize: batchSize).samples(count: 64, seed: 3)
        .values.map(\.bitPattern)
    }
    let together = try await draw(64)
    #expect(together.count == 128)
    #expect(try await draw(1) == together)
    #expect(try await draw(7) == together)
  }

  @Test(arguments: TestDevice.available) func seedsAndIds(device: TestDevice) async throws {
    let sampler = try await sampler(.ddpm(steps: 5), device)
    let base = try await sampler.samples(count: 6, seed: 3)
    var later = SamplingRequest(count: 2, seed: 3)
    later.firstSample = 4
    #expect(try await sampler.samples(later).values == Array(base.values.suffix(18)))
    let listed = try await sampler.samples(SamplingRequest(seeds: [9, 3, 9]))
    #expect(listed[0] == listed[2])
    #expect(Array(listed[1]) == Array(base[0]))
    #expect(try await sampler.samples(count: 1, seed: 4).values != Array(base[0]))
  }

  /// The host's denoiser is scaled, timed and read like the device's.
  @Test(arguments: [SamplerName.ddpm, .dpmSolver3M, .euler, .heun, .flowEuler], TestDevice.available)
  func denoisersOnHostAndDeviceAgree(name: SamplerName, device: TestDevice) async throws {
    let engine = try await device.engine()
    let exact = try await MixtureDenoiser(
      mean: [Float](repeating: 0.3, count: 8), deviation: 0.5, shape: [8], on: engine)
    let host = HostGaussian(
      sampleShape: [8], model: GaussianModel(mean: 0.3, variance: 0.25), prediction: .sample)
    let method = SamplingMethod(name, steps: 9)
    let onDevice = try await Sampler(method, denoiser: exact, on: engine).samples(count: 4, seed: 1)
    // An exact denoiser works at the level as it is; a network would see unit variance.
    var plan = try method.plan(prediction: .sample)
    plan.instructions = plan.instructions.map { instruction in
      guard case .update(var update) = instruction else { return instruction }
      update.inputScale = 1
      return .update(update)
    }
    let onHost = try await Sampler(plan, denoiser: host, on: engine).samples(count: 4, seed: 1)
    for (a, b) in zip(onDevice.values, onHost.values) { #expect(abs(a - b) < 2e-4) }
  }

  @Test(arguments: TestDevice.available) func startsFromAnImage(device: TestDevice) async throws {
    let image = Array(points[9..<18])
    var method = SamplingMethod.ddim(steps: 50)
    method.strength = 0.1
    var request = SamplingRequest(count: 3, seed: 1)
    request.start = .images(image)
    let samples = try await sampler(method, device).samples(request)
    // A little noise is taken away again: the point it came from is found, or one beside it.
    for sample in 0..<3 { for (a, b) in zip(samples[sample], image) { #expect(abs(a - b) < 0.1) } }
    #expect(try method.plan(prediction: .sample).stepCount == 5)
  }

  @Test(arguments: TestDevice.available) func inpaintingKeepsWhatIsKnown(device: TestDevice) async throws {
    let image = Array(points[18..<27])
    var request = SamplingRequest(count: 4, seed: 1)
    request.inpainting = .init(known: image, mask: [0, 0, 0, 0, 0, 0, 1, 1, 1])
    let samples = try await sampler(.ddpm(steps: 40), device).samples(request)
    for sample in 0..<4 {
      for (a, b) in zip(samples[sample], image).prefix(6) { #expect(abs(a - b) < 1e-6) }
      // What is known picks one point of the data, and the rest follows.
      for (a, b) in zip(samples[sample], image) { #expect(abs(a - b) < 0.1) }
    }
  }

  /// Also where a grid ends a little above clean data, with noise in its last level.
  @Test(arguments: SamplerName.allCases, TestDevice.available)
  func whatIsKnownIsExactAtTheEnd(name: SamplerName, device: TestDevice) async throws {
    let image = Array(points[18..<27])
    var request = SamplingRequest(count: 2, seed: 1)
    request.inpainting = .init(known: image, mask: [0, 1, 0, 0, 0.5, 0, 1, 1, 1])
    let samples: SampleSet
    if name.traits.needsSecondHead {
      let toy = ToyDenoiser(sampleShape: [3, 3], outputHeads: 2)
      samples = try await Sampler(SamplingMethod(name, steps: 6), denoiser: toy, on: device.engine()).samples(request)
    } else {
      var method = SamplingMethod(name, steps: 6)
      if method.needsGamma {
        method.gamma = try .gaussian(
          dataVariance: 0.25, levels: method.grid(prediction: .sample).levels.dropLast())
      }
      samples = try await sampler(method, device).samples(request)
    }
    for sample in 0..<2 {
      for element in [0, 2, 3, 5] { #expect(Array(samples[sample])[element] == image[element]) }
    }
  }

  @Test(arguments: TestDevice.available) func interpolationJoinsTwoSeeds(device: TestDevice) async throws {
    let sampler = try await sampler(.ddim(steps: 6), device, batchSize: 2)
    var request = SamplingRequest(count: 5)
    request.start = .interpolation(from: 11, to: 12)
    let path = try await sampler.samples(request)
    let ends = try await sampler.samples(SamplingRequest(seeds: [11, 12]))
    for (a, b) in zip(path[0], ends[0]) { #expect(abs(a - b) < 1e-5) }
    for (a, b) in zip(path[4], ends[1]) { #expect(abs(a - b) < 1e-5) }
  }

  @Test(arguments: TestDevice.available) func reportsWhatIsAskedFor(device: TestDevice) async throws {
    let sampler = try await sampler(.dpmSolver(steps: 7), device, batchSize: 3)
    let plain = try await sampler.samples(count: 5, seed: 2)
    var request = SamplingRequest(count: 5, seed: 2)
    request.observation = .init(every: 3, samples: true, previews: true)
    var steps: [Int] = []
    var finished: [Float] = []
    for try await progress in try sampler.run(request) {
      steps.append(progress.step)
      #expect(progress.samples?.count == progress.batch.count * 9)
      #expect(progress.preview?.count == progress.batch.count * 9)
      // The last prediction of a clean sample is where the last step leads.
      if progress.isFinished {
        finished += progress.samples ?? []
        #expect(zip(progress.samples ?? [], progress.preview ?? []).allSatisfy { abs($0 - $1) < 1e-5 })
      }
    }
    #expect(steps == [3, 6, 7, 3, 6, 7])
    #expect(finished == plain.values)
  }

  @Test(arguments: TestDevice.available) func theStartIsReportedIfAskedFor(device: TestDevice) async throws {
    let method = SamplingMethod(.euler, steps: 4)
    let sampler = try await sampler(method, device, batchSize: 2)
    let plan = sampler.plan
    let noise = try await Sampler(
      SamplingPlan([], start: plan.start, initialScale: plan.initialScale), denoiser: sampler.denoiser,
      on: sampler.engine
    ).samples(count: 3, seed: 5)
    var request = SamplingRequest(count: 3, seed: 5)
    request.observation = .init(every: 2, start: true, samples: true)
    var steps: [Int] = []
    var starts: [Float] = []
    var finished: [Float] = []
    for try await progress in try sampler.run(request) {
      steps.append(progress.step)
      if progress.step == 0 {
        #expect(progress.level == plan.start && !progress.isFinished)
        starts += progress.samples ?? []
      }
      if progress.isFinished { finished += progress.samples ?? [] }
    }
    #expect(steps == [0, 2, 4, 0, 2, 4])
    #expect(starts == noise.values)
    #expect(finished == (try await sampler.samples(count: 3, seed: 5)).values)
  }

  @Test func stopsWhenNobodyAsksOrItIsCancelled() async throws {
    let counter = CountingDenoiser()
    let sampler = try Sampler(.ddim(steps: 10), denoiser: counter, on: try await Engine(.reference))
    var request = SamplingRequest(count: 1)
    request.observation = .init(every: 2)
    for try await _ in try sampler.run(request) { break }
    #expect(await counter.calls.value == 2)
    let task = Task { try await sampler.samples(count: 1) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func denoisersThatFailOrAnswerWrong() async throws {
    let engine = try await Engine(.reference)
    let short = try Sampler(.ddim(steps: 3), denoiser: ShortDenoiser(), on: engine)
    await #expect(throws: DiffusionError.self) { try await short.samples(count: 2) }
    let failing = try Sampler(.ddim(steps: 3), denoiser: FailingDenoiser(), on: engine)
    await #expect(throws: FailingDenoiser.Failure.self) { try await failing.samples(count: 2) }
    // The same engine goes on working.
    _ = try await Sampler(.ddim(steps: 3), denoiser: ToyDenoiser(sampleShape: [2]), on: engine).samples(count: 1)
  }

  /// The third sample's first number grows without bound; the others are good.
  @Test(arguments: TestDevice.available) func divergenceIsNoticed(device: TestDevice) async throws {
    let engine = try await device.engine()
    for batchSize in [1, 2, 5] {
      let sampler = try Sampler(
        .ddim(steps: 5), denoiser: ExplodingDenoiser(), on: engine, batchSize: batchSize)
      var request = SamplingRequest(count: 5)
      request.start = .given([1, 1, 1, 1, 9, 1, 1, 1, 1, 1])
      await #expect {
        _ = try await sampler.samples(request)
      } throws: {
        guard let error = $0 as? DiffusionError else { return false }
        return error.kind == .failed && error.message.contains("sample 2 has diverged")
      }
    }
  }

  @Test func refusesWhatMakesNoSense() async throws {
    let engine = try await Engine(.reference)
    let toy = ToyDenoiser(sampleShape: [4])
    func refused(_ change: (inout SamplingMethod) -> Void, _ name: SamplerName = .ddpm) {
      var method = SamplingMethod(name, steps: 5)
      change(&method)
      #expect(throws: DiffusionError.self) { try Sampler(method, denoiser: toy, on: engine) }
    }
    refused { $0.steps = 0 }
    refused { $0.steps = 1001 }
    refused { $0.eta = 0.5 }
    refused({ $0.eta = 1.5 }, .ddim)
    refused({ $0.eta = -0.1 }, .ddim)
    refused { $0.variance = .analytic }
    refused { $0.variance = .learned }
    refused({ _ in }, .nprDDPM)
    refused({ _ in }, .flowEuler)
    refused { $0.strength = 0 }
    refused { $0.timesteps = [5, 5] }
    refused({ $0.drawsFinalNoise = true }, .dpmSolver2M)
    refused({ $0.schedule = .continuous(.varianceExploding()) }, .ddpm)
    #expect(throws: DiffusionError.self) {
      try Sampler(.ddpm(steps: 5), denoiser: ToyDenoiser(sampleShape: [0]), on: engine)
    }
    #expect(throws: DiffusionError.self) { try Sampler(.ddpm(steps: 5), denoiser: toy, on: engine, batchSize: 0) }
    let sampler = try Sampler(.ddpm(steps: 5), denoiser: toy, on: engine)
    func refused(_ request: SamplingRequest, _ change: (inout SamplingRequest) -> Void) {
      var request = request
      change(&request)
      #expect(throws: DiffusionError.self) { try sampler.run(request) }
    }
    let request = SamplingRequest(count: 2)
    refused(request) { $0.count = 0 }
    refused(request) { $0.firstSample = -1 }
    refused(request) { $0.seeds = [1] }
    refused(request) { $0.start = .given([1, 2, 3, 4]) }
    refused(request) { $0.start = .images([1, 2, .nan, 4]) }
    refused(request) { $0.start = .images([1, 2, 1e30, 4]) }
    refused(request) { $0.inpainting = .init(known: [1, 2, 3, -1e30], mask: [0, 0, 0, 0]) }
    refused(request) { $0.inpainting = .init(known: [1, 2, 3, 4], mask: [0, 0, 2, 0]) }
    refused(request) { $0.observation = .init(every: 0) }
  }

  @Test(arguments: [
    ("ddpm", SamplerName.ddpm), ("DPM++ 2M", .dpmSolver2M), ("dpmpp_2m", .dpmSolver2M), ("UniPC", .unipc2),
    ("euler_a", .eulerAncestral), ("Euler-Ancestral", .eulerAncestral), ("DPM-Solver++", .dpmSolver2M),
  ])
  func samplersByOtherNames(text: String, name: SamplerName) {
    #expect(SamplerName(spelled: text) == name)
    #expect(SamplerName(spelled: text + "x") == nil)
  }

  @Test func everySamplerIsFoundByItsName() {
    for name in SamplerName.allCases { #expect(SamplerName(spelled: name.rawValue) == name) }
  }

  @Test func refusesBadPoints() async throws {
    let engine = try await Engine(.reference)
    let bad: [([Float], [Int])] = [
      ([1, 2, 3], [2]), ([1, .nan], [2]), ([], [2]), ([1, 2], [0]), ([1, 2], []), ([1, -1e30], [2]),
    ]
    for (points, shape) in bad {
      await #expect(throws: DiffusionError.self) {
        _ = try await MixtureDenoiser(points: points, shape: shape, on: engine)
      }
    }
    await #expect(throws: DiffusionError.self) {
      _ = try await MixtureDenoiser(means: [1, 2], shape: [1], deviations: [1, -1], weights: nil, on: engine)
    }
    await #expect(throws: DiffusionError.self) {
      _ = try await MixtureDenoiser(means: [1, 2], shape: [1], deviations: nil, weights: [0, 0], on: engine)
    }
  }

  /// As many different deviations as there can be, in groups of all sizes, and one more.
  @Test(arguments: TestDevice.available) func deviationsHaveALimit(device: TestDevice) async throws {
    let engine = try await device.engine()
    let limit = MixtureDenoiser.deviationLimit
    func denoiser(_ distinct: Int) async throws -> MixtureDenoiser {
      // The first deviation has many components.
      let deviations = (0..<distinct + 2000).map { 0.1 + Float(max(0, $0 - 2000)) / 1000 }
      let means = deviations.indices.map { Float($0 % 7) }
      return try await MixtureDenoiser(means: means, shape: [1], deviations: deviations, weights: nil, on: engine)
    }
    let samples = try await Sampler(.ddim(steps: 2), denoiser: denoiser(limit), on: engine).samples(count: 1)
    #expect(samples.values[0].isFinite)
    await #expect {
      _ = try await denoiser(limit + 1)
    } throws: {
      ($0 as? DiffusionError)?.message.contains("\(limit)") == true
    }
  }
}

private actor Calls {
  private(set) var value = 0
  func add() { value += 1 }
}

private struct CountingDenoiser: Denoiser {
  let sampleShape = [2]
  let prediction = Prediction.epsilon
  let calls = Calls()

  func evaluate(_ call: DenoiserCall) async throws -> [Float] {
    await calls.add()
    return call.samples
  }
}

private struct ShortDenoiser: Denoiser {
  let sampleShape = [2]
  let prediction = Prediction.epsilon

  func evaluate(_ call: DenoiserCall) async throws -> [Float] { [1] }
}

/// Infinite where a sample is above 5.
private struct ExplodingDenoiser: Denoiser {
  let sampleShape = [2]
  let prediction = Prediction.sample

  func evaluate(_ call: DenoiserCall) async throws -> [Float] { call.samples.map { $0 > 5 ? .infinity : $0 } }
}

private struct FailingDenoiser: Denoiser {
  struct Failure: Error {}
  let sampleShape = [2]
  let prediction = Prediction.epsilon

  func evaluate(_ call: DenoiserCall) async throws -> [Float] { throw Failure() }
}
