internal import Engine

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
