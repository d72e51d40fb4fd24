import ArgumentParser
import Foundation

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show entities, relations and events in their texts, for people to read.",
    usage: "weft show [<options>] [<input> ...]",
    discussion: """
      Reads what 'weft extract' writes, or true answers, as JSON lines with a "text" and any of "entities", \
      "relations" (or "triples") and "events". Draws them in the terminal, or writes one HTML page that needs \
      nothing else:

        weft extract --lines book.txt | weft show
        weft show relations.jsonl --html relations.html

      A line that cannot be used is named in its place, the run goes on, and the exit status is 3.
      """)

  @Option(
    help: ArgumentHelp(
      "Write a page for the browser here instead; appears when it is complete.", valueName: "file.html"))
  var html: String?

  @Option(help: ArgumentHelp("Show no more documents than this.", valueName: "n"))
  var limit: Int?

  @Option(help: "Show nothing but these, and only documents that have some.")
  var only: ShowSelection.Findings?

  @Option(
    parsing: .unconditional,  // or a negative number would be read as an option
    help: ArgumentHelp("Leave out what has a score below this. What has no score stays.", valueName: "score"))
  var minScore: Double?

  @Option(
    help: "What \"start\" and \"end\" count: Unicode code points (Python), UTF-16 units (JavaScript, Java), or bytes.")
  var offsets: OffsetUnit = .codepoint

  @Argument(help: ArgumentHelp("Files to read; '-' or none is standard input.", valueName: "input"))
  var input: [String] = []

  func validate() throws {
    try OutputName.check(html, "--html", isA: "html")
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    if let minScore, minScore.isNaN { throw ValidationError("--min-score must be a number") }
  }

  func run() throws {
    noteIfTyping(input, #"{"text": "…", "entities": […]}"#)
    let reader = try LineReader(paths: input)
    let selection = ShowSelection(only: only, minimumScore: minScore)
    var run = ShowRun(reader: reader, offsets: offsets, selection: selection, limit: limit)
    let file = try OutputFile(path: html)
    do {
      if html == nil { try render(&run, to: file) } else { try writePage(&run, to: file) }
      try file.commit()
    } catch OutputError.readerLeft {
      // `less` was left, or `head` has seen enough.
      return
    }
    for message in run.closingNotes { note("weft: " + message) }
    let status = ExitStatus(failedLines: run.failedCount)
    if status != .success { throw ExitCode(status.rawValue) }
  }

  private func render(_ run: inout ShowRun, to file: OutputFile) throws {
    var renderer = DocumentRenderer(terminal: Terminal(describing: STDOUT_FILENO), isCut: file.isTerminal)
    while let entries = try run.next() {
      for entry in entries {
        switch entry {
        case .document(let document): try file.write(renderer.render(document).utf8)
        case .failure(let line, let message):
          try file.write(renderer.renderFailure(line: line, message: message).utf8)
        }
      }
      try file.flush()
    }
    try file.write(renderer.legend().utf8)
  }

  private func writePage(_ run: inout ShowRun, to file: OutputFile) throws {
    let bar = ProgressBar.onStandardError(title: "show", total: limit ?? LineCount.count(in: input, blankLines: .skip))
    defer { bar?.clear() }
    var page = Page()
    var writer = HTMLWriter()
    page.begin(title: input.isEmpty || input == ["-"] ? "Weft" : input.joined(separator: ", "), to: &writer)
    while let entries = try run.next() {
      for entry in entries {
        switch entry {
        case .document(let document): page.write(document, to: &writer)
        case .failure(let line, let message): page.writeFailure(line: line, message: message, to: &writer)
        }
        try file.write(writer.bytes)
        writer.removeAll()
        bar?.advance(tokens: 0)
      }
    }
    page.end(to: &writer)
    try file.write(writer.bytes)
    if let summary = bar?.finish() { note(summary) }
  }
}

extension ShowSelection.Findings: ExpressibleByArgument {}
