import Foundation
internal import ModelFiles

/// The description of a model in normal form, as a file.
struct ModelDescriptionFile {
  /// `globalpointer.json` or `gplinker.json`.
  let name: String
  let json: Data

  /// Describes heads in normal form; what their training code computes differently goes along as flags.
  /// - Parameters:
  ///   - task: what the model finds.
  ///   - labels: what spans are called.
  ///   - links: what pairs of spans are called.
  ///   - shape: that of the head that finds spans; those that link are of the same kind and size, without rotation.
  ///   - training: how the heads were trained and how well they do; nil where that is not known.
  /// - Throws: what the encoding throws, which is for numbers that JSON has no form for.
  init(
    task: ModelTask, labels: [String], links: [String], head shape: HeadShape, training: Training? = nil
  ) throws {
    var head = Head(kind: shape.kind.rawValue, dialect: HeadDialect.normal.name, headSize: shape.headSize)
    if shape.kind == .efficient {
      head.biasScale = shape.biasScale
      head.biasInput = shape.biasInput.rawValue
    }
    let parts = HeadRole.parts(of: shape.kind)
    name = task.descriptionFile
    var description = Description(
      task: task.rawValue, labels: labels, head: head, encoderPrefix: BertConfiguration.modelPrefix,
      report: training.map { ["dev": $0.scores] }, training: training)
    if task == .entities {
      description.head.rope = shape.rope
      description.head.triangular = true
      description.head.tensors = Dictionary(uniqueKeysWithValues: parts.map { ($0, $0) })
    } else {
      let module = { (head: HeadRole) in head.module(task) }
      description.links = links
      description.tensors = Tensors(labels: module(.spans), head: module(.head), tail: module(.tail), parts: parts)
      description.rope = Flags(labels: shape.rope, links: false)
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
