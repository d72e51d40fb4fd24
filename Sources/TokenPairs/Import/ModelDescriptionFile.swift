import Foundation
internal import ModelFiles

/// The two JSON files of a model in normal form.
struct ModelDescriptionFile {
  /// `globalpointer.json` or `gplinker.json`.
  let name: String
  let json: Data

  /// Describes imported heads in normal form; what the dialect computes differently goes along as flags.
  init(_ request: ImportRequest, kind: HeadKind, headSize: Int) throws {
    let dialect = request.dialect
    try self.init(
      task: request.task, labels: request.labels, links: request.links, kind: kind, headSize: headSize,
      rope: request.rope && !(kind == .globalPointer && dialect.plainHeadIsUnrotated), biasScale: dialect.biasScale,
      biasInput: dialect.biasInput)
  }

  /// Describes heads in normal form.
  /// - Parameters:
  ///   - task: what the model finds.
  ///   - labels: what spans are called.
  ///   - links: what pairs of spans are called.
  ///   - kind: the kind of all heads.
  ///   - headSize: channels of a query.
  ///   - rope: whether the head that finds spans is rotated.
  ///   - biasScale: the factor of an efficient head's biases.
  ///   - biasInput: what they are made from.
  ///   - training: how the heads were trained and how well they do; nil where that is not known.
  /// - Throws: what the encoding throws, which is for numbers that JSON has no form for.
  init(
    task: ModelTask, labels: [String], links: [String], kind: HeadKind, headSize: Int, rope: Bool, biasScale: Float,
    biasInput: HeadDialect.BiasInput, training: Training? = nil
  ) throws {
    var head = Head(kind: kind.rawValue, dialect: HeadDialect.normal.name, headSize: headSize)
    if kind == .efficient {
      head.biasScale = biasScale
      head.biasInput = biasInput.rawValue
    }
    let parts = ModelHead.parts(of: kind)
    name = task.descriptionFile
    var description = Description(
      task: task.rawValue, labels: labels, head: head, encoderPrefix: ImportPlanner.encoderPrefix,
      report: training.map { ["dev": $0.scores] }, training: training)
    if task == .entities {
      description.head.rope = rope
      description.head.triangular = true
      description.head.tensors = Dictionary(uniqueKeysWithValues: parts.map { ($0, $0) })
    } else {
      let module = { (head: ModelHead) in head.module(task) }
      description.links = links
      description.tensors = Tensors(labels: module(.spans), head: module(.head), tail: module(.tail), parts: parts)
      description.rope = Flags(labels: rope, links: false)
      description.triangular = Flags(labels: true, links: task == .events)
    }
    json = try Self.encode(description)
  }

  static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(value) + Data("\n".utf8)
  }

  private struct Description: Encodable {
    let task: String
    let labels: [String]
    var links: [String]?
    var head: Head
    var tensors: Tensors?
    var rope: Flags?
    var triangular: Flags?
    let encoderPrefix: String
    var report: [String: Scores]?
    var training: Training?
  }

  /// How heads were trained.
  struct Training: Encodable {
    /// Of the epoch whose heads the model has, on the development data.
    let scores: Scores
    let recipe: TrainingRecipe
    let bestEpoch: Int
    let epochs: Int

    private enum CodingKeys: CodingKey { case recipe, bestEpoch, epochs }
  }

  /// How well heads do.
  struct Scores: Encodable {
    let precision: Double
    let recall: Double
    let f1: Double
    let predicted: Int
    let gold: Int
    let correct: Int

    init(_ counts: MatchCounts) {
      (precision, recall, f1) = (counts.precision, counts.recall, counts.f1)
      (predicted, gold, correct) = (counts.predicted, counts.gold, counts.correct)
    }
  }

  private struct Head: Encodable {
    let kind: String
    let dialect: String
    let headSize: Int
    var biasScale: Float?
    var biasInput: String?
    var rope: Bool?
    var triangular: Bool?
    var tensors: [String: String]?
  }

  private struct Tensors: Encodable {
    let labels: String
    let head: String
    let tail: String
    let parts: [String]
  }

  private struct Flags: Encodable {
    let labels: Bool
    let links: Bool
  }
}

/// `config.json` as Hugging Face writes it, with what a BERT encoder needs.
struct ConfigurationFile: Encodable {
  private let architectures = ["BertModel"]
  private let modelType = "bert"
  private let hiddenSize: Int
  private let numHiddenLayers: Int
  private let numAttentionHeads: Int
  private let intermediateSize: Int
  private let hiddenAct: String
  private let layerNormEps: Double
  private let maxPositionEmbeddings: Int
  private let typeVocabSize: Int
  private let vocabSize: Int
  private let positionEmbeddingType = "absolute"

  init(_ configuration: BertConfiguration) {
    hiddenSize = configuration.hiddenSize
    numHiddenLayers = configuration.layerCount
    numAttentionHeads = configuration.headCount
    intermediateSize = configuration.intermediateSize
    hiddenAct = configuration.activation.rawValue
    layerNormEps = configuration.layerNormEpsilon
    maxPositionEmbeddings = configuration.maximumPositions
    typeVocabSize = configuration.segmentCount
    vocabSize = configuration.vocabularySize
  }
}
