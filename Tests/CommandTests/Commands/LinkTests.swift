import Foundation
import Testing

/// `weft extract`, `evaluate` and `show` with models of relations and events.
@Suite struct LinkTests {
  private static let texts = [
    "mr. reed left.", "a reed left a mr.", "left reeds. mr. a reed left a mr reed.", "", "mr",
  ]
  private static let input = texts.enumerated().map { #"{"id": "t\#($0)", "text": "\#($1)"}"# }.joined(separator: "\n")

  private let relations: TemporaryFolder
  private let events: TemporaryFolder

  init() throws {
    (relations, events) = (try TemporaryFolder(), try TemporaryFolder())
    try SmallModel.relations.write(into: relations)
    try SmallModel.events.write(into: events)
  }

  private func directory(_ model: String) -> String { model == "relations" ? relations.path : events.path }

  private func extract(_ model: String, _ arguments: String...) async throws -> CommandRun {
    try await Weft.run(
      ["extract", "--device", "cpu", "--model", directory(model)] + arguments, input: Self.input)
  }

  private func evaluate(_ model: String, _ gold: String, _ arguments: String...) async throws -> CommandRun {
    try await Weft.run(
      ["evaluate", "--device", "cpu", "--model", directory(model)] + arguments + ["-"], input: gold)
  }

  @Test func relationsHaveTheirMembers() async throws {
    let run = try await extract("relations")
    #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
    let lines = try run.objects()
    #expect(lines.count == Self.texts.count)
    var count = 0
    for (line, text) in zip(lines, Self.texts) {
      #expect(line.names == ["id", "text", "relations"])
      for relation in try line.objects("relations") {
        count += 1
        #expect(relation.names == ["subject", "predicate", "object", "score"])
        #expect(["knows", "left"].contains(try relation.string("predicate")))
        #expect(try relation.number("score") > 0)
        for (end, label) in [("subject", "subject"), ("object", "object")] {
          let span = try relation.object(end)
          #expect(span.names == ["start", "end", "label", "text", "score", "probability"])
          #expect(try span.string("label") == label)
          let range = try span.integer("start")..<span.integer("end")
          #expect(try String(Array(text)[range]) == span.string("text"))
        }
      }
    }
    #expect(count > 3)
  }

  @Test func eventsHaveTheirMembers() async throws {
    let run = try await extract("events", "--without-trigger")
    #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
    var types: Set<String> = []
    for (line, text) in zip(try run.objects(), Self.texts) {
      #expect(line.names == ["id", "text", "events"])
      for event in try line.objects("events") {
        #expect(event.names == ["type", "arguments"])
        types.insert(try event.string("type"))
        for argument in try event.objects("arguments") {
          #expect(argument.names == ["role", "start", "end", "text", "score", "probability"])
          let range = try argument.integer("start")..<argument.integer("end")
          #expect(try String(Array(text)[range]) == argument.string("text"))
        }
      }
    }
    #expect(!types.isEmpty && types.isSubset(of: ["A", "B"]))
    // The usual way is to leave out what has no trigger.
    let usual = try await extract("events")
    for event in try usual.objects().flatMap({ try $0.objects("events") }) {
      #expect(try event.objects("arguments").contains { try $0.string("role") == "trigger" })
    }
  }

  @Test(arguments: ["relations", "events"])
  func bytesDoNotDependOnTheBatch(model: String) async throws {
    let threshold = ["--threshold", "-0.2"]
    let usual = try await extract(model, "--threshold", "-0.2")
    #expect(usual.status == 0 && usual.output.count > 1000)
    for tokens in ["1", "7", "100000"] {
      #expect(try await extract(model, "--threshold", "-0.2", "--batch-tokens", tokens).output == usual.output)
    }
    guard Places.hasDevice else { return }
    var outputs: Set<Data> = []
    for tokens in ["1", "7", "100000"] {
      let run = try await Weft.run(
        ["extract", "--device", "opencl", "--model", directory(model), "--batch-tokens", tokens] + threshold,
        input: Self.input)
      #expect(run.status == 0)
      outputs.insert(run.output)
    }
    #expect(outputs.count == 1)
  }

  /// A model that finds everything everywhere is cut short, and says so.
  @Test(arguments: ["relations", "events"])
  func tooMuchIsSaid(model: String) async throws {
    let run = try await extract(model, "--threshold", "-1000", "--max-spans", "3")
    #expect(run.status == 0 && run.errorText.contains("\"truncated\": true"))
    let truncated = try run.objects().filter { $0.names.contains("truncated") }
    #expect(!truncated.isEmpty && truncated.count < Self.texts.count)
    for line in truncated { #expect(try !line.string("text").isEmpty) }
    let whole = try await extract(model, "--threshold", "-0.2")
    #expect(whole.errorText.isEmpty && !whole.text.contains("truncated"))
  }

  @Test(arguments: ["relations", "events"])
  func ownAnswersAreAllRight(model: String) async throws {
    let answers = try await extract(model, "--without-trigger")
    let run = try await evaluate(model, answers.text, "--json")
    #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
    let report = try run.object()
    let names = model == "relations" ? ["micro", "predicates"] : ["events", "arguments", "words", "types"]
    #expect(report.names == Set(names))
    for name in names.dropLast() {
      let counts = try report.object(name)
      #expect(try counts.integer("predicted") == counts.integer("gold") || model == "events")
      if name == "micro" || name == "arguments" { #expect(try counts.number("f1") == 1) }
    }
    let table = try await evaluate(model, answers.text)
    #expect(table.status == 0 && table.lines.count > names.count)
  }

  /// The data set's own word for relations.
  @Test func goldMayBeTriples() async throws {
    let gold = #"""
      {"text": "mr left", "triples": [{"subject": {"start": 0, "end": 2, "label": "x"}, "predicate": "p", "object": {"start": 3, "end": 7}}]}
      {"text": "mr left", "triples": [{"subject": {"start": 0, "end": 12}, "predicate": "p", "object": {"start": 3, "end": 7}}]}
      {"text": "mr left", "triples": [{"subject": 3}]}
      {"text": "mr left"}
      """#
    let run = try await evaluate("relations", gold, "--threshold", "1000", "--json")
    #expect(run.status == 3)
    #expect(try run.object().object("micro").integer("gold") == 1)
    #expect(run.complaints.count == 3)
    for (line, words) in zip(
      run.complaints, ["0 to 12", "\"triples\" is not a list", "no \"relations\" or \"triples\""])
    {
      #expect(line.contains(words), "\(line)")
    }
  }

  @Test func resultsCanBeShown() async throws {
    let relations = try await extract("relations")
    let run = try await Weft.run("show", "-", input: relations.text)
    #expect(run.status == 0 && (run.text.contains("──knows──▶") || run.text.contains("──left──▶")), "\(run.text)")
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let words: [String]
    let change: @Sendable (inout SmallModel) -> Void

    init(_ name: String, _ words: String..., change: @escaping @Sendable (inout SmallModel) -> Void) {
      (testDescription, self.words, self.change) = (name, words, change)
    }
  }

  static let faults = [
    Fault("a predicate twice", "links", "knows", "twice") {
      $0.replace("\"left\"", with: "\"knows\"", in: "gplinker.json")
    },
    Fault("predicates more than scored", "links", "3", "head_output.dense2.bias") {
      $0.replace("\"left\"", with: "\"left\", \"met\"", in: "gplinker.json")
    },
    Fault("tails of another count", "links", "2", "tail_output.dense2.bias") {
      $0.tensors["tail_output.dense2.bias"] = SmallModel.Tensor([6])
      $0.tensors["tail_output.dense2.weight"] = SmallModel.Tensor([6, 8])
    },
    Fault("no tails", "tail_output.dense1.weight") { $0.tensors["tail_output.dense1.weight"] = nil },
    Fault("two descriptions", "globalpointer.json", "gplinker.json") {
      $0.files["globalpointer.json"] = SmallModel().files["globalpointer.json"] ?? nil
    },
  ]

  @Test(arguments: faults)
  func brokenModelsAreNamed(fault: Fault) async throws {
    var model = SmallModel.relations
    fault.change(&model)
    let broken = try TemporaryFolder()
    try model.write(into: broken)
    let run = try await Weft.run(["extract", "--device", "cpu", "--model", broken.path], input: Self.input)
    #expect(run.status == 1 && run.output.isEmpty && run.complaints.count == 1, "\(run.errorText)")
    for word in fault.words { #expect(run.errorText.contains(word), "\(run.errorText)") }
  }
}

extension SmallModel {
  /// Relations between two kinds of spans, by two predicates.
  static var relations: SmallModel {
    linked(
      "relations", labels: ["subject", "object"], links: ["knows", "left"], head: "entity_output",
      flags: #""rope": {"labels": true, "links": false}, "triangular": {"labels": true, "links": false}"#)
  }

  /// Events of two types.
  static var events: SmallModel {
    linked(
      "events", labels: ["A/trigger", "A/who", "B/trigger", "B/what"], links: ["link"], head: "argument_output",
      flags: #""rope": {"labels": true, "links": false}, "triangular": {"labels": true, "links": true}"#)
  }

  private static func linked(
    _ task: String, labels: [String], links: [String], head: String, flags: String
  ) -> SmallModel {
    var model = SmallModel()
    func list(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }
    model.files["globalpointer.json"] = .some(nil)
    model.files["gplinker.json"] = """
      {"task": "\(task)", "labels": [\(list(labels))], "links": [\(list(links))],
       "head": {"kind": "efficient", "dialect": "bert4keras", "head_size": 4},
       "tensors": {"labels": "\(head)", "head": "head_output", "tail": "tail_output", "parts": ["dense1", "dense2"]},
       \(flags), "encoder_prefix": "bert."}
      """
    for name in ["p_dense", "q_dense"] {
      model.tensors[name + ".weight"] = nil
      model.tensors[name + ".bias"] = nil
    }
    for (module, types) in [(head, labels.count), ("head_output", links.count), ("tail_output", links.count)] {
      model.tensors[module + ".dense1.weight"] = Tensor([8, 8])
      model.tensors[module + ".dense1.bias"] = Tensor([8])
      model.tensors[module + ".dense2.weight"] = Tensor([2 * types, 8])
      // So that some spans and links are found, and others are not.
      model.tensors[module + ".dense2.bias"] = Tensor([2 * types], value: 0.25)
    }
    return model
  }
}
