import Foundation
import Testing

/// `weft train` on a small encoder.
@Suite struct TrainTests {
  @Test func aTrainingLeavesAModelThatExtractTakes() async throws {
    let files = try TrainingFiles()
    let run = try await files.train("--learning-rate", "0.02")
    #expect(run.status == 0, "\(run.errorText)")
    #expect(run.complaints[0] == "encoding 7 windows of text")
    #expect(run.complaints.count == 4 && run.complaints[3].hasPrefix("epoch 3/3  loss "), "\(run.errorText)")
    #expect(run.complaints.dropFirst().allSatisfy { $0.contains("  F1 ") } && run.complaints[1].contains("ETA 0:"))
    #expect(run.text.contains("model: entities, efficient, head size 64, 1,668 parameters, 3 epochs"), "\(run.text)")
    #expect(run.text.contains("extract --model model --lines FILE.txt"))
    #expect(
      files.outputNames == [
        "config.json", "globalpointer.json", "history.jsonl", "history.svg", "model.safetensors", "vocab.txt",
      ])
    #expect(files.folder.contents(of: "model/history.svg")?.hasPrefix("<svg") == true)
    let history = try #require(files.folder.contents(of: "model/history.jsonl")).split(separator: "\n")
      .map { try JSONObject(String($0)) }
    #expect(history.count == 3)
    #expect(try history.map { try $0.integer("epoch") } == [1, 2, 3])
    let description = try JSONObject(#require(files.folder.contents(of: "model/globalpointer.json")))
    #expect(try description.strings("labels") == ["PER", "THING"])
    let report = try description.object("report").object("dev")
    #expect(try report.number("f1") == history.map { try $0.number("f1") }.max())

    // What the report says is what `evaluate` finds.
    let evaluated = try await Weft.run(
      ["evaluate", "--json", "--device", "cpu", "--model", "model", "dev.jsonl"], directory: files.folder.path)
    #expect(evaluated.status == 0, "\(evaluated.errorText)")
    #expect(try evaluated.object().object("micro").number("f1") == report.number("f1"))
    #expect(try evaluated.object().object("micro").integer("predicted") == report.integer("predicted"))
  }

  @Test func theSameSeedGivesTheSameBytes() async throws {
    let files = try TrainingFiles()
    #expect(try await files.train("--features", "kept", "--mixup", "0.4", "--label-smoothing", "0.1").status == 0)
    let first = files.weights
    let again = try await files.train(
      "--features", "kept", "--mixup", "0.4", "--label-smoothing", "0.1", "--overwrite")
    #expect(again.status == 0 && files.weights == first && first != nil)
    #expect(!again.errorText.contains("encoding"), "the features were there")
    let other = try await files.train("--features", "kept", "--seed", "5", "--overwrite")
    #expect(other.status == 0 && files.weights != first)
    let half = try await files.train("--features", "kept", "--feature-precision", "float16", "--overwrite")
    #expect(half.status == 0 && half.errorText.contains("encoding"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: files.folder.path + "/kept").count == 4)
  }

  @Test(arguments: [
    (
      "relations", "gplinker.json", "Live_In",
      #""relations": [{"subject": {"start": 0, "end": 9}, "predicate": "Live_In", "object": {"start": 15, "end": 21}}]"#
    ),
    (
      "events", "gplinker.json", "leave/trigger",
      #""events": [{"type": "leave", "arguments": [{"role": "who", "start": 0, "end": 9}, {"role": "trigger", "start": 10, "end": 14}]}]"#
    ),
  ]) func allTasksAreTrained(task: String, file: String, name: String, gold: String) async throws {
    let files = try TrainingFiles()
    let line = "{\"text\": \"mr. reeds left a reed.\", \(gold)}\n"
    _ = try files.folder.file("links.jsonl", line.utf8)
    let run = try await Weft.run(
      [
        "train", "--device", "cpu", "--encoder", "encoder", "--data", "links.jsonl", "--dev", "links.jsonl", "--task",
        task, "--output", "model", "--epochs", "40", "--learning-rate", "0.05", "--warm-up", "0", "--head",
        "globalpointer",
      ], directory: files.folder.path)
    #expect(run.status == 0, "\(run.errorText)")
    let description = try JSONObject(#require(files.folder.contents(of: "model/\(file)")))
    #expect(try (description.strings("labels") + description.strings("links")).contains(name))
    // One text, tried on itself, is learned by heart.
    #expect(try description.object("report").object("dev").number("f1") == 1, "\(run.errorText)")
    let found = try await Weft.run(
      ["extract", "--device", "cpu", "--model", "model", "--without-trigger", "links.jsonl"],
      directory: files.folder.path)
    #expect(
      found.status == 0 && found.text.contains(task == "relations" ? "Live_In" : "\"role\":\"who\""), "\(found.text)")
  }

