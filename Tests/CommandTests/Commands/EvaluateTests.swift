import Foundation
import Testing

/// `weft evaluate` against gold whose result is known beforehand.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct EvaluateTests {
  private struct Entity: Hashable {
    let line: Int
    let label: String
  }

  /// The model's own answers, as lines of gold.
  private func answers() async throws -> [JSONObject] {
    try await Weft.run("extract", input: Samples.jsonLines(Samples.sentences)).objects()
  }

  private func gold(_ lines: [(text: String, entities: [JSONObject])]) throws -> String {
    try lines.map { line in
      let entities = line.entities.map {
        $0.members.filter { ["start", "end", "label"].contains($0.key) }
      }
      let object: [String: Any] = ["text": line.text, "entities": entities]
      return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }.joined(separator: "\n")
  }

  @Test func ownAnswersAreAllRight() async throws {
    let lines = try await answers()
    let gold = try gold(lines.map { (try $0.string("text"), try $0.objects("entities")) })
    let run = try await Weft.run("evaluate", "--json", "-", input: gold)
    #expect(run.status == 0 && run.errorText.isEmpty)
    let report = try run.object()
    #expect(report.names == ["micro", "labels"])
    let count = try lines.reduce(0) { try $0 + $1.objects("entities").count }
    let micro = try report.object("micro")
    #expect(micro.names == ["precision", "recall", "f1", "predicted", "gold", "correct"])
    for name in ["precision", "recall", "f1"] { #expect(try micro.number(name) == 1) }
    for name in ["predicted", "gold", "correct"] { #expect(try micro.integer(name) == count) }
    let labels = try report.object("labels")
    let found = Set(try lines.flatMap { try $0.objects("entities").map { try $0.string("label") } })
    #expect(labels.names == found && found.count > 1)
    for label in found { #expect(try labels.object(label).number("f1") == 1) }
  }

  /// Two gold entities the model does not find, one that it finds and that is not gold, and one
  /// with another label.
  @Test func countsAreThoseComputedByHand() async throws {
    let lines = try await answers()
    var wanted = try lines.map { (text: try $0.string("text"), entities: try $0.objects("entities")) }
    let found = wanted.reduce(0) { $0 + $1.entities.count }
    let people = try wanted.flatMap(\.entities).filter { try $0.string("label") == "PER" }.count
    try #require(wanted[0].entities.count > 1)
    #expect(try wanted[0].entities[0].string("label") == "PER")
    wanted[0].entities.removeFirst()
    wanted[2].entities.append(try JSONObject(#"{"start": 0, "end": 2, "label": "PER"}"#))
    wanted[2].entities.append(try JSONObject(#"{"start": 3, "end": 9, "label": "MISC"}"#))
    // The same entity twice is one.
    wanted[2].entities.append(try JSONObject(#"{"start": 3, "end": 9, "label": "MISC"}"#))

    let run = try await Weft.run("evaluate", "--json", "-", input: try gold(wanted))
    #expect(run.status == 0)
    let micro = try run.object().object("micro")
    #expect(try micro.integer("predicted") == found)
    #expect(try micro.integer("gold") == found + 1)
    #expect(try micro.integer("correct") == found - 1)
    #expect(abs(try micro.number("precision") - Double(found - 1) / Double(found)) < 1e-12)
    #expect(abs(try micro.number("recall") - Double(found - 1) / Double(found + 1)) < 1e-12)
    #expect(abs(try micro.number("f1") - 2 * Double(found - 1) / Double(2 * found + 1)) < 1e-12)
    let labels = try run.object().object("labels")
    #expect(try labels.object("PER").integer("correct") == people - 1)
    #expect(try labels.object("PER").integer("gold") == people)
    let other = try labels.object("MISC")
    #expect(try other.integer("gold") == 1 && other.integer("predicted") == 0)
    #expect(try other.number("f1") == 0 && other.number("precision") == 0)
  }

  @Test func tableHasALineForEachLabelAndTheSum() async throws {
    let gold = #"{"text":"It rained.","entities":[{"start":0,"end":2,"label":"PER"}]}"#
    let run = try await Weft.run("evaluate", "-", input: gold)
    #expect(run.status == 0)
    let rows = run.lines.map { $0.split(separator: " ").map(String.init) }
    #expect(rows.first == ["label", "precision", "recall", "F1", "predicted", "gold", "correct"])
    #expect(rows.contains(["PER", "0.0000", "0.0000", "0.0000", "0", "1", "0"]))
    #expect(rows.last == ["micro", "0.0000", "0.0000", "0.0000", "0", "1", "0"])
  }

  @Test(arguments: [
    (#"{"text":"It rained."}"#, "no \"entities\""),
    (#"{"text":"It rained.","entities":{}}"#, "not a list"),
    (#"{"text":"It rained.","entities":[{"start":0,"end":2}]}"#, "not a list of"),
    (#"{"text":"It rained.","entities":[{"start":0,"end":11,"label":"PER"}]}"#, "from 0 to 11"),
    (#"{"text":"It rained.","entities":[{"start":2,"end":2,"label":"PER"}]}"#, "from 2 to 2"),
    (#"{"text":"It rained.","entities":[{"start":-1,"end":2,"label":"PER"}]}"#, "from -1 to 2"),
    (#"{"entities":[]}"#, "no \"text\""),
    ("It rained.", "malformed JSON"),
  ])
  func malformedGoldIsNamedAndLeftOut(line: String, problem: String) async throws {
    let good = #"{"text":"It rained.","entities":[{"start":0,"end":2,"label":"PER"}]}"#
    let folder = try TemporaryFolder()
    _ = try folder.file("gold.jsonl", "\(good)\n\(line)\n\(good)\n".utf8)
    let run = try await Weft.run(["evaluate", "--json", "gold.jsonl"], directory: folder.path)
    #expect(run.status == 3)
    #expect(run.complaints.count == 1)
    #expect(run.errorText.contains("gold.jsonl:2: ") && run.errorText.contains(problem))
    #expect(try run.object().object("micro").integer("gold") == 2)
  }
}
