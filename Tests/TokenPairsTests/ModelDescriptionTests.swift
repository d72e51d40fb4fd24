import Foundation
import ModelFiles
import Testing
import Weft

@testable import TokenPairs

/// Faults of `globalpointer.json` and of the tensors it names: each message says where to look.
@Suite struct ModelDescriptionTests {
  /// A fault, and what the message about it must hold.
  struct Fault: Sendable, CustomTestStringConvertible {
    let from: String
    let to: String
    let says: [String]

    init(_ from: String, _ to: String, says: [String]) {
      self.from = from
      self.to = to
      self.says = says
    }

    var testDescription: String { "\(from) → \(to)" }
  }

  private static let sound = """
    {"task": "entities", "labels": ["A", "B"],
     "head": {"kind": "efficient", "dialect": "bert4keras", "head_size": 8, "rope": true,
      "triangular": true, "tensors": {"p_dense": "p", "q_dense": "q"}}}
    """

  static let faults = [
    Fault("\"entities\"", "\"relations\"", says: ["'task'", "relations", "entities"]),
    Fault("[\"A\", \"B\"]", "[]", says: ["'labels'", "at least one"]),
    Fault("[\"A\", \"B\"]", "[\"A\", \"A\"]", says: ["'labels'", "\"A\" stands there twice"]),
    Fault("[\"A\", \"B\"]", "[\"A\", 3]", says: ["'labels[1]'", "string expected"]),
    Fault("\"labels\"", "\"names\"", says: ["'labels'"]),
    Fault("\"head\"", "\"body\"", says: ["'head'", "missing"]),
    Fault("\"efficient\"", "\"biaffine\"", says: ["'head.kind'", "biaffine", "globalpointer"]),
    Fault("\"kind\"", "\"sort\"", says: ["'head.kind'", "efficient"]),
    Fault("\"bert4keras\"", "\"keras\"", says: ["'head.dialect'", "keras", "bert4torch-0.2.5"]),
    Fault("\"dialect\"", "\"accent\"", says: ["'head.dialect'", "ark-nlp"]),
    Fault("\"head_size\": 8", "\"head_size\": 7", says: ["'head.head_size'", "7 is odd"]),
    Fault("\"head_size\": 8", "\"head_size\": 0", says: ["'head.head_size'"]),
    Fault("\"head_size\": 8, ", "", says: ["'head.head_size'", "missing"]),
    Fault("\"rope\": true", "\"rope\": \"yes\"", says: ["'head.rope'", "true or false"]),
    Fault("{\"p_dense\"", "{\"p_dense\": 1, \"p\"", says: ["'head.tensors.p_dense'", "string"]),
  ]

  @Test(arguments: faults) func aFaultOfTheFileIsNamed(fault: Fault) throws {
    let scratch = try Scratch()
    let text = Self.sound.replacingOccurrences(of: fault.from, with: fault.to)
    #expect(text != Self.sound)
    try scratch.write("globalpointer.json", text)
    let error = try #require(throws: ModelFileError.self) {
      try ModelDescription(directory: scratch.path)
    }
    #expect(error.file == scratch.file("globalpointer.json"))
    for word in fault.says { #expect(error.description.contains(word), "\(error)") }
  }

  @Test func aSoundFileIsRead() throws {
    let scratch = try Scratch()
    try scratch.write("globalpointer.json", Self.sound)
    let description = try ModelDescription(directory: scratch.path)
    #expect(description.labels == ["A", "B"])
    #expect(description.spanHead.kind == .efficient)
    #expect(description.spanHead.dialect.name == "bert4keras")
    #expect(description.spanHead.rope && description.spanHead.triangular)
    #expect(description.encoderPrefix.isEmpty)
  }

  @Test func anOddHeadSizeIsAllowedWithoutRotation() throws {
    let scratch = try Scratch()
    let text = Self.sound.replacingOccurrences(of: "8, \"rope\": true", with: "7, \"rope\": false")
    try scratch.write("globalpointer.json", text)
    #expect(try ModelDescription(directory: scratch.path).spanHead.headSize == 7)
  }

  @Test func aMissingFileIsNamed() throws {
    let scratch = try Scratch()
    let error = #expect(throws: ModelFileError.self) {
      try ModelDescription(directory: scratch.path)
    }
    #expect(error?.file == scratch.file("globalpointer.json"))
  }

  // What the tensors say.

  private func importing(
    types: Int, _ kind: HeadKind, labels: String, hiddenSize: Int = 12, renaming: Bool = false
  ) throws -> ModelFileError? {
    let scratch = try Scratch()
    try StoredHead(DialectRow.all[1], kind, types: types, seed: 1).write(to: scratch)
    let file = scratch.file("globalpointer.json")
    var text = try String(contentsOfFile: file, encoding: .utf8)
    let listed = (0..<types).map { "\"L\($0)\"" }.joined(separator: ", ")
    text = text.replacingOccurrences(of: "[\(listed)]", with: labels)
    if renaming { text = text.replacingOccurrences(of: "head.", with: "heads.") }
    try scratch.write("globalpointer.json", text)
    let description = try ModelDescription(directory: scratch.path)
    let checkpoint = try Checkpoint(directory: scratch.path)
    return #expect(throws: ModelFileError.self) {
      try description.spanHead.parameters(from: checkpoint, hiddenSize: hiddenSize)
    }
  }

  @Test(arguments: [(HeadKind.efficient, "head.q_dense.bias"), (.globalPointer, "head.dense.bias")])
  func tensorsForAnotherNumberOfLabelsAreExplained(kind: HeadKind, tensor: String) throws {
    let error = try importing(types: 3, kind, labels: "[\"A\", \"B\"]")
    let text = error?.description ?? ""
    for word in ["globalpointer.json", "'labels'", "2 labels", tensor, "has 3"] {
      #expect(text.contains(word), "\(text)")
    }
  }

  @Test(arguments: [(HeadKind.efficient, "p_dense"), (.globalPointer, "dense")])
  func aMissingTensorIsNamed(kind: HeadKind, tensor: String) throws {
    let error = try importing(types: 2, kind, labels: "[\"A\", \"B\"]", renaming: true)
    let text = error?.description ?? ""
    for word in ["model.safetensors", "'heads.\(tensor).weight'", "head.\(tensor)"] {
      #expect(text.contains(word), "\(text)")
    }
  }

  @Test func aTensorOfAnotherShapeIsNamed() throws {
    let error = try importing(types: 2, .efficient, labels: "[\"A\", \"B\"]", hiddenSize: 13)
    let text = error?.description ?? ""
    for word in ["model.safetensors", "'head.p_dense.weight'", "[16, 13]", "[16, 12]"] {
      #expect(text.contains(word), "\(text)")
    }
  }
}
