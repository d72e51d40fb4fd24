import ArgumentParser
import Foundation
import TokenPairs
import Weft

struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Find the entities, relations or events in texts.",
    usage: "weft extract [<options>] [<input> ...]",
    discussion: """
      Reads JSON lines with a "text" field and writes the same lines, in the same order, with their "entities":

        {"text": "Mr. Reed left."}
        {"id": 1, "text": "Mr. Reed left.", "entities": [{"start": 0, "end": 8,
          "label": "PER", "text": "Mr. Reed", "score": 9.1, "probability": 1.0}]}

      What is found depends on the model. One of relations gives

        "relations": [{"subject": {"start", "end", "label", "text", …}, "predicate", "object": {…}, "score"}]

      and one of events "events": [{"type", "arguments": [{"role", "start", "end", "text", "score", …}]}].

      All other fields are passed through as they are; one named as the result is replaced. A text of any length is read \
      whole. A line that cannot be used \
      becomes {"line": N, "error": "…"}, the run goes on, and the exit status is 3. 'weft show' makes the output \
      readable.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions
  @OptionGroup var extraction: ExtractionOptions
  @OptionGroup var timeline: TimelineOptions

  @Option(
    help: "What \"start\" and \"end\" count: Unicode code points (Python), UTF-16 units (JavaScript, Java), or bytes.")
  var offsets: OffsetUnit = .codepoint

  @Flag(help: "Keep events without a trigger too.")
  var withoutTrigger = false

  @Flag(help: "The input is plain text, one document a line, not JSON.")
  var lines = false

  @Option(
    help: ArgumentHelp("Write here instead of to standard output; appears when it is complete.", valueName: "file"))
  var output: String?

  @Flag(help: "Say what memory the model takes and how many windows of text travel together, and read nothing.")
  var dryRun = false

  @Argument(help: ArgumentHelp("Files to read; '-' or none is standard input.", valueName: "input"))
  var input: [String] = []

  func validate() throws {
    if dryRun, timeline.isWanted { throw ValidationError("--timeline is about a run: --dry-run has none") }
    try OutputName.checkDiffer(
      [("--output", output), ("--timeline", timeline.timeline)], inputs: input.map { ("the input", $0) })
  }

  func run() async throws {
    guard !dryRun else { return try await report() }
    let blank: LineReader.BlankLines = lines ? .keep : .skip
    noteIfTyping(input, lines ? "text" : #"{"text": "…"}"#)
    let reader = try LineReader(paths: input, blankLines: blank)
    let directory = try model.directory()
    let engine = precision.applied(to: try await device.engine(recordsTimeline: timeline.isWanted))
    try timeline.check(engine)
    var options = extraction.options
    options.requiresTrigger = !withoutTrigger
    let extractor = try await Extractor(model: directory, on: engine, options: options)
    let file = try OutputFile(path: output)
    // Where the results themselves scroll by, a bar would only be in their way.
    let bar =
      file.isTerminal
      ? nil
      : ProgressBar.onStandardError(title: "extract", total: LineCount.count(in: input, blankLines: blank))
    defer { bar?.clear() }

    var failed = 0
    var truncated = 0
    var writer = JSONWriter()
    let documents = DocumentRun(extractor: extractor, lines: AsyncInputLines(reader), arePlain: lines)
    do {
      try await documents.forEach { finished in
        writer.removeAll()
        switch finished.line {
        case .success(let line):
          guard let document = finished.document else { break }
          let result = ResultRecord(document, task: extractor.task, offsets: offsets)
          if document.isTruncated { truncated += 1 }
          OutputRecord.write(
            result, isTruncated: document.isTruncated, of: line, number: finished.number, to: &writer)
        case .failure(let failure):
          failed += 1
          OutputRecord.writeFailure(line: finished.number, message: failure.message, to: &writer)
        }
        try file.write(writer.bytes)
        if finished.isCaughtUp { try file.flush() }
        bar?.advance(tokens: finished.document?.tokenCount ?? 0)
      }
      try file.commit()
      try timeline.write(engine)
    } catch OutputError.readerLeft {
      // `head` has seen enough.
      return
    }
    if let summary = bar?.finish() { note(summary) }
    if failed > 0 {
      note("weft: \(failed) \(failed == 1 ? "line" : "lines") could not be used; each has its error in the output")
    }
    if truncated > 0 {
      note(
        "weft: \(truncated) \(truncated == 1 ? "text" : "texts") had more spans or links than are looked at, and \(truncated == 1 ? "has" : "have") \"truncated\": true in the output; a higher --threshold leaves fewer"
      )
    }
    let status = ExitStatus(failedLines: failed)
    if status != .success { throw ExitCode(status.rawValue) }
  }

  /// Says what the model takes, without loading it.
  private func report() async throws {
    let directory = try model.directory()
    let engine = precision.applied(to: try await device.engine())
    let plan = try ExtractionPlan(model: directory, options: extraction.options, on: engine)
    try printReport(ExtractionReport(plan: plan, device: engine.device).text)
  }
}

/// What `weft extract --dry-run` says.
struct ExtractionReport {
  let plan: ExtractionPlan
  let device: DeviceDescription

  /// The lines.
  var text: String {
    func count(_ count: Int, _ thing: String, _ things: String) -> String {
      "\(Quantity.grouped(count)) \(count == 1 ? thing : things)"
    }
    let links = plan.linkCount > 0 ? ", \(count(plan.linkCount, "link", "links"))" : ""
    let windows = plan.windows == 1 ? "one" : Quantity.grouped(plan.windows)
    let batches =
      plan.batches == 1 ? "a batch" : "\(plan.batches) batches at a time, each"
    return """
      model      \(plan.task.rawValue), \(count(plan.labelCount, "label", "labels"))\(links), \
      \(Quantity.grouped(plan.parameterCount)) parameters
      encoder    \(plan.family), \(count(plan.width, "channel", "channels")) wide
      windows    of up to \(count(plan.windowTokens, "token", "tokens")), \(windows) of that length in a batch of \
      \(count(plan.batchTokens, "token", "tokens"))
      memory     \(Self.mebibytes(plan.total)): weights \(Self.mebibytes(plan.weights)), \(batches) \
      \(Self.mebibytes(plan.batch)) (\(Self.mebibytes(plan.unshared)) if no values shared it); a window \
      \(Self.mebibytes(plan.window))
      device     \(device.name), \(Self.mebibytes(device.memoryBytes))

      """
  }

  private static func mebibytes(_ bytes: Int) -> String {
    let value = Double(bytes) / 1_048_576
    return String(format: value < 100 ? "%.1f MiB" : "%.0f MiB", value)
  }
}

extension OffsetUnit: ExpressibleByArgument {}
