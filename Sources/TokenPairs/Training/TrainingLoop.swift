internal import Engine
internal import ModelFiles

/// The steps and epochs of a training: what a checkpoint says is done is not done again, and all that follows is the same,
/// bit for bit, as if there had been no interruption.
struct TrainingLoop {
  /// What does not change while a training runs.
  struct Plan: Sendable {
    var recipe: TrainingRecipe
    var batches: BatchPlan
    /// Tries heads on the development data.
    var evaluate: @Sendable ([HeadParameters]) async throws -> MatchCounts
    /// Where the checkpoint is kept.
    var checkpoint: String

    /// Steps of the whole training.
    var steps: Int { recipe.epochs * batches.stepsPerEpoch }

    var schedule: LearningRateSchedule {
      LearningRateSchedule(peak: recipe.learningRate, warmUpShare: recipe.warmUpShare, steps: steps)
    }
  }

  /// An epoch under way.
  private struct Epoch {
    let parts: [[Int]]
    let start: ContinuousClock.Instant
    var done = 0
    var lossSum = 0.0
    var windows = 0
    var tokens = 0
    var learningRate = 0.0
  }

  private let plan: Plan
  private let schedule: LearningRateSchedule
  private let model: any TrainableModel
  private let start = ContinuousClock.now
  private let firstStep: Int
  private var epoch: Epoch?
  /// What is safe on the disk.
  private(set) var checkpoint: TrainingCheckpoint

  /// Starts a training, or goes on with one.
  /// - Parameters:
  ///   - plan: what to do.
  ///   - model: what learns, with its initial parameters.
  ///   - data: what it learns from.
  ///   - resumed: the checkpoint to go on from; nil to start.
  /// - Throws: `ModelFileError` if the first checkpoint cannot be written; what the model throws.
  init(
    _ plan: Plan, model: any TrainableModel, data: TrainingDataKey, resuming resumed: TrainingCheckpoint? = nil
  ) async throws {
    self.plan = plan
    self.model = model
    schedule = plan.schedule
    if let resumed {
      try await model.restore(resumed.state)
      checkpoint = resumed
    } else {
      // From now on the folder says what training this is.
      checkpoint = TrainingCheckpoint(recipe: plan.recipe, data: data, state: try await model.state())
      try checkpoint.write(to: plan.checkpoint)
    }
    firstStep = checkpoint.progress.step
  }

  /// Takes the next step, or ends the epoch after its last.
  /// - Returns: what was done; nil if the training has ended.
  /// - Throws: `TrainingError` if the loss is not finite; `ModelFileError` if the checkpoint cannot be written, and the
  ///   older one stays; `CancellationError`; what the model throws.
  mutating func next() async throws -> TrainingProgress? {
    try Task.checkCancellation()
    guard !checkpoint.progress.isEnded(plan.recipe) else { return nil }
    let number = checkpoint.progress.epochs.count
    var current = epoch ?? Epoch(parts: plan.batches.parts(epoch: number), start: .now)
    guard current.done < current.parts.count else {
      let record = try await end(current)
      epoch = nil
      return .epoch(record, best: checkpoint.progress.best ?? record)
    }
    let step = try await take(&current, epoch: number)
    epoch = current
    return .step(step)
  }

  private func take(_ current: inout Epoch, epoch: Int) async throws -> TrainingStep {
    let part = current.parts[current.done]
    let batch = plan.batches.batch(part, epoch: epoch, step: current.done)
    let number = checkpoint.progress.step + current.done + 1
    let rate = schedule.rate(step: number)
    let loss: Double
    do { loss = try await model.step(batch, learningRate: rate, number: number) } catch let error as EngineError
      where error.kind == .exhausted
    {
      throw EngineError(
        .exhausted,
        "step \(number), of \(part.count) windows with \(batch.tokens) tokens, does not fit on the device: start anew with "
          + "a smaller batch or head size (\(error.message))")
    }
    guard loss.isFinite else {
      throw diverged(loss.isNaN ? "the loss is not a number" : "the loss is infinite", epoch: epoch, step: number)
    }
    current.done += 1
    current.lossSum += loss * Double(part.count)
    current.windows += part.count
    current.tokens += batch.tokens
    current.learningRate = rate
    let now = ContinuousClock.now
    let seconds = (now - current.start) / .seconds(1)
    return TrainingStep(
      epoch: epoch + 1, step: number, steps: plan.steps, loss: loss, learningRate: rate, tokens: batch.tokens,
      tokensPerSecond: seconds > 0 ? Double(current.tokens) / seconds : 0,
      remainingSeconds: (now - start) / .seconds(1) / Double(number - firstStep) * Double(plan.steps - number))
  }

  /// Tries the heads on the development data, and has the disk remember all of it.
  private mutating func end(_ current: Epoch) async throws -> TrainingEpoch {
    let tried = ContinuousClock.now
    let step = checkpoint.progress.step + current.done
    let parameters = try await model.parameters()
    guard parameters.allSatisfy(\.isFinite) else {
      throw diverged("the heads have numbers that are not finite", epoch: checkpoint.progress.epochs.count, step: step)
    }
    let scores = try await plan.evaluate(parameters)
    let record = TrainingEpoch(
      epoch: checkpoint.progress.epochs.count + 1, step: step, loss: current.lossSum / Double(max(1, current.windows)),
      learningRate: current.learningRate, predicted: scores.predicted, gold: scores.gold, correct: scores.correct,
      tokens: current.tokens, seconds: (tried - current.start) / .seconds(1),
      developmentSeconds: (ContinuousClock.now - tried) / .seconds(1))
    var next = checkpoint
    next.progress.epochs.append(record)
    next.progress.step = step
    next.state = try await model.state()
    if scores.f1 > checkpoint.progress.best?.scores.f1 ?? -1 {
      next.progress.bestEpoch = record.epoch
      next.best = parameters
    }
    try next.write(to: plan.checkpoint)
    checkpoint = next
    return record
  }

  private func diverged(_ what: String, epoch: Int, step: Int) -> TrainingError {
    let kept = checkpoint.progress.epochs.count
    return TrainingError(
      "\(what) in epoch \(epoch + 1), step \(step) of \(plan.steps): the training has diverged; a lower learning rate "
        + "than \(plan.recipe.learningRate) may help. \(plan.checkpoint) is that of "
        + (kept == 0 ? "the start" : "the end of epoch \(kept)"))
  }
}

/// Heads that learn: what takes the optimiser's steps, wherever it computes.
package protocol TrainableModel: Sendable {
  /// Takes one step of the optimiser.
  /// - Parameters:
  ///   - batch: what to learn from.
  ///   - learningRate: the step's learning rate.
  ///   - number: the step's number in the whole training, from 1, for the correction of the moments' bias.
  /// - Returns: the loss before the step: the sum over the heads, the mean over the batch's windows.
  /// - Throws: `EngineError` if the device failed or has no room.
  func step(_ batch: TrainingBatch, learningRate: Double, number: Int) async throws -> Double

  /// The parameters as they are now, in normal form: the span head, then the head and tail heads of links.
  func parameters() async throws -> [HeadParameters]

  /// All that the next step depends on, bit for bit: parameters, and both of their moments.
  func state() async throws -> [NamedTensor]

  /// Goes back to a state.
  /// - Parameter state: what `state()` gave, in any order.
  /// - Throws: `TrainingError` if it is that of another model.
  func restore(_ state: [NamedTensor]) async throws
}
