public import Engine
internal import ModelFiles

/// Trains the heads of a model on an encoder that stays as it is.
///
/// The encoder reads every text once; its output is kept in a file, and the heads learn from that. What they are after an
/// epoch is tried on development data; the model has the heads of the best epoch. A checkpoint is kept after every epoch,
/// and a training that was interrupted, however it was, ends in the same weights, bit for bit, when it is resumed.
public struct HeadTraining: Sendable {
  /// What has no influence on the weights, but for the precision of features.
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
