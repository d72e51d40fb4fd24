import Engine
import Foundation
import TestDevices
import Weft

@testable import ModelFiles
@testable import TokenPairs

/// A training of a toy on the small encoder.
struct SmallTraining {
  static let train = [
    SmallTexts.entities(SmallTexts.reeds, (0..<9, "PER"), (15..<21, "THING")),
    SmallTexts.entities("A reed left Mr. Reed.", (0..<6, "THING"), (12..<20, "PER")),
    SmallTexts.entities("left", (0..<4, "THING")), SmallTexts.entities(""),
    SmallTexts.entities("Mr. a reed. a a a a a a left left reed reed mr mr."),
  ]
  static let development = [
    SmallTexts.entities("Mr. Reed left.", (0..<8, "PER"), (0..<2, "NEW")), SmallTexts.entities("a"),
  ]

  let scratch: Scratch
  var recipe = TrainingRecipe(task: .entities)
  var options = HeadTraining.Options()

  var encoder: String { scratch.file("encoder") }
  var output: String { scratch.file("model") }
  var work: String { "\(output)/training" }

  // The prefix is what the encoder's tensor names start with.
  init(prefix: String = "") throws {
    scratch = try Scratch()
    (recipe.epochs, recipe.batchSize, recipe.headSize, recipe.seed) = (3, 2, 4, 11)
    options.batchTokens = 24
    try Self.writeEncoder(to: encoder, prefix: prefix)
  }

  static func writeEncoder(to directory: String, prefix: String = "", half: Bool = false) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    var writer = SafetensorsWriter()
    for array in SmallEncoder(seed: 5).arrays {
      writer.add(prefix + array.name, floats: array.values, shape: array.shape, as: half ? .float16 : .float32)
    }
    writer.add("pooler.dense.bias", floats: [1, 2], shape: [2])
    try writer.write(to: "\(directory)/model.safetensors")
    for (name, text) in [
      ("config.json", SmallEncoder.configuration), ("vocab.txt", SmallEncoder.vocabulary.joined(separator: "\n")),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
  }

  func run(
    on train: [TrainingDocument] = Self.train, development: [TrainingDocument] = Self.development,
    losses: @escaping @Sendable (Int) -> Double? = { _ in nil }
  ) async throws -> HeadTrainingRun {
    let engine = try await TestDevice.reference.engine()
    let training = try HeadTraining(
      encoder: encoder, output: output, recipe: recipe, on: engine, options: options
    ) { heads, _, features, _ in ToyModel(heads, features: features, losses: losses) }
    return training.run(on: train, development: development)
  }

  /// Runs to the end, or as far as `limit` reports.
  func reports(limit: Int = .max) async throws -> [TrainingProgress] {
    var reports: [TrainingProgress] = []
    for try await report in try await run() {
      reports.append(report)
      if reports.count == limit { break }
    }
    return reports
  }

  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: output).sorted()) ?? [] }

  func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(output)/\(name)") }
}

extension TrainingProgress {
  var note: String? { if case .note(let text) = self { text } else { nil } }
  var step: TrainingStep? { if case .step(let step) = self { step } else { nil } }
  var epoch: TrainingEpoch? { if case .epoch(let epoch, _) = self { epoch } else { nil } }
  var summary: TrainingSummary? { if case .finished(let summary) = self { summary } else { nil } }
}

/// Texts over the small vocabulary, read in windows of a few tokens.
enum SmallTexts {
  /// A reader whose windows hold `capacity` content tokens and share `overlap` of them.
  static func reader(capacity: Int = 14, overlap: Int = 6) throws -> WindowReader {
    let scratch = try Scratch()
    try SmallEncoder.writeFiles(to: scratch)
    return WindowReader(
      tokenizer: try WordPieceTokenizer(directory: scratch.path), capacity: capacity, overlap: overlap)
  }

  /// Eight tokens: mr . reed ##s left a reed .
  static let reeds = "Mr. Reeds left a reed."

  static func entities(_ text: String, _ spans: (Range<Int>, String)...) -> TrainingDocument {
    TrainingDocument(
      text: text, gold: .entities(Set(spans.map { EntityKey(range: $0.0, label: $0.1) })))
  }

  static func argument(_ role: String, _ range: Range<Int>) -> EventArgumentKey {
    EventArgumentKey(role: role, range: range, text: "")
  }
}

extension PairLabel {
  /// A hard label.
  init(_ type: Int, _ row: Int, _ column: Int, _ value: Float = 1) {
    self.init(type: type, row: row, column: column, value: value)
  }
}

/// Heads whose numbers remember every batch, learning rate and step they were given, in order: a training that took
/// another way ends elsewhere.
actor ToyModel: TrainableModel {
  private var heads: [HeadParameters]
  private var moments: [[Float]]
  private let features: (any FeatureSource)?
  /// The loss of each step, if it is to be another than the toy's own.
  private let losses: @Sendable (Int) -> Double?

  init(
    _ heads: [HeadParameters], features: (any FeatureSource)? = nil,
    losses: @escaping @Sendable (Int) -> Double? = { _ in nil }
  ) {
    self.heads = heads
    self.features = features
    self.losses = losses
    moments = heads.map { [Float](repeating: 0, count: $0.projection.bias.count) }
  }

  func step(_ batch: TrainingBatch, learningRate: Double, number: Int) throws -> Double {
    var generator = SplitMix64(seed: UInt64(number))
    var sum: Float = 0
    for (place, window) in batch.windows.enumerated() {
      let row = try features?.rows(of: window.index).reduce(0, +) ?? Float(window.index)
      sum += Float(place + 1) * (row * window.weight + Float(window.partner ?? 0))
    }
    for (index, labels) in batch.labels.enumerated() {
      sum += labels.cells.joined().reduce(0) { $0 + $1.value * Float(1 + $1.type) } + labels.background.reduce(0, +)
      for place in moments[index].indices {
        moments[index][place] = 0.9 * moments[index][place] + 0.1 * sum * (generator.float() - 0.5)
      }
      heads[index] = heads[index].movingBias(moments[index], rate: Float(learningRate))
    }
    return losses(number) ?? Double(abs(sum)) / Double(number)
  }

  func parameters() -> [HeadParameters] { heads }

  func state() -> [NamedTensor] {
    heads.enumerated().flatMap { $1.tensors(named: "head\($0)") }
      + moments.enumerated().map { NamedTensor(name: "moment\($0)", shape: [$1.count], values: $1) }
  }

  func restore(_ state: [NamedTensor]) throws {
    let tensors = Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0) })
    for index in heads.indices {
      guard let head = heads[index].replacing(named: "head\(index)", from: tensors),
        let moment = tensors["moment\(index)"]
      else { throw TrainingError("the state is of another model") }
      (heads[index], moments[index]) = (head, moment.values)
    }
  }
}

extension HeadParameters {
  fileprivate func movingBias(_ moment: [Float], rate: Float) -> HeadParameters {
    var moved = self
    for place in moment.indices { moved.projection.bias[place] -= rate * moment[place] }
    return moved
  }
}
