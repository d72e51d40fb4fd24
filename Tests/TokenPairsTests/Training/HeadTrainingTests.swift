import Foundation
import ModelFiles
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// Whole trainings of a toy on the small encoder.
@Suite struct HeadTrainingTests {
  @Test(arguments: ["", "bert.", "encoder.x."]) func aTrainingLeavesAModel(prefix: String) async throws {
    let training = try SmallTraining(prefix: prefix)
    let reports = try await training.reports()
    let summary = try #require(reports.last?.summary)
    #expect(summary.epochs.count == 3 && summary.model == training.output && !summary.stoppedEarly)
    #expect(summary.best.epoch == 1 && reports.compactMap(\.epoch) == summary.epochs)
    #expect(reports.compactMap(\.note) == ["development data: not in the training data: \"NEW\" (1)"])
    // Efficient: 8 → 8 and 8 → 4, with biases.
    #expect(summary.parameterCount == 8 * 8 + 8 + 8 * 4 + 4)
    #expect(training.names == ["config.json", "globalpointer.json", "history.jsonl", "model.safetensors", "vocab.txt"])

    let description = try ModelDescription(directory: training.output)
    #expect(description.labels == ["PER", "THING"] && description.encoderPrefix == "bert.")
    #expect(
      description.spanHead.shape.headSize == 4 && description.spanHead.shape.rope
        && description.spanHead.shape.triangular)
    let made = try Checkpoint(directory: training.output)
    let source = try Checkpoint(directory: training.encoder)
    for array in SmallEncoder(seed: 5).arrays {
      #expect(try made.tensor(named: "bert." + array.name) == source.tensor(named: prefix + array.name))
    }
    #expect(!made.contains("pooler.dense.bias"))
    let extractor = try await Extractor(
      model: training.output, on: TestDevice.reference.engine(), options: .init(threshold: -10))
    let found = try await extractor.documents(of: ["Mr. Reed left."])
    #expect(!found[0].entities.isEmpty && extractor.labels == ["PER", "THING"])

