public import Engine

/// Draws samples: a plan, a denoiser, and the device that takes the steps.
///
/// Sample `i` of a seed is the same, bit for bit, whatever batch it travels in. Safe to use from many tasks.
public struct Sampler: Sendable {
  /// What is done, step by step.
  public let plan: SamplingPlan
  /// What predicts the clean samples.
  public let denoiser: any Denoiser
  /// The device that computes.
  public let engine: Engine
  /// Samples in a batch.
  public let batchSize: Int

  /// A sampler for a plan.
  ///
  /// - Parameters:
  ///   - plan: what is done; made for this denoiser's prediction.
  ///   - denoiser: what predicts the clean samples.
  ///   - engine: the device; one that computes must compute on the same.
  ///   - batchSize: samples in a batch; as many as fit the device well if nil.
  /// - Throws: `DiffusionError` if plan and denoiser do not fit.
  public init(
    _ plan: SamplingPlan, denoiser: any Denoiser, on engine: Engine, batchSize: Int? = nil
  ) throws(DiffusionError) {
    try require(
      !denoiser.sampleShape.isEmpty && denoiser.sampleShape.allSatisfy { $0 > 0 },
      "a sample of shape \(denoiser.sampleShape) has no elements", kind: .invalidData)
    try require((1...2).contains(denoiser.outputHeads), "a denoiser has one or two heads, not \(denoiser.outputHeads)")
    if let batchSize { try require(batchSize > 0, "a batch needs at least one sample, not \(batchSize)") }
    try plan.checkRange()
    for update in plan.updates {
      try require(
        update.variance == .fixed || denoiser.outputHeads == 2,
        "this sampler takes the noise's variance from a second output, which the denoiser does not have")
      try require(
        !update.evaluates || update.conversion == denoiser.prediction.conversion(at: update.level),
        "the plan was not made for a denoiser that predicts \(denoiser.prediction.rawValue)")
    }
    self.plan = plan
    self.denoiser = denoiser
    self.engine = engine
    self.batchSize = batchSize ?? Self.batchSize(plan, denoiser, engine)
  }

  /// A sampler for a method with its usual options.
  ///
  /// - Parameters:
  ///   - method: how samples are drawn, such as `.ddim(steps: 50)`.
  ///   - denoiser: what predicts the clean samples.
  ///   - engine: the device; one that computes must compute on the same.
  ///   - batchSize: samples in a batch; as many as fit the device well if nil.
  /// - Throws: `DiffusionError` if the method's options make no sense, or not for this denoiser.
  public init(
    _ method: SamplingMethod, denoiser: any Denoiser, on engine: Engine, batchSize: Int? = nil
  ) throws(DiffusionError) {
    try self.init(
      try method.plan(prediction: denoiser.prediction), denoiser: denoiser, on: engine, batchSize: batchSize)
  }

  /// Draws samples and waits for all of them.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - seed: the noise's seed; sample `i` is the same whatever `count` is.
  /// - Returns: the samples, in order.
  /// - Throws: `DiffusionError`, also if samples diverge; `EngineError`; what the denoiser throws; `CancellationError`.
  public func samples(count: Int, seed: UInt64 = 0) async throws -> SampleSet {
    try await samples(SamplingRequest(count: count, seed: seed))
  }

  /// Draws the samples of a request and waits for all of them.
  ///
  /// - Parameter request: what is asked for.
  /// - Returns: the samples, in order.
  /// - Throws: `DiffusionError`, also if samples diverge; `EngineError`; what the denoiser throws; `CancellationError`.
  public func samples(_ request: SamplingRequest) async throws -> SampleSet {
    var values: [Float] = []
    for try await progress in try run(request) where progress.isFinished { values += progress.samples ?? [] }
    return SampleSet(shape: denoiser.sampleShape, values: values)
  }

  /// Draws the samples of a request step by step: steps are taken when the next report is asked for.
  ///
  /// - Parameter request: what is asked for.
  /// - Returns: a report for each finished batch, and for the steps that the request's observation names.
  /// - Throws: `DiffusionError` if the request makes no sense.
  public func run(_ request: SamplingRequest) throws(DiffusionError) -> SamplingRun {
    try request.validate(elements: denoiser.elementCount)
    return SamplingRun(sampler: self, request: request)
  }

  /// At most as many samples as half the device's memory holds and as keep it busy: more would not be faster.
  private static func batchSize(_ plan: SamplingPlan, _ denoiser: any Denoiser, _ engine: Engine) -> Int {
    let elements = denoiser.elementCount
    let device = denoiser as? any DeviceDenoiser
    let usual = max(1, (engine.device.kind == .gpu ? 1 << 26 : 1 << 20) / elements)
    return SamplingMemory.batchSize(
      busy: device?.busySamples(on: engine.device) ?? usual, resident: device?.residentBytes ?? 0, on: engine.device
    ) { samples in
      SamplingMemory.registers(plan, elements: elements, heads: denoiser.outputHeads, samples: samples)
        + (device?.bytes(samples: samples) ?? 0)
    }
  }
}

