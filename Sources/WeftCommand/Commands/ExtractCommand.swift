import ArgumentParser
import Foundation
import TokenPairs
import Weft

struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Find the entities in texts.",
    usage: "weft extract [<options>] [<input> ...]",
    discussion: """
      Reads JSON lines with a "text" field and writes the same lines, in the same order, with their "entities":

        {"text": "Mr. Reed left."}
        {"id": 1, "text": "Mr. Reed left.", "entities": [{"start": 0, "end": 8,
          "label": "PER", "text": "Mr. Reed", "score": 9.1, "probability": 1.0}]}

      All other fields are passed through as they are. A text of any length is read whole. A line that cannot be used \
      becomes {"line": N, "error": "…"}, the run goes on, and the exit status is 3.
      """)

  enum OffsetUnit: String, ExpressibleByArgument, CaseIterable {
    case codepoint, utf16, utf8
  }

  @OptionGroup var model: ModelOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var extraction: ExtractionOptions

  @Option(
    help: "What \"start\" and \"end\" count: Unicode code points (Python), UTF-16 units (JavaScript, Java), or bytes.")
  var offsets: OffsetUnit = .codepoint

  @Flag(help: "The input is plain text, one document a line, not JSON.")
  var lines = false

  @Option(
    help: ArgumentHelp("Write here instead of to standard output; appears when it is complete.", valueName: "file"))
  var output: String?

  @Argument(help: ArgumentHelp("Files to read; '-' or none is standard input.", valueName: "input"))
  var input: [String] = []

  func run() async throws {
    let blank: LineReader.BlankLines = lines ? .keep : .skip
    noteIfTyping(input, lines ? "text" : #"{"text": "…"}"#)
    let reader = try LineReader(paths: input, blankLines: blank)
    let directory = try model.directory()
    let engine = try await device.engine()
    let extractor = try await EntityExtractor(model: directory, on: engine, options: extraction.options)
    let file = try OutputFile(path: output)
    file.removeWhenInterrupted()
    // Where the results themselves scroll by, a bar would only be in their way.
    let bar =
      file.isTerminal
      ? nil
      : ProgressBar.onStandardError(title: "extract", total: LineCount.count(in: input, blankLines: blank))
    defer { bar?.clear() }

    var failed = 0
    var writer = JSONWriter()
    let documents = DocumentRun(extractor: extractor, lines: AsyncInputLines(reader), arePlain: lines)
    do {
      try await documents.forEach { finished in
        writer.removeAll()
        switch finished.line {
        case .success(let line):
          let entities = finished.document.map(records) ?? []
          OutputRecord.write(entities, of: line, number: finished.number, to: &writer)
        case .failure(let failure):
          failed += 1
          OutputRecord.writeFailure(line: finished.number, message: failure.message, to: &writer)
        }
        try file.write(writer.bytes)
        if finished.isCaughtUp { try file.flush() }
        bar?.advance(tokens: finished.document?.tokenCount ?? 0)
      }
      try file.commit()
    } catch OutputError.readerLeft {
      // `head` has seen enough.
      return
    }
    if let summary = bar?.finish() { note(summary) }
    if failed > 0 {
      note("weft: \(failed) \(failed == 1 ? "line" : "lines") could not be used; each has its error in the output")
    }
    let status = ExitStatus(failedLines: failed)
    if status != .success { throw ExitCode(status.rawValue) }
  }

  private func records(_ document: ExtractedDocument) -> [EntityRecord] {
    document.entities.map { entity in
      let range = range(of: entity, in: document.text)
      return EntityRecord(
        start: range.lowerBound, end: range.upperBound, label: entity.label, text: entity.text, score: entity.score,
        probability: entity.probability)
    }
  }

  private func range(of entity: Entity, in text: String) -> Range<Int> {
    func place(_ index: String.Index) -> Int {
      switch offsets {
      case .codepoint: text.unicodeScalars.distance(from: text.startIndex, to: index)
      case .utf16: text.utf16.distance(from: text.startIndex, to: index)
      case .utf8: text.utf8.distance(from: text.startIndex, to: index)
      }
    }
    guard offsets != .codepoint else { return entity.codePoints }
    return place(entity.range.lowerBound)..<place(entity.range.upperBound)
  }
}
