import TestDevices
import Foundation
import ModelFiles
import Weft

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
