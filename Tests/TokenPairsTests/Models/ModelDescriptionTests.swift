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
    #expect(description.spanHead.shape.kind == .efficient)
    #expect(description.spanHead.dialect.name == "bert4keras")
    #expect(description.spanHead.shape.rope && description.spanHead.shape.triangular)
    #expect(description.encoderPrefix.isEmpty)
  }

  @Test func anOddHeadSizeIsAllowedWithoutRotation() throws {
    let scratch = try Scratch()
    let text = Self.sound.replacingOccurrences(of: "8, \"rope\": true", with: "7, \"rope\": false")
    try scratch.write("globalpointer.json", text)
    #expect(try ModelDescription(directory: scratch.path).spanHead.shape.headSize == 7)
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

/// `gplinker.json`, what it says and what can be wrong with it.
@Suite struct LinkDescriptionTests {
  typealias Fault = ModelDescriptionTests.Fault

  private static let relations = """
    {"task": "relations", "labels": ["subject", "object"], "links": ["P", "Q", "R"],
     "head": {"kind": "efficient", "dialect": "bert4keras", "head_size": 8},
     "tensors": {"labels": "entity", "head": "heads", "tail": "tails", "parts": ["d1", "d2"]},
     "encoder_prefix": "bert."}
    """

  private static let events = """
    {"task": "events", "labels": ["A/trigger", "A/B/who", "A/B/trigger"],
     "head": {"kind": "globalpointer", "dialect": "bert4torch", "head_size": 8},
     "tensors": {"labels": "arguments", "head": "heads", "tail": "tails", "parts": ["dense"]},
     "triangular": {"labels": true, "links": false}, "rope": {"labels": false, "links": true}}
    """

  private func read(_ text: String) throws -> ModelDescription {
    let scratch = try Scratch()
    try scratch.write("gplinker.json", text)
    return try ModelDescription(directory: scratch.path)
  }

  @Test func aModelOfRelationsIsRead() throws {
    let description = try read(Self.relations)
    #expect(description.task == .relations)
    #expect(description.labels == ["subject", "object"] && description.links == ["P", "Q", "R"])
    #expect(description.encoderPrefix == "bert.")
    let spans = description.spanHead
    #expect(spans.shape == HeadShape(kind: .efficient, types: 2, headSize: 8, rope: true, triangular: true))
    #expect(spans.projectionName == "entity.d1" && spans.biasName == "entity.d2")
    let links = try #require(description.linkHeads)
    for (head, name) in [(links.head, "heads"), (links.tail, "tails")] {
      #expect(head.shape == HeadShape(kind: .efficient, types: 3, headSize: 8, rope: false, triangular: false))
      #expect(head.projectionName == "\(name).d1" && head.biasName == "\(name).d2")
    }
  }

  @Test func aModelOfEventsIsRead() throws {
    let description = try read(Self.events)
    #expect(description.task == .events && description.links == ["link"])
    #expect(description.spanHead.shape.types == 3 && description.spanHead.projectionName == "arguments.dense")
    let links = try #require(description.linkHeads)
    #expect(links.head.shape.types == 1 && links.tail.biasName == nil)
    #expect(!description.spanHead.shape.rope && links.head.shape.rope && !links.head.shape.triangular)

    let plain = try read(
      Self.events.replacingOccurrences(of: ",\n \"triangular\".*\\}\\}", with: "}", options: .regularExpression))
    let usual = try #require(plain.linkHeads)
    #expect(plain.spanHead.shape.rope && plain.spanHead.shape.triangular)
    #expect(!usual.head.shape.rope && usual.head.shape.triangular, "links of events: no rotation, a triangle")
  }

  static let faults = [
    Fault("\"relations\"", "\"entities\"", says: ["'task'", "entities", "relations", "events"]),
    Fault("\"relations\"", "\"answers\"", says: ["'task'", "answers"]),
    Fault("\"subject\", \"object\"", "\"object\", \"subject\"", says: ["'labels'", "in this order"]),
    Fault("\"object\"", "\"object\", \"place\"", says: ["'labels'", "subject"]),
    Fault("\"Q\"", "\"P\"", says: ["'links'", "\"P\" stands there twice"]),
    Fault("[\"P\", \"Q\", \"R\"]", "[]", says: ["'links'", "at least one predicate"]),
    Fault("\"links\"", "\"predicates\"", says: ["'links'", "at least one predicate"]),
    Fault("\"tensors\"", "\"tensor\"", says: ["'tensors'", "missing"]),
    Fault("\"tail\": \"tails\", ", "", says: ["'tensors.tail'", "missing"]),
    Fault("\"tails\"", "\"heads\"", says: ["'tensors.tail'", "heads"]),
    Fault("\"heads\"", "\"entity\"", says: ["'tensors.head'", "entity"]),
    Fault("\"d1\", ", "", says: ["'tensors.parts'", "2 expected", "efficient"]),
    Fault("\"efficient\"", "\"globalpointer\"", says: ["'tensors.parts'", "1 expected"]),
    Fault("\"head_size\": 8", "\"head_size\": 9", says: ["'head.head_size'", "9 is odd"]),
    Fault("\"head_size\": 8", "\"head_size\": 8, \"bias_scale\": 1", says: ["'head.bias_scale'", "bert4keras"]),
    Fault("\"head_size\": 8", "\"head_size\": 8, \"bias_input\": \"hidden\"", says: ["'head.bias_input'", "weft"]),
    Fault("bert4keras\"", "weft\", \"bias_input\": \"u\"", says: ["'head.bias_input'", "hidden", "projection"]),
    Fault("bert4keras\"", "weft\", \"bias_scale\": 1e300", says: ["'head.bias_scale'", "out of range"]),
    Fault("bert4keras\"", "weft\", \"bias_scale\": \"1\"", says: ["'head.bias_scale'", "number expected"]),
  ]

  @Test(arguments: faults) func aFaultOfARelationModelIsNamed(fault: Fault) throws {
    let text = Self.relations.replacingOccurrences(of: fault.from, with: fault.to)
    #expect(text != Self.relations)
    let error = try #require(throws: ModelFileError.self) { try read(text) }
    #expect(error.file.hasSuffix("/gplinker.json"))
    for word in fault.says { #expect(error.description.contains(word), "\(error)") }
  }

  static let eventFaults = [
    Fault("A/B/who", "who", says: ["'labels'", "\"who\"", "TYPE/ROLE"]),
    Fault("A/B/who", "/who", says: ["'labels'", "TYPE/ROLE"]),
    Fault("A/B/who", "A/", says: ["'labels'", "TYPE/ROLE"]),
    Fault("A/B/who", "A/trigger", says: ["'labels'", "\"A/trigger\" stands there twice"]),
    Fault("\"head\":", "\"links\": [\"a\", \"b\"], \"head\":", says: ["'links'", "2 are listed"]),
  ]

  @Test(arguments: eventFaults) func aFaultOfAnEventModelIsNamed(fault: Fault) throws {
    let text = Self.events.replacingOccurrences(of: fault.from, with: fault.to)
    #expect(text != Self.events)
    let error = try #require(throws: ModelFileError.self) { try read(text) }
    for word in fault.says { #expect(error.description.contains(word), "\(error)") }
  }

  @Test func theNormalFormSaysHowItsBiasIsMade() throws {
    let text = Self.relations.replacingOccurrences(
      of: "bert4keras\"", with: "weft\", \"bias_scale\": 1, \"bias_input\": \"hidden\"")
    let dialect = try read(text).spanHead.dialect
    #expect(dialect.name == "weft" && dialect.biasScale == 1 && dialect.biasInput == .hidden)
    let usual = try read(Self.relations.replacingOccurrences(of: "bert4keras", with: "weft")).spanHead.dialect
    #expect(usual == .normal && usual.biasScale == 0.5 && usual.biasInput == .projection)
  }

  @Test func twoDescriptionsAreOneTooMany() throws {
    let scratch = try Scratch()
    try scratch.write("gplinker.json", Self.relations)
    try scratch.write("globalpointer.json", "{}")
    let error = try #require(throws: ModelFileError.self) { try ModelDescription(directory: scratch.path) }
    for word in ["globalpointer.json", "gplinker.json", "one of them"] { #expect(error.description.contains(word)) }
  }

  /// Three heads, of which one was made for another number of labels or predicates.
  @Test(arguments: ["entity", "heads", "tails"])
  func aHeadOfAnotherSizeIsNamed(odd: String) throws {
    let scratch = try Scratch()
    try scratch.write("gplinker.json", Self.relations)
    var file = SafetensorsWriter()
    for (name, types) in [("entity", 2), ("heads", 3), ("tails", 3)] {
      let outputs = 2 * (name == odd ? types + 1 : types)
      file.add("\(name).d1.weight", floats: .init(repeating: 0, count: 16 * 12), shape: [16, 12])
      file.add("\(name).d1.bias", floats: .init(repeating: 0, count: 16), shape: [16])
      file.add("\(name).d2.weight", floats: .init(repeating: 0, count: outputs * 16), shape: [outputs, 16])
      file.add("\(name).d2.bias", floats: .init(repeating: 0, count: outputs), shape: [outputs])
    }
    try file.write(to: scratch.file("model.safetensors"))
    let description = try ModelDescription(directory: scratch.path)
    let checkpoint = try Checkpoint(directory: scratch.path)
    let links = try #require(description.linkHeads)
    let heads = [("entity", description.spanHead), ("heads", links.head), ("tails", links.tail)]
    for (name, head) in heads where name != odd {
      #expect(try head.parameters(from: checkpoint, hiddenSize: 12).shape.types == head.shape.types)
    }
    let wrong = try #require(heads.first { $0.0 == odd }).1
    let error = try #require(throws: ModelFileError.self) { try wrong.parameters(from: checkpoint, hiddenSize: 12) }
    let (field, listed) = odd == "entity" ? ("labels", 2) : ("links", 3)
    for word in ["gplinker.json", "'\(field)'", "\(listed) \(field)", "\(odd).d2.bias", "has \(listed + 1)"] {
      #expect(error.description.contains(word), "\(error)")
    }
  }

  @Test(.enabled(if: Places.hasShared("models/conll04-relations", "models/duee-events"), "needs ../shared"))
  func theSharedModelsAreRead() throws {
    for (name, task, labels, links) in [
      ("conll04-relations", ModelTask.relations, 2, 5), ("duee-events", .events, 33, 1),
    ] {
      let directory = Places.inShared("models/\(name)")
      let description = try ModelDescription(directory: directory)
      #expect(description.task == task)
      let width = try BertConfiguration(directory: directory).hiddenSize
      let checkpoint = try Checkpoint(directory: directory)
      #expect(try description.spanHead.parameters(from: checkpoint, hiddenSize: width).shape.types == labels)
      let heads = try #require(description.linkHeads)
      #expect(try heads.head.parameters(from: checkpoint, hiddenSize: width).shape.types == links)
      #expect(try heads.tail.parameters(from: checkpoint, hiddenSize: width).shape.types == links)
    }
  }
}
