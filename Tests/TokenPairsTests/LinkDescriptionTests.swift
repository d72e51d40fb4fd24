import Foundation
import ModelFiles
import Testing

@testable import TokenPairs

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
    #expect(spans.types == 2 && spans.rope && spans.triangular && spans.headSize == 8)
    #expect(spans.projectionName == "entity.d1" && spans.biasName == "entity.d2")
    let links = try #require(description.linkHeads)
    for (head, name) in [(links.head, "heads"), (links.tail, "tails")] {
      #expect(head.types == 3 && !head.rope && !head.triangular && head.kind == .efficient)
      #expect(head.projectionName == "\(name).d1" && head.biasName == "\(name).d2")
    }
  }

  @Test func aModelOfEventsIsRead() throws {
    let description = try read(Self.events)
    #expect(description.task == .events && description.links == ["link"])
    #expect(description.spanHead.types == 3 && description.spanHead.projectionName == "arguments.dense")
    let links = try #require(description.linkHeads)
    #expect(links.head.types == 1 && links.tail.biasName == nil)
    #expect(!description.spanHead.rope && links.head.rope && !links.head.triangular)

    let plain = try read(
      Self.events.replacingOccurrences(of: ",\n \"triangular\".*\\}\\}", with: "}", options: .regularExpression))
    let usual = try #require(plain.linkHeads)
    #expect(plain.spanHead.rope && plain.spanHead.triangular)
    #expect(!usual.head.rope && usual.head.triangular, "links of events: no rotation, a triangle")
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
      #expect(try head.parameters(from: checkpoint, hiddenSize: 12).types == head.types)
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
      #expect(try description.spanHead.parameters(from: checkpoint, hiddenSize: width).types == labels)
      let heads = try #require(description.linkHeads)
      #expect(try heads.head.parameters(from: checkpoint, hiddenSize: width).types == links)
      #expect(try heads.tail.parameters(from: checkpoint, hiddenSize: width).types == links)
    }
  }
}
