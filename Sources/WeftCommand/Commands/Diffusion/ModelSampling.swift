import ArgumentParser
import Diffusion
import Foundation
import ModelFiles
import Weft

/// One run of `weft sample --model`: everything that can be refused is refused before the network is loaded.
struct ModelSampling {
  /// Pairs of an image and a noise that Γ of a level is estimated from.
  private static let gammaDraws = 512

  private let files: DiffusionModelFiles
  private let isDry: Bool
  private let samples: SampleOptions
  private let output: SampleOutputOptions
  private let savedGamma: String?
  private let space: SampleSpace
  private let request: SamplingRequest
  private let gammaImages: [Float]?
  private let sampler: ModelSampler

  /// - Parameters:
  ///   - directory: the model's.
  ///   - isDry: whether nothing is computed.
  ///   - gammaImages: a file that Γ is estimated from.
  ///   - settings: how samples are drawn.
  ///   - samples: which ones.
  ///   - output: where they go.
  /// - Throws: `ValidationError` for options that make no sense together or with the model, `ModelFileError` for files.
  init(
    directory: String, isDry: Bool, gammaImages: String?, settings: SamplerSettings, samples: SampleOptions,
    output: SampleOutputOptions
  ) throws {
    self.isDry = isDry
    self.samples = samples
    self.output = output
    savedGamma = settings.gamma.saveGamma
    files = try DiffusionModelFiles(directory: directory)
    try files.checkWeights()
    space = SampleSpace(files)
    sampler = try ModelSampler(
      files, settings: settings, strength: samples.stepShare, canLackGamma: gammaImages != nil || isDry)
    if let problem = samples.problem(steps: try sampler.grid().steps) { throw ValidationError(problem) }
    _ = try sampler.checkedPlan()
    self.gammaImages = try gammaImages.map { [files, space] name in
      try GammaData(name, shape: files.sampleShape).values(in: space)
    }
    let noise = try samples.givenNoise(for: space)
    if !isDry {
      guard space.shape[0] == 1 || space.shape[0] == 3 || output.output == nil else {
        throw ValidationError("--output: images of \(space.shape[0]) channels have no picture: use --array")
      }
      try SampleTargets.check(output, space, samples: samples.sampleCount(noise: noise))
    }
    request = try samples.request(for: space, noise: noise)
  }

  func run(on device: DeviceOptions, _ precision: PrecisionOptions) async throws {
    let engine = precision.applied(to: try await device.engine())
    let tried = try sampler.checkedPlan()
    let memory = try files.memory(tried, samples: request.count, batchSize: samples.batch, on: engine)
    guard !isDry else {
      let report = ModelReport(files, title: sampler.title, tried, memory, samples: request.count, on: engine)
      try report.show(json: false)
      return
    }
    let targets = try SampleTargets(output, gamma: savedGamma, space: space)
    let denoiser = try await NetworkDenoiser(files, on: engine)
    var sampler = sampler
    if sampler.lacksGamma {
      sampler.method.gamma = try await GammaTable.estimate(
        denoiser, over: gammaImages ?? [], of: try sampler.grid(), draws: Self.gammaDraws, on: engine)
      // That of all images, of which these are a part.
      sampler.method.gamma?.dataRange = ModelSampler.range(files)
    }
    let plan = try sampler.plan()
    var run = SampleRun(
      sampler: try checkingOptions { () throws(DiffusionError) in
        try Sampler(plan, denoiser: denoiser, on: engine, batchSize: samples.batch)
      })
    run.isSlow = true
    if output.trajectory { run.followed = SamplePicture.imageTrajectory }
    try await run.run(request, into: targets, title: sampler.title, gamma: sampler.method.gamma)
  }
}

/// How samples of a model are drawn: as its own files say, or by a sampler that was named.
struct ModelSampler {
  /// What diffusers' pipelines take where nothing is said.
  private static let usualSteps = 50

  /// For titles and reports.
  let title: String
  var method: SamplingMethod
  private let prediction: Prediction

  /// - Parameters:
  ///   - files: the model.
  ///   - settings: what was asked for.
  ///   - strength: the share of the steps that are taken.
  ///   - canLackGamma: whether Γ may still be missing.
  /// - Throws: `ValidationError` for options that make no sense together or with the model.
  init(
    _ files: DiffusionModelFiles, settings: SamplerSettings, strength: Double, canLackGamma: Bool
  ) throws {
    let scheduler = files.scheduler
    prediction = scheduler.prediction
    guard settings.method.sampler != nil else {
      // Song et al.'s sampler is made for all steps of its process.
      let all = scheduler.trainingTimesteps
      let steps = settings.method.steps ?? (scheduler.schedule == nil ? all : min(Self.usualSteps, all))
      title = scheduler.className
      do throws(DiffusionError) {
        method = try scheduler.method(steps: steps)
        _ = try method.plan(prediction: prediction)
      } catch {
        throw Self.fault(error, of: files, isAsked: settings.method.steps != nil)
      }
      method.strength = strength
      return
    }
    guard scheduler.schedule != nil else {
      throw ValidationError("--sampler: the model's own, \(scheduler.className), is the only one for its process")
    }
    title = settings.method.name.rawValue
    method = try checkingOptions { () throws(DiffusionError) in
      var method = try settings.method.method(
        noise: settings.noise, prediction: scheduler.prediction,
        clipping: settings.clipping.clipping(usual: scheduler.clipping(for: settings.method.name)))
      scheduler.adapt(&method)
      return method
    }
    if !scheduler.canBePlanned, !method.needsGamma {
      do throws(DiffusionError) { _ = try method.plan(prediction: prediction) } catch {
        throw Self.fault(error, of: files, isAsked: true)
      }
    }
    method.strength = strength
    if method.needsSecondHead, files.outputHeads == 1 {
      throw ValidationError("'\(title)' needs a network with a second output, which this one has not")
    }
    guard method.needsGamma else {
      try settings.checkGamma(unusedBy: method)
      return
    }
    method.gamma = try settings.gamma.gamma.map { try GammaFile.read($0) }
    method.gamma?.dataRange = Self.range(files)
    method.varianceCap = settings.gamma.varianceCap
    guard method.gamma != nil || canLackGamma else {
      throw ValidationError(
        "the analytic variance needs Γ: give --gamma FILE, or images to estimate it from as --data FILE.npy")
    }
  }

