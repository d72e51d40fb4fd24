internal import ModelFiles
internal import Networks

/// A training as a sequence of reports. It goes on as they are taken; to stop it, stop iterating, or cancel the task that
/// does. What has been done up to the last epoch is safe then, and can be resumed.
public struct HeadTrainingRun: AsyncSequence, Sendable {
  /// A report.
  public typealias Element = TrainingProgress

  let training: HeadTraining
  let train: [TrainingDocument]
  let development: [TrainingDocument]

  /// Starts the training.
  public func makeAsyncIterator() -> Iterator { Iterator(run: self) }

  /// Does the work between one report and the next.
  public struct Iterator: AsyncIteratorProtocol {
    private enum Phase {
      case start
      case encoding(TrainingPreparation, FeaturePreparation)
      case training(TrainingPreparation, TrainingLoop)
      case ended
    }

    private let run: HeadTrainingRun
    private var phase = Phase.start
    private var notes: [String] = []

    fileprivate init(run: HeadTrainingRun) { self.run = run }

    /// Goes on to the next report; nil when the training has ended.
    /// - Throws: `TrainingError` for data that cannot be learned from, a checkpoint of another training, or a loss that
    ///   is not finite; `ModelFileError` for files; `EngineError` from the device; `CancellationError`.
    public mutating func next() async throws -> TrainingProgress? {
      do { return try await advance() } catch {
        // What was under way is half done.
        phase = .ended
        notes = []
        throw error
      }
    }

    private mutating func advance() async throws -> TrainingProgress? {
      while true {
        if !notes.isEmpty { return .note(notes.removeFirst()) }
        try Task.checkCancellation()
        switch phase {
        case .start:
          let preparation = try TrainingPreparation(run.training, train: run.train, development: run.development)
          notes = preparation.notes
          phase = .encoding(preparation, FeaturePreparation(preparation, run.training))
        case .encoding(let preparation, var features):
          if let progress = try await features.next() {
            phase = .encoding(preparation, features)
            return progress
          }
          phase = .training(preparation, try await loop(preparation, features.caches))
        case .training(let preparation, var loop):
          if let progress = try await loop.next() {
            phase = .training(preparation, loop)
            return progress
          }
          let summary = try finish(preparation, loop)
          phase = .ended
          return .finished(summary)
        case .ended: return nil
        }
      }
    }

    private func loop(
      _ preparation: TrainingPreparation, _ features: [TrainingPreparation.Part: FeatureCache]
    ) async throws -> TrainingLoop {
      let training = run.training
      guard let train = features[.train], let development = features[.development] else { throw CancellationError() }
      let model = try await training.makeModel(preparation.heads, training.recipe, train, training.engine)
      let score = try DevelopmentScore(
        run.development, reader: preparation.reader, features: development, inventory: preparation.inventory,
        positions: preparation.files.configuration.maximumPositions, on: training.engine)
      let plan = TrainingLoop.Plan(
        recipe: training.recipe,
        batches: BatchPlan(
          preparation.windows, heads: preparation.heads.map { .init(types: $0.types, triangular: $0.triangular) },
          recipe: training.recipe),
        evaluate: { try await score.evaluate($0, batchTokens: training.batchTokens).total },
        checkpoint: preparation.folder.checkpoint)
      return try await TrainingLoop(plan, model: model, data: preparation.data, resuming: preparation.checkpoint)
    }

    private func finish(_ preparation: TrainingPreparation, _ loop: TrainingLoop) throws -> TrainingSummary {
      let (checkpoint, recipe) = (loop.checkpoint, run.training.recipe)
      guard let best = checkpoint.progress.best else { throw CancellationError() }
      let model = TrainedModel(
        encoder: preparation.files, prefix: preparation.prefix, inventory: preparation.inventory, recipe: recipe,
        heads: checkpoint.best, epochs: checkpoint.progress.epochs, best: best)
      try preparation.folder.finish { try model.write(into: $0) }
      return TrainingSummary(
        model: preparation.folder.output, epochs: checkpoint.progress.epochs, best: best,
        parameterCount: checkpoint.best.reduce(0) { $0 + $1.count },
        stoppedEarly: checkpoint.progress.epochs.count < recipe.epochs)
    }
  }
}