  @Test func labelsThatTokensCannotBearOutAreReported() async throws {
    let files = try TrainingFiles()
    let line = #"""
      {"text": "mr. reeds left", "entities": [{"start": 0, "end": 2, "label": "A"}, {"start": 0, "end": 1, "label": "A"}, {"start": 5, "end": 99, "label": "A"}, {"start": 3, "end": 3, "label": "A"}, {"start": 9, "end": 4, "label": "A"}, {"start": -4, "end": 4, "label": "A"}]}

      """#
    _ = try files.folder.file("train.jsonl", line.utf8)
    let development = #"""
      {"text": "mr. reeds left", "entities": [{"start": 0, "end": 2, "label": "A"}, {"start": 0, "end": 1, "label": "A"}, {"start": 5, "end": 99, "label": "A"}, {"start": 0, "end": 2, "label": "PER"}]}

      """#
    _ = try files.folder.file("dev.jsonl", development.utf8)
    let run = try await files.train()
    #expect(run.status == 0)
    #expect(
      run.complaints.prefix(5) == [
        "weft: training data: 4 labels lie outside of their texts and were left out",
        "weft: training data: 1 label begins or ends within a token and was left out",
        "weft: development data: 1 label lies outside of its text and was left out",
        "weft: development data: 1 label begins or ends within a token and counts as missed",
        "weft: development data: not in the training data: \"PER\" (1)",
      ], "\(run.errorText)")
  }

  /// Other files, other arguments or another encoder, and what the one line says.
  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let words: [String]
    var files: [String: String] = [:]
    var arguments: [String] = []
    var model: @Sendable (inout SmallModel) -> Void = { _ in }

    init(_ description: String, _ words: String...) {
      (testDescription, self.words) = (description, words)
    }

    func with(
      files: [String: String] = [:], arguments: [String] = [],
      model: @escaping @Sendable (inout SmallModel) -> Void = { _ in }
    ) -> Fault {
      var fault = self
      (fault.files, fault.arguments, fault.model) = (files, arguments, model)
      return fault
    }
  }

  private static let norm = "bert.encoder.layer.0.output.LayerNorm.weight"
  private static let unlabelled = "{\"text\": \"a\", \"entities\": []}\n"

  static let faults = [
    Fault("an empty file", "train.jsonl", "there is no line in it").with(files: ["train.jsonl": "\n \n"]),
    Fault("an empty development file", "dev.jsonl", "there is no line in it").with(files: ["dev.jsonl": ""]),
    Fault("no label at all", "none of the 2 documents has any of the entities to learn from")
      .with(files: ["train.jsonl": unlabelled + unlabelled]),
    Fault("nothing to find", "none of the development documents has any").with(files: ["dev.jsonl": unlabelled]),
    Fault("no label on tokens", "nothing of the training data can be learned", "1 label begins or ends within a token")
      .with(files: ["train.jsonl": #"{"text": "reed", "entities": [{"start": 1, "end": 3, "label": "A"}]}"#]),
    Fault("a development file of other labels", "nothing of the development data can be found", "\"PERSON\" (1)")
      .with(files: ["dev.jsonl": #"{"text": "reed", "entities": [{"start": 0, "end": 4, "label": "PERSON"}]}"#]),
    Fault("a label in two spellings", "document 2: the label", "U+E9", "U+65 U+301", "write it in one way")
      .with(files: [
        "train.jsonl": "{\"text\": \"reed\", \"entities\": [{\"start\": 0, \"end\": 4, \"label\": \"\u{E9}\"}]}\n"
          + "{\"text\": \"reed\", \"entities\": [{\"start\": 0, \"end\": 4, \"label\": \"e\u{301}\"}]}\n"
      ]),
    Fault("features where the model is made", "is where the model is made", "beside it")
      .with(arguments: ["--features", "./model"]),
    Fault("features that would go with the training", "is where the model is made")
      .with(arguments: ["--features", "model/training/"]),
    Fault("a line that is no JSON", "train.jsonl", "line 3", "malformed JSON")
      .with(files: ["train.jsonl": unlabelled + "\nfoo\n"]),
    Fault("a line of another task", "train.jsonl", "line 1", "no \"relations\" or \"triples\" member")
      .with(arguments: ["--task", "relations"]),
    Fault("a missing file", "no/such.jsonl", "No such file").with(arguments: ["--data", "no/such.jsonl"]),
    Fault("a directory for a file", "encoder", "is a directory").with(arguments: ["--dev", "encoder"]),
    Fault("no encoder", "no/such/config.json", "No such file").with(arguments: ["--encoder", "no/such"]),
    Fault("an encoder that is no BERT", "config.json", "'roberta' is not supported")
      .with { $0.replace("\"bert\"", with: "\"roberta\"", in: "config.json") },
    Fault("a model without an encoder", "model.safetensors", "holds no BERT encoder")
      .with { $0.tensors = $0.tensors.filter { !$0.key.hasPrefix("bert.") } },
    Fault("a damaged encoder", "model.safetensors", "cut short").with { $0.bytes = { $0.dropLast(50) } },
    Fault("an encoder whose numbers leave float32", "the encoder's output for window 1")
      .with { $0.tensors[norm] = .init([8], value: 3e38) },
    Fault("a loss that is not finite", "in epoch 1, step 1 of 9", "a lower learning rate", "that of the start")
      .with { $0.tensors[norm] = .init([8], value: 1e25) },
    Fault("an output that is a file", "is not a directory").with(arguments: ["--output", "train.jsonl"]),
    Fault("an output that is the encoder", "the encoder's own").with(arguments: ["--output", "encoder/", "--overwrite"]
    ),
    Fault("an unknown device", "no device 'abacus'").with(arguments: ["--device", "abacus"]),
  ]

  @Test(arguments: faults) func aFaultIsOneLine(fault: Fault) async throws {
    let files = try TrainingFiles(fault.model)
    for (name, text) in fault.files { _ = try files.folder.file(name, text.utf8) }
    let run = try await Weft.run(TrainingFiles.arguments(fault.arguments), directory: files.folder.path)
    #expect(run.status == 1 && run.output.isEmpty)
    let complaints = run.complaints.filter { !$0.hasPrefix("encoding") }
    #expect(complaints.count == 1 && complaints[0].hasPrefix("Error: "), "\(run.errorText)")
    for word in fault.words { #expect(run.errorText.contains(word), "\(run.errorText)") }
    #expect(!files.hasModel)
  }
}
