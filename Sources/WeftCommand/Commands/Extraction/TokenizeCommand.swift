import ArgumentParser
import Foundation
import ModelFiles
import Weft

struct TokenizeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Show the tokens that a model sees.",
    discussion: """
      Reads JSON lines with a "text" field and writes {"ids": […], "offsets": [[start, end], …], "tokens": […]} for \
      each: offsets in code points of the text, [0, 0] for the marks at both ends.
      """)

  @OptionGroup var model: ModelOptions

  @Argument(help: ArgumentHelp("Files to read; '-' or none is standard input.", valueName: "input"))
  var input: [String] = []

  func run() async throws {
    noteIfTyping(input, #"{"text": "…"}"#)
    let reader = try LineReader(paths: input)
    let tokenizer = try WordPieceTokenizer(directory: try model.directory())
    let file = try OutputFile(path: nil)
    var failed = 0
    var writer = JSONWriter()
    do {
      for try await input in AsyncInputLines(reader) {
        writer.removeAll()
        do {
          let line = try JSONLine(try input.content.get())
          write(tokenizer.encode(line.text), tokenizer, to: &writer)
        } catch {
          failed += 1
          OutputRecord.writeFailure(line: input.number, message: "\(error)", to: &writer)
        }
        try file.write(writer.bytes)
      }
      try file.commit()
    } catch OutputError.readerLeft { return }
    if failed > 0 { note("weft: \(failed) \(failed == 1 ? "line" : "lines") could not be used") }
    let status = ExitStatus(failedLines: failed)
    if status != .success { throw ExitCode(status.rawValue) }
  }

  private func write(_ encoding: Encoding, _ tokenizer: WordPieceTokenizer, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("ids")
    writer.beginArray()
    for id in encoding.ids { writer.integer(id) }
    writer.endArray()
    writer.name("offsets")
    writer.beginArray()
    for range in encoding.offsets {
      writer.beginArray()
      writer.integer(range.lowerBound)
      writer.integer(range.upperBound)
      writer.endArray()
    }
    writer.endArray()
    writer.name("tokens")
    writer.beginArray()
    for id in encoding.ids { writer.string(tokenizer.token(for: id) ?? "") }
    writer.endArray()
    writer.endObject()
    writer.newline()
  }
}