    let lines = try #require(training.bytes("history.jsonl").map { String(decoding: $0, as: UTF8.self) })
      .split(separator: "\n")
    let history = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Double] }
    #expect(history.map { $0?["epoch"] } == [1, 2, 3] && history[2]?["loss"] == summary.epochs[2].loss)
    let stored = try JSONFields(file: "\(training.output)/globalpointer.json")
    #expect(try stored.object("report")?.object("dev")?.number("f1") == summary.best.scores.f1)
    #expect(try stored.object("training")?.integer("best_epoch", in: 1...9) == 1)
    #expect(try stored.object("training")?.object("recipe")?.number("learning_rate") == training.recipe.learningRate)
  }

  /// Left after any report, a training that is resumed writes the same bytes.
  @Test func aTrainingLeftAnywhereEndsInTheSameBytes() async throws {
    let whole = try SmallTraining()
    let count = try await whole.reports().count
    #expect(count == 1 + 8 + 9 + 3 + 1, "a note, eight windows, nine steps, three epochs, the end")
    for limit in 1..<count {
      var training = try SmallTraining()
      _ = try await training.reports(limit: limit)
      #expect(!training.names.contains("globalpointer.json"), "no model before the end")
      training.options.resumes = true
      let reports = try await training.reports()
      #expect(reports.last?.summary?.epochs.count == 3)
      #expect(training.bytes("model.safetensors") == whole.bytes("model.safetensors"), "after \(limit) reports")
      #expect(training.names == whole.names)
    }
  }

  @Test func featuresMayStay() async throws {
    var training = try SmallTraining()
    training.options.features = training.scratch.file("features")
    let first = try await training.reports()
    let files = try FileManager.default.contentsOfDirectory(atPath: training.scratch.file("features"))
    #expect(files.count == 2 && files.allSatisfy { $0.hasPrefix("features-") })
    func encoded(_ reports: [TrainingProgress]) -> Int {
      reports.reduce(0) { if case .encoding = $1 { $0 + 1 } else { $0 } }
    }
    #expect(encoded(first) == 8, "five training texts, one of them in two windows, and two of development")
    let weights = training.bytes("model.safetensors")
    training.options.overwrites = true
    #expect(encoded(try await training.reports()) == 0 && training.bytes("model.safetensors") == weights)

    // A damaged one is made anew, and that is said.
    let path = "\(training.scratch.file("features"))/\(files[0])"
    var damaged = try Data(contentsOf: URL(fileURLWithPath: path))
    let sound = damaged
    damaged[damaged.count - 9] ^= 4
    try damaged.write(to: URL(fileURLWithPath: path))
    let third = try await training.reports()
    #expect(
      third.compactMap(\.note).contains { $0.contains(files[0]) && $0.contains("damaged") && $0.contains("anew") })
    #expect(encoded(third) > 0 && training.bytes("model.safetensors") == weights)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == sound)
  }

  @Test func aResumedTrainingMustBeTheSame() async throws {
    var training = try SmallTraining()
    _ = try await training.reports(limit: 14)
    training.options.resumes = true
    training.recipe.epochs = 4
    let error = await #expect(throws: TrainingError.self) { _ = try await training.reports() }
    #expect(error?.description.contains("of a training with epochs 3, not 4") == true)
    training.recipe.epochs = 3
    let other = await #expect(throws: TrainingError.self) {
      for try await _ in try await training.run(on: Array(SmallTraining.train.dropLast())) {}
    }
    #expect(other?.description.contains("other training data") == true)
    #expect(try await training.reports().last?.summary != nil, "and nothing was lost by asking")
  }

  /// Data, a change of the encoder's folder, and what the one line says.
  private func refusal(
    on train: [TrainingDocument] = SmallTraining.train, development: [TrainingDocument] = SmallTraining.development,
    _ change: (SmallTraining) throws -> Void = { _ in }
  ) async throws -> String {
    let training = try SmallTraining()
    try change(training)
    do {
      for try await _ in try await training.run(on: train, development: development) {}
      return ""
    } catch {
      #expect(!training.names.contains("globalpointer.json"))
      return "\(error)"
    }
  }

  @Test func dataWithoutUseAreRefused() async throws {
    #expect(try await refusal(on: []) == "there is no document to learn from")
    #expect(try await refusal(on: [SmallTexts.entities("a")]).contains("the only document has"))
    #expect(try await refusal(development: []) == "there is no document to try the heads on")
    #expect(
      try await refusal(development: [SmallTexts.entities("a")])
        == "none of the development documents has any of the entities to find")
    let across = try await refusal(on: [SmallTexts.entities("reed", (1..<3, "A"))])
    #expect(across.hasPrefix("nothing of the training data can be learned"))
    let relations = TrainingDocument(text: "a", gold: .relations([]))
    #expect(try await refusal(on: [relations]).contains("document 1 has relations, and entities"))
    #expect(try await refusal(development: [relations]).contains("development document 1 has relations"))
  }

  @Test func anEncoderThatIsNoneIsRefused() async throws {
    func replace(_ name: String, _ old: String, _ new: String) -> (SmallTraining) throws -> Void {
      { training in
        let path = "\(training.encoder)/\(name)"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacingOccurrences(of: old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
      }
    }
    func tensors(_ names: [String]) -> (SmallTraining) throws -> Void {
      { training in
        var writer = SafetensorsWriter()
        for name in names { writer.add(name, floats: [1], shape: [1]) }
        try writer.write(to: "\(training.encoder)/model.safetensors")
      }
    }
    #expect(
      try await refusal(replace("config.json", "\"bert\"", "\"roberta\"")).contains("'roberta' is not supported"))
    #expect(try await refusal(tensors(["gpt.wte"])).contains("holds no BERT encoder"))
    let word = "embeddings.word_embeddings.weight"
    #expect(try await refusal(tensors(["a.\(word)", "b.\(word)"])).contains("holds 2 encoders"))
    #expect(try await refusal(tensors([word])).contains("shape [10, 8] expected, [1] found"))
    #expect(
      try await refusal { try FileManager.default.removeItem(atPath: "\($0.encoder)/model.safetensors") }
        .contains("has neither model.safetensors"))
    #expect(
      try await refusal { try FileManager.default.removeItem(atPath: "\($0.encoder)/vocab.txt") }.contains("vocab.txt"))
  }

  @Test func aTrainingThatDivergesLeavesNoModel() async throws {
    let training = try SmallTraining()
    let error = await #expect(throws: TrainingError.self) {
      for try await _ in try await training.run(losses: { $0 == 5 ? .nan : nil }) {}
    }
    #expect(
      error?.description.contains("the loss is not a number in epoch 2, step 5 of 9") == true,
      "\(error?.description ?? "")")
    #expect(training.names == ["training"])
  }

  @Test func optionsThatContradictEachOtherAreRefused() async throws {
    let engine = try await TestDevice.reference.engine()
    var options = HeadTraining.Options()
    (options.resumes, options.overwrites) = (true, true)
    #expect(throws: TrainingError.self) {
      try HeadTraining(encoder: "e", output: "o", recipe: .init(task: .entities), on: engine, options: options) {
        heads, _, _, _ in
        ToyModel(heads)
      }
    }
    var recipe = TrainingRecipe(task: .entities)
    recipe.epochs = 0
    #expect(throws: TrainingError.self) {
      try HeadTraining(encoder: "e", output: "o", recipe: recipe, on: engine) { heads, _, _, _ in ToyModel(heads) }
    }
  }
}
