internal import Engine
internal import ModelFiles
internal import Networks

/// What a training finds out before it computes anything: what is wrong with its data, encoder or folder is refused
/// here, before the encoder reads for an hour.
struct TrainingPreparation {
  /// The two sets of windows.
  enum Part: String, CaseIterable {
    case train = "training"
    case development
  }

  let files: EncoderFiles
  let prefix: String
  let inventory: LabelInventory
  let reader: WindowReader
  let folder: TrainingFolder
  /// The training data's windows.
  let windows: [LabelledWindow]
  private let developmentIDs: [[Int32]]
  let notes: [String]
  let data: TrainingDataKey
  /// Heads that have learned nothing.
  let heads: [HeadParameters]
  let checkpoint: TrainingCheckpoint?
  private let encoderKey: Checksum
  private let deviceKey: Checksum

  init(_ training: HeadTraining, train: [TrainingDocument], development: [TrainingDocument]) throws {
    let recipe = training.recipe
    inventory = try LabelInventory(of: train, task: recipe.task)
    try Self.check(development, recipe.task)
    files = try EncoderFiles(directory: training.encoder)
    prefix = try files.prefix()
    reader = WindowReader(
      tokenizer: files.tokenizer, capacity: files.windowCapacity, overlap: Extractor.Options().windowOverlap)
    let aligner = LabelAligner(reader: reader, inventory: inventory)
    let (windows, trainReport) = aligner.windows(of: train)
    let (developmentWindows, developmentReport) = aligner.windows(of: development)
    let (trainRemarks, developmentRemarks) = (
      trainReport.remarks(for: .learning), developmentReport.remarks(for: .scoring)
    )
    guard trainReport.hasAnything(for: recipe.task) else {
      throw TrainingError(
        "nothing of the training data can be learned: \(trainRemarks.joined(separator: "; "))")
    }
    guard developmentReport.hasAnything(for: recipe.task) else {
      throw TrainingError(
        "nothing of the development data can be found: \(developmentRemarks.joined(separator: "; "))")
    }
    self.windows = windows
    developmentIDs = developmentWindows.map(\.ids)

    encoderKey = try Self.checksum(files)
    var device = Checksum()
    let description = training.engine.device
    for name in [description.name, description.platform, description.driver, description.variant] { device.add(name) }
    deviceKey = device
    data = TrainingDataKey(
      encoder: encoderKey.text, train: Checksum(of: train).text, development: Checksum(of: development).text,
      features: training.options.featurePrecision, device: deviceKey.text)
    heads = HeadParameters.initial(recipe, inventory, hiddenSize: files.configuration.hiddenSize)

    if let features = training.options.features {
      try TrainingFolder.check(features: features, output: training.output)
    }
    folder = try TrainingFolder(
      training.output, .init(resumes: training.options.resumes, overwrites: training.options.overwrites),
      encoder: training.encoder)
    var notes =
      trainRemarks.map { "training data: \($0)" } + developmentRemarks.map { "development data: \($0)" }
    if training.options.resumes, folder.hasCheckpoint {
      let checkpoint = try TrainingCheckpoint(folder.checkpoint, heads: heads, recipe: recipe, data: data)
      let best = checkpoint.progress.best.map { ", the best being \($0.epoch) with an F1 of \($0.scores.f1)" } ?? ""
      notes.append("goes on after epoch \(checkpoint.progress.epochs.count) of \(recipe.epochs)\(best)")
      if checkpoint.data.device != data.device {
        notes.append("was begun on another device: the numbers will differ a little from those it would have given")
      }
      self.checkpoint = checkpoint
    } else {
      if training.options.resumes { notes.append("\(folder.output): no unfinished training, so this starts one") }
      checkpoint = nil
    }
    self.notes = notes
  }

  /// A part's windows.
  func ids(of part: Part) -> [[Int32]] { part == .train ? windows.map(\.ids) : developmentIDs }

  /// What the file with a part's features must say.
  func layout(of part: Part, precision: FeaturePrecision) -> FeatureLayout {
    let ids = ids(of: part)
    var tokens = Checksum()
    tokens.add(ids.map { Int32($0.count) })
    for window in ids { tokens.add(window) }
    return FeatureLayout(
      key: .init(encoder: encoderKey, device: deviceKey, tokens: tokens), precision: precision,
      hiddenSize: files.configuration.hiddenSize, lengths: ids.map(\.count))
  }

  /// Of all files that the encoder is made of; the tokens have a checksum of their own.
  private static func checksum(_ files: EncoderFiles) throws(ModelFileError) -> Checksum {
    var checksum = try Checksum(ofFile: files.directory + "/config.json")
    for file in files.checkpoint.files { checksum.add(try Checksum(ofFile: file)) }
    return checksum
  }

  private static func check(_ development: [TrainingDocument], _ task: ModelTask) throws(TrainingError) {
    guard !development.isEmpty else { throw TrainingError("there is no document to try the heads on") }
    var evaluation = Evaluation(task)
    for (index, document) in development.enumerated() {
      guard document.gold.task == task else {
        throw TrainingError(
          "development document \(index + 1) has \(document.gold.task.rawValue), and \(task.rawValue) are to be learned"
        )
      }
      evaluation.add(ExtractedDocument(index: index, text: "", tokenCount: 0, isTruncated: false), gold: document.gold)
    }
    guard evaluation.total.gold > 0 else {
      throw TrainingError("none of the development documents has any of the \(task.rawValue) to find")
    }
  }
}

/// What a training learns from, as far as a later one can tell whether it is the same.
struct TrainingDataKey: Sendable, Hashable, Codable {
  /// Checksum and size of the encoder's files.
  let encoder: String
  /// Checksum of the training texts and what is true of them.
  let train: String
  /// Checksum of the development texts and what is true of them.
  let development: String
  let features: FeaturePrecision
  /// The device that computes: another one rounds otherwise.
  let device: String

  /// What differs, as the rest of "a training with ...".
  func differences(from other: TrainingDataKey) -> [String] {
    [
      (encoder != other.encoder, "another encoder"), (train != other.train, "other training data"),
      (development != other.development, "other development data"),
      (features != other.features, "features in \(other.features.rawValue)"),
    ].filter(\.0).map(\.1)
  }
}

extension Checksum {
  /// Checksum and size, for people too.
  var text: String { "\(hexadecimal)-\(count)" }

  /// Of documents in their order, and of their labels in sorted order.
  init(of documents: [TrainingDocument]) {
    self.init()
    for document in documents {
      add(document.text)
      for line in document.gold.lines.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { add(line) }
    }
  }
}

extension TrainingDocument.Gold {
  /// Each label as a text.
  fileprivate var lines: [String] {
    switch self {
    case .entities(let entities): entities.map { "\($0.range) \($0.label)" }
    case .relations(let relations): relations.map { "\($0.subject) \($0.object) \($0.predicate)" }
    case .events(let events):
      events.map { event in
        let arguments = event.arguments.map { "\($0.range) \($0.role) \($0.aliases)" }.sorted()
        return "\(event.type) \(arguments)"
      }
    }
  }
}
