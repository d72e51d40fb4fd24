public import Engine
internal import ModelFiles
internal import Networks

/// Trains the heads of a model on an encoder that stays as it is.
///
/// The encoder reads every text once; its output is kept in a file, and the heads learn from that. What they are after an
/// epoch is tried on development data; the model has the heads of the best epoch. A checkpoint is kept after every epoch,
/// and a training that was interrupted in any way ends in the same weights, bit for bit, when it is resumed.
public struct HeadTraining: Sendable {
  /// What has no influence on the weights, apart from the precision of features.
  public struct Options: Sendable, Hashable {
    /// Goes on with an unfinished training of the output directory, if there is one.
    public var resumes = false
    /// Throws an unfinished training away, and replaces a model when the new one is there.
    public var overwrites = false
    /// Where the encoder's output is kept, and stays for other trainings; in the output directory, until the training has
    /// ended, if nil.
    public var features: String?
    /// How the encoder's output is kept.
    public var featurePrecision = FeaturePrecision.float32
    /// Tokens that the encoder reads in a batch; chosen for the device if nil.
    public var batchTokens: Int?

    /// The usual options.
    public init() {}
  }

  /// Makes what learns: from initial heads, the recipe, the features of the training windows and a device.
  package typealias ModelFactory =
    @Sendable ([HeadParameters], TrainingRecipe, any FeatureSource, Engine) async throws -> any TrainableModel

  /// The encoder's directory.
  public let encoder: String
  /// The directory that becomes a model.
  public let output: String
  /// How the heads are trained.
  public let recipe: TrainingRecipe
  /// Where things are kept.
  public let options: Options
  /// The device that computes.
  public let engine: Engine
  let makeModel: ModelFactory

  /// A training on `engine`'s device.
  ///
  /// - Parameters:
  ///   - encoder: a directory of Hugging Face files of an encoder, or of a model.
  ///   - output: the directory that becomes a model.
  ///   - recipe: how the heads are trained.
  ///   - engine: the device.
  ///   - options: where things are kept.
  /// - Throws: `TrainingError` for a recipe or options that cannot work.
  public init(
    encoder: String, output: String, recipe: TrainingRecipe, on engine: Engine, options: Options = Options()
  ) throws(TrainingError) {
    try self.init(encoder: encoder, output: output, recipe: recipe, on: engine, options: options) {
      try await DeviceTrainer($0, $1, features: $2, on: $3)
    }
  }

  /// A training whose steps are taken by something of the caller's.
  package init(
    encoder: String, output: String, recipe: TrainingRecipe, on engine: Engine, options: Options = Options(),
    makeModel: @escaping ModelFactory
  ) throws(TrainingError) {
    try recipe.validate()
    guard !(options.resumes && options.overwrites) else {
      throw TrainingError("an unfinished training is resumed or overwritten, not both")
    }
    if let tokens = options.batchTokens, tokens < 1 {
      throw TrainingError("a batch of \(tokens) tokens is not possible")
    }
    self.encoder = encoder
    self.output = output
    self.recipe = recipe
    self.options = options
    self.engine = engine
    self.makeModel = makeModel
  }

  /// A training on documents. It begins with the iteration, goes on as reports are taken, and ends with it; one that was
  /// left can be resumed.
  ///
  /// - Parameters:
  ///   - train: what to learn from. Their labels are the model's.
  ///   - development: what the heads are tried on after every epoch.
  /// - Returns: the training as a sequence of reports.
  public func run(on train: [TrainingDocument], development: [TrainingDocument]) -> HeadTrainingRun {
    HeadTrainingRun(training: self, train: train, development: development)
  }

  /// Tokens of a batch of the encoder.
  var batchTokens: Int { options.batchTokens ?? (engine.device.kind == .gpu ? 16_384 : 2_048) }
}

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
        batches: BatchPlan(preparation.windows, heads: preparation.heads.map(\.shape), recipe: training.recipe),
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

/// What keeps a training from starting, or from going on.
public struct TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line for a person: what is wrong, and what to do where that is known.
  public let description: String

  /// An error with a line for a person.
  public init(_ description: String) { self.description = description.printable }
}
