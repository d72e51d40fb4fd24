import Foundation
import Testing

/// Every way a model can be broken is one clear line that names the file and the part of it.
@Suite struct BadModelTests {
  /// One fault, and what the message must name.
  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let words: [String]
    let change: @Sendable (inout SmallModel) -> Void

    var testDescription: String { name }

    init(_ name: String, _ words: String..., change: @escaping @Sendable (inout SmallModel) -> Void) {
      (self.name, self.words, self.change) = (name, words, change)
    }

    init(_ name: String, without file: String, _ words: String...) {
      (self.name, self.words) = (name, words)
      change = { $0.files[file] = .some(nil) }
    }

    init(_ file: String, _ old: String, _ new: String, _ words: String...) {
      (name, self.words) = ("\(file): \(new)", [file] + words)
      change = { $0.replace(old, with: new, in: file) }
    }

    init(header old: String, _ new: String, _ words: String...) {
      (name, self.words) = ("header: \(new)", ["model.safetensors"] + words)
      change = { model in model.header = { $0.replacingOccurrences(of: old, with: new) } }
    }

    init(_ name: String, bytes: @escaping @Sendable (Data) -> Data, _ words: String...) {
      (self.name, self.words) = (name, ["model.safetensors"] + words)
      change = { $0.bytes = bytes }
    }
  }

  static let words = "bert.embeddings.word_embeddings.weight"

  static let descriptionFaults: [Fault] = [
    Fault("no config.json", without: "config.json", "config.json", "No such file"),
    Fault("no head", without: "globalpointer.json", "globalpointer.json", "No such file"),
    Fault("no tokenizer", without: "vocab.txt", "tokenizer.json", "vocab.txt"),
    Fault("config.json", "8,", "8,,", "JSON"),
    Fault("config.json", "{", "[{", "JSON"),
    Fault("config.json", "\"bert\"", "\"roformer\"", "model_type", "roformer"),
    Fault("config.json", "\"hidden_size\": 8, ", "", "hidden_size", "missing"),
    Fault("config.json", "\"hidden_size\": 8", "\"hidden_size\": \"8\"", "hidden_size", "string"),
    Fault("config.json", "\"hidden_size\": 8", "\"hidden_size\": 9", "hidden_size"),
    Fault("config.json", "\"hidden_size\": 8", "\"hidden_size\": -8", "hidden_size"),
    Fault("config.json", "\"hidden_size\": 8", "\"hidden_size\": 4611686018427387904", "hidden_size"),
    Fault("globalpointer.json", "]", "", "JSON"),
    Fault("globalpointer.json", "bert4keras", "keras5", "dialect", "keras5", "bert4torch"),
    Fault("globalpointer.json", "efficient", "biaffine", "kind", "biaffine", "globalpointer"),
    Fault("globalpointer.json", "\"entities\"", "\"relations\"", "task", "relations"),
    Fault("globalpointer.json", "[\"PER\", \"LOC\"]", "[]", "labels"),
    Fault("globalpointer.json", "[\"PER\", \"LOC\"]", "[\"PER\", \"PER\"]", "labels", "twice"),
    Fault("globalpointer.json", "\"LOC\"]", "\"LOC\", \"ORG\"]", "labels", "3", "q_dense.bias"),
    Fault("globalpointer.json", "\"head_size\": 4", "\"head_size\": 3", "head_size", "odd"),
  ]

  static let tokenizerFaults: [Fault] = [
    Fault("vocabulary beyond the table", "11", "10") { $0.replace("##s", with: "##s\nextra", in: "vocab.txt") },
    Fault("vocab.txt", "[SEP]", "sep", "[SEP]", "sep_token"),
    Fault("tokenizer.json malformed", "tokenizer.json", "JSON") { $0.files["tokenizer.json"] = "{\"model\":" },
    Fault("tokenizer.json of another kind", "tokenizer.json", "model.type", "BPE") {
      $0.files["tokenizer.json"] = #"{"model": {"type": "BPE", "vocab": {}}}"#
    },
    Fault("tokenizer.json with a huge id", "tokenizer.json", "model.vocab.a") {
      $0.files["tokenizer.json"] = #"{"model": {"type": "WordPiece", "vocab": {"a": 99999999999}}}"#
    },
  ]

  static let checkpointFaults: [Fault] = [
    Fault("an empty file", bytes: { _ in Data() }, "0 bytes"),
    Fault("a truncated file", bytes: { $0.dropLast(100) }, "tensor", "cut short"),
    Fault("a truncated header", bytes: { $0.prefix(50) }, "cut short"),
    Fault("bytes at the end", bytes: { $0 + Data(count: 4) }, "4 bytes belong to no tensor"),
    Fault("a header longer than the file", bytes: { SmallModel.bytes(of: 90_000_000) + $0.dropFirst(8) }, "cut short"),
    Fault("a header of 2⁶⁴ - 1 bytes", bytes: { SmallModel.bytes(of: .max) + $0.dropFirst(8) }, "\(UInt64.max)"),
    Fault("a header that is not JSON", bytes: { $0.prefix(8) + Data("{\"x\":".utf8) + $0.dropFirst(13) }, "JSON"),
    Fault(header: "\"data_offsets\":[0,32]", "\"data_offsets\":[8,40]", "belong to no tensor"),
    Fault(header: "\"data_offsets\":[32,64]", "\"data_offsets\":[0,32]", "tensor", "overlaps"),
    Fault(header: "[10, 8]", "[9223372036854775807, 8]", words, "too large"),
    Fault(header: "[10, 8]", "[4611686018427387904, 4]", words, "too large"),
    Fault(header: "[10, 8]", "[-10, -8]", words, "shape"),
    Fault(header: "\"F32\",\"shape\":[10, 8]", "\"F33\",\"shape\":[10, 8]", words, "F33"),
    Fault(header: "\"F32\",\"shape\":[10, 8]", "\"I32\",\"shape\":[10, 8]", words, "I32", "F16"),
    Fault(header: "[10, 8]", "[8, 10]", words, "shape", "[10, 8]", "[8, 10]"),
    Fault(header: "word_embeddings.weight", "word_embedding.weight", words, "closest"),
    Fault(header: "p_dense.weight", "x_dense.weight", "p_dense.weight"),
    Fault(header: "layer.0.output.dense.bias", "layer.1.output.dense.bias", "layer.0.output.dense.bias"),
    Fault("a position table that is too short", "model.safetensors", "position_embeddings", "[12, 8]", "[11, 8]") {
      $0.tensors["bert.embeddings.position_embeddings.weight"] = .init([11, 8])
    },
    Fault("a head of another width", "model.safetensors", "p_dense.weight", "[8, 8]") {
      $0.tensors["p_dense.weight"] = .init([8, 16])
    },
    Fault("a weight that is not a number", "model.safetensors", words, "element 3 is nan") {
      $0.tensors[words]?.values[3] = .nan
    },
    Fault("an infinite weight", "model.safetensors", "p_dense.bias", "element 7 is -inf") {
      $0.tensors["p_dense.bias"]?.values[7] = -.infinity
    },
  ]

  @Test func theModelIsFineBeforehand() async throws {
    let model = try TemporaryFolder()
    try SmallModel().write(into: model)
    let run = try await Weft.run(
      "extract", "--device", "cpu", "--model", model.path, "--threshold", "-100",
      input: "{\"text\":\"Mr. Reeds left a reed.\"}")
    #expect(run.status == 0 && run.errorText.isEmpty)
    #expect(try run.objects()[0].objects("entities").count == 2 * 8 * 9 / 2, "all spans of 8 tokens")
  }

  @Test(arguments: descriptionFaults + tokenizerFaults + checkpointFaults)
  func faultIsOneClearLine(fault: Fault) async throws {
    let (model, folder) = (try TemporaryFolder(), try TemporaryFolder())
    var changed = SmallModel()
    fault.change(&changed)
    try changed.write(into: model)
    let run = try await Weft.run(
      ["extract", "--device", "cpu", "--model", model.path, "--output", "out.jsonl"],
      input: "{\"text\":\"Mr. Reed left.\"}", directory: folder.path)
    #expect(run.status == 1)
    #expect(run.output.isEmpty)
    #expect(run.complaints.count == 1, "\(run.errorText)")
    for word in [model.path] + fault.words {
      #expect(run.errorText.contains(word), "no '\(word)' in: \(run.errorText)")
    }
    #expect(folder.names.isEmpty)
  }

  @Test(arguments: [["extract", "--device", "cpu"], ["evaluate", "--device", "cpu"], ["tokenize"]])
  func missingDirectoryIsNamed(command: [String]) async throws {
    let run = try await Weft.run(command + ["--model", "/no/such/model", "/dev/null"])
    #expect(run.status == 1)
    #expect(run.complaints.count == 1)
    #expect(run.errorText.contains("/no/such/model"))
  }

  @Test func directoryWithoutWeightsIsNamed() async throws {
    let model = try TemporaryFolder()
    try SmallModel().write(into: model)
    try FileManager.default.removeItem(atPath: model.path + "/model.safetensors")
    _ = try model.file("pytorch_model.bin", [0])
    let run = try await Weft.run("extract", "--device", "cpu", "--model", model.path)
    #expect(run.status == 1)
    #expect(run.errorText.contains("\(model.path): has neither model.safetensors nor"))
    #expect(run.errorText.contains("convert pytorch_model.bin"))
  }
}
