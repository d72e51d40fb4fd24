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
  @OptionGroup var extraction: ExtractionOptions

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @Argument(help: ArgumentHelp("JSON lines with what is true; '-' is standard input.", valueName: "gold.jsonl"))
  var gold: String

  func run() async throws {
    let reader = try LineReader(paths: [gold])
    let engine = try await device.engine()
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
    let report = EvaluationReport(evaluation)
    print(json ? report.json : report.table(on: Terminal(describing: STDOUT_FILENO)), terminator: "")
    let status = ExitStatus(failedLines: failed)
    if status != .success { throw ExitCode(status.rawValue) }
  }
}
