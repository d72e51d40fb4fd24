import Foundation
internal import ModelFiles

/// The two JSON files of a model in normal form.
struct ModelDescriptionFile {
  /// `globalpointer.json` or `gplinker.json`.
  let name: String
  let json: Data

  /// Describes heads in normal form; what the dialect computes differently goes along as flags.
  init(_ request: ImportRequest, kind: HeadKind, headSize: Int) throws {
    let dialect = request.dialect
    let rope = request.rope && !(kind == .globalPointer && dialect.plainHeadIsUnrotated)
    var head = Head(kind: kind.rawValue, dialect: HeadDialect.normal.name, headSize: headSize)
    if kind == .efficient {
      head.biasScale = dialect.biasScale
      head.biasInput = dialect.biasInput.rawValue
    }
    let parts = ModelHead.parts(of: kind)
    name = request.task.descriptionFile
    if request.task == .entities {
      head.rope = rope
      head.triangular = true
      head.tensors = Dictionary(uniqueKeysWithValues: parts.map { ($0, $0) })
      json = try Self.encode(
        Description(
          task: request.task.rawValue, labels: request.labels, head: head,
          encoderPrefix: ImportPlanner.encoderPrefix))
    } else {
      let module = { (head: ModelHead) in head.module(request.task) }
      json = try Self.encode(
        Description(
          task: request.task.rawValue, labels: request.labels, links: request.links, head: head,
          tensors: Tensors(labels: module(.spans), head: module(.head), tail: module(.tail), parts: parts),
          rope: Flags(labels: rope, links: false),
          triangular: Flags(labels: true, links: request.task == .events),
          encoderPrefix: ImportPlanner.encoderPrefix))
    }
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
    let head: Head
    var tensors: Tensors?
    var rope: Flags?
    var triangular: Flags?
    let encoderPrefix: String
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
