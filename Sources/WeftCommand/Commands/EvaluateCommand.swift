import ArgumentParser
import Foundation
import TokenPairs
import Weft

struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Compare a model with texts whose entities are known.",
    usage: "weft evaluate [<options>] <gold.jsonl>",
    discussion: """
      Each line of the file has a "text" and its true "entities": [{"start", "end", "label"}], in code points, \
      end-exclusive. An entity counts as found if start, end and label agree.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var extraction: ExtractionOptions

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @Argument(help: ArgumentHelp("JSON lines with the true entities; '-' is standard input.", valueName: "gold.jsonl"))
  var gold: String

  func run() async throws {
    let reader = try LineReader(paths: [gold])
    let engine = try await device.engine()
    let extractor = try await Extractor(
      model: try model.directory(), on: engine, options: extraction.options)
    let bar = ProgressBar.onStandardError(
      title: "evaluate", total: LineCount.count(in: [gold], blankLines: .skip))
    defer { bar?.clear() }

    var metrics = EntityMetrics()
    var failed = 0
    let run = DocumentRun(extractor: extractor, lines: AsyncInputLines(reader), arePlain: false)
    try await run.forEach { finished in
      do {
        let line = try finished.line.get()
        let gold = try GoldEntities.read(line)
        let predicted = (finished.document?.entities ?? []).map { EntityKey(range: $0.codePoints, label: $0.label) }
        metrics.add(predicted: Set(predicted), gold: gold)
      } catch {
        failed += 1
        let message = (error as? LineFailure)?.message ?? "\(error)"
        bar?.clear()
        note("weft: \(gold):\(finished.number): \(message)")
      }
      bar?.advance(tokens: finished.document?.tokenCount ?? 0)
    }
    if let summary = bar?.finish() { note(summary) }
    print(json ? report(metrics) : table(metrics), terminator: "")
    let status = ExitStatus(failedLines: failed)
    if status != .success { throw ExitCode(status.rawValue) }
  }

  private func table(_ metrics: EntityMetrics) -> String {
    func cells(_ name: String, _ counts: MatchCounts) -> [String] {
      let shares = [counts.precision, counts.recall, counts.f1].map { String(format: "%.4f", $0) }
      return [name] + shares + ["\(counts.predicted)", "\(counts.gold)", "\(counts.correct)"]
    }
    var table = TextTable([
      .text("label"), .number("precision"), .number("recall"), .number("F1"), .number("predicted"), .number("gold"),
      .number("correct"),
    ])
    for (label, counts) in metrics.perLabel.sorted(by: { $0.key < $1.key }) { table.addRow(cells(label, counts)) }
    table.addRule()
    table.addRow(cells("micro", metrics.micro))
    return table.render(on: Terminal(describing: STDOUT_FILENO))
  }

  private func report(_ metrics: EntityMetrics) -> String {
    var writer = JSONWriter()
    func object(_ counts: MatchCounts) {
      writer.beginObject()
      for (name, value) in [("precision", counts.precision), ("recall", counts.recall), ("f1", counts.f1)] {
        writer.name(name)
        writer.number(value)
      }
      for (name, value) in [("predicted", counts.predicted), ("gold", counts.gold), ("correct", counts.correct)] {
        writer.name(name)
        writer.integer(value)
      }
      writer.endObject()
    }
    writer.beginObject()
    writer.name("micro")
    object(metrics.micro)
    writer.name("labels")
    writer.beginObject()
    for (label, counts) in metrics.perLabel.sorted(by: { $0.key < $1.key }) {
      writer.name(label)
      object(counts)
    }
    writer.endObject()
    writer.endObject()
    writer.newline()
    return writer.string
  }
}

/// The true entities of a line.
enum GoldEntities {
  private struct Entity: Decodable {
    let start: Int
    let end: Int
    let label: String
  }

  static func read(_ line: JSONLine) throws -> Set<EntityKey> {
    guard let raw = line.rawValue(named: "entities") else {
      throw LineFailure(message: "no \"entities\" member")
    }
    guard let entities = try? JSONDecoder().decode([Entity].self, from: Data(raw)) else {
      throw LineFailure(message: "\"entities\" is not a list of {\"start\", \"end\", \"label\"}")
    }
    let length = line.text.unicodeScalars.count
    return try Set(
      entities.map {
        guard 0 <= $0.start, $0.start < $0.end, $0.end <= length else {
          throw LineFailure(
            message: "an entity from \($0.start) to \($0.end) does not lie in a text of \(length) code points")
        }
        return EntityKey(range: $0.start..<$0.end, label: $0.label)
      })
  }
}