  /// A plan that cannot be made is a wrong call, or, where the options cannot be why, a fault of the model's file. `isAsked`
  /// says whether options say how many steps are taken.
  private static func fault(_ error: DiffusionError, of files: DiffusionModelFiles, isAsked: Bool) -> any Error {
    guard error.kind == .invalidOption else { return error }
    if isAsked, files.scheduler.canBePlanned { return ValidationError(error.message) }
    return ModelFileError(file: files.schedulerFile, problem: error.message)
  }

  /// The range of clean images.
  static func range(_ files: DiffusionModelFiles) -> ClosedRange<Double> {
    Double(files.scheduler.imageRange.lowerBound)...Double(files.scheduler.imageRange.upperBound)
  }

  /// Whether Γ is still to be estimated.
  var lacksGamma: Bool { method.needsGamma && method.gamma == nil }

  /// The levels that are visited, whole.
  func grid() throws -> TimeGrid {
    try checkingOptions { () throws(DiffusionError) in try method.grid(prediction: prediction) }
  }

  /// The coefficients of every step.
  func plan() throws -> SamplingPlan {
    try checkingOptions { () throws(DiffusionError) in try method.plan(prediction: prediction) }
  }

  /// The same, with any Γ where it is still to be estimated.
  func checkedPlan() throws -> SamplingPlan {
    guard lacksGamma else { return try plan() }
    var tried = self
    tried.method.gamma = try .gaussian(dataVariance: 1, levels: try grid().levels.dropLast())
    return try tried.plan()
  }
}

/// What `weft sample --model … --dry-run` says.
struct ModelReport: Report {
  /// The network.
  struct Network: Encodable {
    let type: String
    let sampleShape: [Int]
    let parameters: Int
  }

  /// How samples are drawn, and how many.
  struct Sampling: Encodable {
    let sampler: String
    let steps: Int
    let evaluations: Int
    let samples: Int
    let batches: Int
    let batchSize: Int
  }

  /// Bytes.
  struct Memory: Encodable {
    let total: Int
    let weights: Int
    let batch: Int
    /// What a batch would take if no values shared memory.
    let unsharedBatch: Int
    let device: Int
  }

  let network: Network
  let sampling: Sampling
  let memory: Memory
  let device: String

  init(
    _ files: DiffusionModelFiles, title: String, _ plan: SamplingPlan, _ memory: SamplingMemory, samples: Int,
    on engine: Engine
  ) {
    network = Network(type: "UNet2DModel", sampleShape: files.sampleShape, parameters: files.parameterCount)
    sampling = Sampling(
      sampler: title, steps: plan.stepCount, evaluations: plan.evaluations, samples: samples,
      batches: (samples - 1) / memory.batchSize + 1, batchSize: memory.batchSize)
    self.memory = Memory(
      total: memory.total, weights: memory.resident, batch: memory.batch, unsharedBatch: memory.unshared,
      device: engine.device.memoryBytes)
    device = engine.device.name
  }

  /// The lines for people.
  func text(on terminal: Terminal) -> String {
    let size = network.sampleShape.map(String.init).joined(separator: " × ")
    func count(_ count: Int, _ thing: String, _ things: String) -> String {
      "\(Quantity.grouped(count)) \(count == 1 ? thing : things)"
    }
    return """
      network    \(network.type), \(size), \(Quantity.grouped(network.parameters)) parameters
      sampler    \(sampling.sampler), \(count(sampling.steps, "step", "steps")), \
      \(count(sampling.evaluations, "evaluation", "evaluations")) for each sample
      samples    \(Quantity.grouped(sampling.samples)) in \(count(sampling.batches, "batch", "batches")) of up to \
      \(Quantity.grouped(sampling.batchSize))
      memory     \(Self.mebibytes(memory.total)): weights \(Self.mebibytes(memory.weights)), a batch \
      \(Self.mebibytes(memory.batch)) (\(Self.mebibytes(memory.unsharedBatch)) if no values shared it)
      device     \(device), \(Self.mebibytes(memory.device))

      """
  }

  private static func mebibytes(_ bytes: Int) -> String {
    let value = Double(bytes) / 1_048_576
    return String(format: value < 100 ? "%.1f MiB" : "%.0f MiB", value)
  }
}
