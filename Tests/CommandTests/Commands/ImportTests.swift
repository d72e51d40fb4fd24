import Foundation
import ModelFiles
import Testing

/// `weft import` as a user runs it; what it makes of each training code's tensors is tested with the library.
@Suite struct ImportTests {
  /// A small model as bert4torch would have left it: its encoder's names, and heads below `global_pointer`.
  private func checkpoint(_ change: (inout SmallModel) -> Void = { _ in }) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    var model = SmallModel()
    model.files["globalpointer.json"] = .some(nil)
    for name in ["p_dense.weight", "p_dense.bias", "q_dense.weight", "q_dense.bias"] {
      model.tensors["global_pointer.\(name)"] = model.tensors.removeValue(forKey: name)
    }
    change(&model)
    try model.write(into: folder)
    return folder
  }

  private func run(_ source: String, _ destination: String, _ options: String...) async throws -> CommandRun {
    try await Weft.run(["import", "--from", "bert4torch", "--labels", "PER,LOC"] + options + [source, destination])
  }

  @Test func theModelFindsWhatTheCheckpointDoes() async throws {
    let (source, target) = (try checkpoint(), try TemporaryFolder())
    let made = try await run(source.path, target.path + "/model")
    #expect(made.status == 0 && made.errorText.isEmpty, "\(made.errorText)")
    #expect(
      made.lines == ["\(target.path)/model: entities, efficient head of 4, encoder of 1 layers of 8, 25 tensors"])
    #expect(target.names == ["model"])

    // The same tensors, described in their own dialect.
    let plain = try TemporaryFolder()
    var model = SmallModel()
    model.replace("bert4keras", with: "bert4torch", in: "globalpointer.json")
    try model.write(into: plain)
    let input = "{\"text\": \"Mr. Reeds left a reed.\"}\n{\"text\": \"A reed left.\"}"
    var outputs: [String] = []
    for directory in [plain.path, target.path + "/model"] {
      let found = try await Weft.run(
        ["extract", "--device", "cpu", "--model", directory, "--threshold", "-0.1"], input: input)
      #expect(found.status == 0 && found.errorText.isEmpty, "\(found.errorText)")
      outputs.append(found.text)
    }
    #expect(outputs[0] == outputs[1] && outputs[0].contains("\"label\":\"PER\""))
  }

  @Test func labelsMayComeFromAFile() async throws {
    let (source, target) = (try checkpoint(), try TemporaryFolder())
    let labels = try target.file("labels.txt", "Person\nPlace of birth\n".utf8)
    let made = try await Weft.run("import", "--from", "BERT4torch", "--labels", labels, source.path, target.path + "/m")
    #expect(made.status == 0, "\(made.errorText)")
    let description = try #require(target.contents(of: "m/globalpointer.json"))
    #expect(try JSONObject(description).strings("labels") == ["Person", "Place of birth"])
  }

  @Test func whatIsLeftOutIsListed() async throws {
    let source = try checkpoint { $0.tensors["lstm.weight"] = .init([2]) }
    let target = try TemporaryFolder()
    let made = try await run(source.path, target.path + "/model")
    #expect(made.status == 0)
    #expect(made.complaints == ["weft: left out, since the model has no place for them: lstm.weight"])
  }

  /// A fault of the checkpoint, and what the message must name.
  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let words: [String]
    let change: @Sendable (inout SmallModel) -> Void

    init(_ name: String, _ words: String..., change: @escaping @Sendable (inout SmallModel) -> Void) {
      (self.name, self.words, self.change) = (name, words, change)
    }

    var testDescription: String { name }
  }

  static let faults = [
    Fault("a tensor is missing", "'bert.encoder.layer.0.output.dense.bias'", "--tensor") {
      $0.tensors["bert.encoder.layer.0.output.dense.bias"] = nil
    },
    Fault("a tensor of another shape", "word_embeddings", "[10, 8] expected", "[11, 8] found") {
      $0.tensors["bert.embeddings.word_embeddings.weight"] = .init([11, 8])
    },
    Fault("integers", "'global_pointer.p_dense.bias'", "I32") {
      $0.tensors["global_pointer.p_dense.bias"]?.type = "I32"
    },
    Fault("other labels", "'global_pointer.q_dense.bias'", "made for 3 labels", "2 labels are given") {
      $0.tensors["global_pointer.q_dense.weight"] = .init([6, 8])
      $0.tensors["global_pointer.q_dense.bias"] = .init([6])
    },
    Fault("no head", "head of entities", "'global_pointer.p_dense'", "--tensor p_dense=NAME") {
      $0.tensors = $0.tensors.filter { !$0.key.hasPrefix("global_pointer") }
    },
    Fault("no configuration", "config.json", "--base") { $0.files["config.json"] = .some(nil) },
    Fault("no vocabulary", "vocab.txt", "--base") { $0.files["vocab.txt"] = .some(nil) },
    Fault("a truncated file", "cut short") { $0.bytes = { $0.dropLast(100) } },
    Fault("an archive that is none", "model.safetensors", "cut short or is no ZIP archive") {
      $0.bytes = { Data([0x50, 0x4B]) + $0 }
    },
  ]

  @Test(arguments: faults) func aFaultIsOneLineAndLeavesNothing(fault: Fault) async throws {
    let (source, target) = (try checkpoint(fault.change), try TemporaryFolder())
    let made = try await run(source.path, target.path + "/model")
    #expect(made.status == 1 && made.output.isEmpty)
    #expect(made.complaints.count == 1, "\(made.errorText)")
    for word in [source.path] + fault.words { #expect(made.errorText.contains(word), "\(made.errorText)") }
    #expect(target.names.isEmpty)
  }

  @Test func aDestinationWithFilesIsRefused() async throws {
    let (source, target) = (try checkpoint(), try TemporaryFolder())
    let kept = try target.file("kept.txt", "kept".utf8)
    let made = try await run(source.path, target.path)
    #expect(
      made.status == 1 && made.complaints == ["Error: \(target.path): exists and is not empty; name a new directory"])
    #expect(target.names == ["kept.txt"] && FileManager.default.contents(atPath: kept) == Data("kept".utf8))
  }

  @Test func aMissingSourceIsNamed() async throws {
    let target = try TemporaryFolder()
    let made = try await run("/no/such/checkpoint", target.path + "/model")
    #expect(made.status == 1 && made.complaints.count == 1)
    #expect(made.errorText.contains("/no/such/checkpoint") && made.errorText.contains("No such file"))
    #expect(target.names.isEmpty)
  }
}