/// Finished samples.
public struct SampleSet: Sendable {
  /// The sizes of one sample.
  public let shape: [Int]
  /// All numbers, sample by sample.
  public let values: [Float]

  /// Samples from their numbers.
  public init(shape: [Int], values: [Float]) {
    self.shape = shape
    self.values = values
  }

  /// Numbers in a sample.
  public var elementCount: Int { shape.reduce(1, *) }
  /// How many samples.
  public var count: Int { values.count / elementCount }
  /// The numbers of one sample.
  public subscript(sample: Int) -> ArraySlice<Float> {
    values[sample * elementCount..<(sample + 1) * elementCount]
  }
}

/// What happened on the way.
public struct SamplingProgress: Sendable {
  /// Which samples: the batch.
  public let batch: Range<Int>
  /// Steps this batch has taken.
  public let step: Int
  /// Steps it takes.
  public let steps: Int
  /// Where the batch is now.
  public let level: NoiseLevel
  /// The samples as they are, where they were asked for or are finished; sample by sample.
  public let samples: [Float]?
  /// The last predicted clean samples, where they were asked for.
  public let preview: [Float]?

  /// Whether the batch is done.
  public var isFinished: Bool { step == steps }
}

/// A run of a sampler as a sequence of reports. To stop it, stop iterating, or cancel the task that does.
///
/// A batch that ends with numbers that are not finite ends the run with a `DiffusionError` of kind `failed`.
public struct SamplingRun: AsyncSequence, Sendable {
  /// A report.
  public typealias Element = SamplingProgress

  let sampler: Sampler
  let request: SamplingRequest

  /// Starts from the first sample.
  public func makeAsyncIterator() -> Iterator { Iterator(run: self) }

  /// Takes the steps between one report and the next.
  public struct Iterator: AsyncIteratorProtocol {
    private let run: SamplingRun
    private var batch = 0..<0
    private var instruction = 0
    private var step = 0
    private var trajectory: Trajectory?

    fileprivate init(run: SamplingRun) { self.run = run }

    /// Goes on to the next report; nil after the last batch.
    public mutating func next() async throws -> SamplingProgress? {
      let (sampler, request) = (run.sampler, run.request)
      let plan = sampler.plan
      if trajectory == nil {
        guard batch.upperBound < request.count else { return nil }
        batch = batch.upperBound..<batch.upperBound + Swift.min(sampler.batchSize, request.count - batch.upperBound)
        (instruction, step) = (0, 0)
      }
      try Task.checkCancellation()
      var current: Trajectory
      if let trajectory {
        current = trajectory
      } else {
        current = try Trajectory(plan, request, samples: batch, denoiser: sampler.denoiser, on: sampler.engine)
        if request.observation?.start == true && plan.stepCount > 0 {
          trajectory = current
          return try await report(at: plan.start, register: 0)
        }
      }
      let every = request.observation?.every ?? .max
      while instruction < plan.instructions.count {
        // The clean samples of a step come from its last evaluation, before it is known whether the step is reported.
        let isReported = (step + 1) % every == 0
        let keepsPreview = (request.observation?.previews ?? false) && (isReported || step + 1 == plan.stepCount)
        try await current.perform(instruction, keepsPreview: keepsPreview)
        let done = plan.instructions[instruction]
        instruction += 1
        guard case .update(let update) = done, update.finishesStep else { continue }
        step += 1
        if step % every == 0 && step < plan.stepCount {
          trajectory = current
          return try await report(at: update.next, register: update.output)
        }
      }
      trajectory = current
      let last = try await report(at: plan.end, register: plan.result)
      trajectory = nil
      return last
    }

    private mutating func report(at level: NoiseLevel, register: Int) async throws -> SamplingProgress {
      let observation = run.request.observation
      let isLast = step == run.sampler.plan.stepCount
      // Even without anything to read, a report waits for the device: it says that the steps were taken.
      let read = try await trajectory?.read(register: register, preview: observation?.previews ?? false)
      try Task.checkCancellation()
      if isLast, let values = read?.values { try checkFinite(values) }
      return SamplingProgress(
        batch: batch, step: step, steps: run.sampler.plan.stepCount, level: level,
        samples: isLast || observation?.samples == true ? read?.values : nil, preview: read?.preview)
    }

    /// Numbers that left float32's range are no samples, whatever the reason.
    private func checkFinite(_ values: [Float]) throws(DiffusionError) {
      guard let place = values.firstIndex(where: { !$0.isFinite }) else { return }
      let sample = batch.lowerBound + place / run.sampler.denoiser.elementCount
      throw DiffusionError(
        .failed,
        "sample \(sample) has diverged: its numbers left the range of float32; more steps, another sampler, levels that "
          + "are closer together or a limit on the clean sample may help")
    }
  }
}

extension SamplingPlan {
  /// Steps of the trajectory.
  public var stepCount: Int { updates.count(where: \.finishesStep) }

  /// Where the samples end.
  public var end: NoiseLevel { updates.last?.next ?? start }
}
