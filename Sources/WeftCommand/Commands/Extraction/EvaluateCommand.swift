import ArgumentParser
import Foundation
import TokenPairs
import Weft

struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Compare a model with texts whose entities, relations or events are known.",
    usage: "weft evaluate [<options>] <gold.jsonl>",
    discussion: """
      Each line of the file has a "text" and what is true of it, in code points, end-exclusive:

        "entities": [{"start", "end", "label"}]
        "relations" (or "triples"): [{"subject": {"start", "end"}, "predicate", "object": {"start", "end"}}]
        "events": [{"type", "arguments": [{"role", "start", "end"}]}], each argument with "aliases" if it has any

      An entity counts as found if start, end and label agree; a relation if both places and the predicate do. An event \
      counts if its type and the role and place of every argument do, the trigger among them; below that its arguments \
      count as (type, role, text), and in part, character by character, as DuEE does ("words").
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions
  @OptionGroup var extraction: ExtractionOptions

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @Argument(help: ArgumentHelp("JSON lines with what is true; '-' is standard input.", valueName: "gold.jsonl"))
  var gold: String

  func run() async throws {
    let reader = try LineReader(paths: [gold])
    let engine = precision.applied(to: try await device.engine())
    var options = extraction.options
    // The event level leaves out what has no trigger; the arguments of such events count below it.
    options.requiresTrigger = false
    let extractor = try await Extractor(model: try model.directory(), on: engine, options: options)
    let bar = ProgressBar.onStandardError(
      title: "evaluate", total: LineCount.count(in: [gold], blankLines: .skip))
    defer { bar?.clear() }

    var evaluation = Evaluation(extractor.task)
    var failed = 0
    var truncated = 0
    var isEmpty = true
    let run = DocumentRun(extractor: extractor, lines: AsyncInputLines(reader), arePlain: false)
    try await run.forEach { finished in
      isEmpty = false
      if finished.document?.isTruncated == true { truncated += 1 }
      do {
        let line = try finished.line.get()
        if let document = finished.document {
          evaluation.add(document, gold: try GoldLine(line).gold(of: extractor.task))
        }
      } catch {
        failed += 1
        let message = (error as? LineFailure)?.message ?? "\(error)"
        bar?.clear()
        note("weft: \(gold):\(finished.number): \(message)")
      }
      bar?.advance(tokens: finished.document?.tokenCount ?? 0)
    }
    guard !isEmpty else { throw InputError(path: gold, reason: "there is no line to compare with") }
    if let summary = bar?.finish() { note(summary) }
    if truncated > 0 {
      note("weft: \(truncated) \(truncated == 1 ? "text" : "texts") had more spans or links than are looked at")
    }
    try EvaluationReport(evaluation).show(json: json)
    let status = ExitStatus(failedLines: failed)
    if status != .success { throw ExitCode(status.rawValue) }
  }
}

/// What `weft evaluate` tells.
struct EvaluationReport: Report {
  /// A row of numbers.
  private struct Row: Encodable {
    let name: String
    let shares: [(name: String, value: Double)]
    let counts: [(name: String, value: Int)]

    init(_ name: String, _ counts: MatchCounts) {
      self.name = name
      shares = [("precision", counts.precision), ("recall", counts.recall), ("f1", counts.f1)]
      self.counts = [("predicted", counts.predicted), ("gold", counts.gold), ("correct", counts.correct)]
    }

    init(_ name: String, _ words: WordLevelScore) {
      self.name = name
      shares = [("precision", words.precision), ("recall", words.recall), ("f1", words.f1), ("score", words.sum)]
      counts = [("predicted", words.predicted), ("gold", words.gold)]
    }

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: FieldName.self)
      for (name, value) in shares { try fields.encode(value, forKey: FieldName(name)) }
      for (name, value) in counts { try fields.encode(value, forKey: FieldName(name)) }
    }
  }

  /// What the details are of: a label, a predicate, an event type.
  private let noun: String
  private let details: [Row]
  private let totals: [Row]

  init(_ evaluation: Evaluation) {
    func rows(_ counts: [String: MatchCounts]) -> [Row] { counts.sorted { $0.key < $1.key }.map { Row($0, $1) } }
    switch evaluation {
    case .entities(let metrics):
      (noun, details, totals) = ("label", rows(metrics.perLabel), [Row("micro", metrics.micro)])
    case .relations(let metrics):
      (noun, details, totals) = ("predicate", rows(metrics.perPredicate), [Row("micro", metrics.micro)])
    case .events(let metrics):
      (noun, details) = ("type", rows(metrics.eventsPerType))
      totals = [Row("events", metrics.events), Row("arguments", metrics.arguments), Row("words", metrics.words)]
    }
  }

  /// Rows under a heading, the totals below a rule.
  func text(on terminal: Terminal) -> String {
    var table = TextTable([
      .text(noun), .number("precision"), .number("recall"), .number("F1"), .number("predicted"), .number("gold"),
      .number("correct"),
    ])
    func cells(_ row: Row) -> [String] {
      let counts = row.counts.map { "\($0.value)" }
      // The word level's sum is no whole number of items.
      let sum = row.shares.dropFirst(3).map { String(format: "%.1f", $0.value) }
      return [row.name] + row.shares.prefix(3).map { String(format: "%.4f", $0.value) } + counts + sum
    }
    for row in details { table.addRow(cells(row)) }
    table.addRule()
    for row in totals { table.addRow(cells(row)) }
    return table.render(on: terminal)
  }

  /// One object: the totals by name, then the details under the plural of what they are.
  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    for row in totals { try fields.encode(row, forKey: FieldName(row.name)) }
    var object = fields.nestedContainer(keyedBy: FieldName.self, forKey: FieldName(noun + "s"))
    for row in details { try object.encode(row, forKey: FieldName(row.name)) }
  }
}
