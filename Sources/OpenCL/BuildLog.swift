/// A compiler's complaints, presented for reading.
struct BuildLog: CustomStringConvertible {
  let program: String
  let options: [String]
  let device: String
  /// What the compiler said.
  let log: String
  /// What it said it about.
  let source: String

  /// Most lines of source to quote: later ones follow from the first as a rule.
  private static let quoteLimit = 10

  /// Several lines: what was built and how, the log, and the lines of source that it names, as not
  /// every compiler quotes them.
  var description: String {
    var lines = [
      "program \(program) does not compile for \(device)",
      "  options: \(options.isEmpty ? "none" : options.joined(separator: " "))",
      "  log:",
    ]
    let complaints = log.split(whereSeparator: \.isNewline)
    lines += complaints.isEmpty ? ["    (empty)"] : complaints.map { "    \($0)" }
    let quotes = quotedLines
    if !quotes.isEmpty { lines.append("  source:") }
    lines += quotes.map { "    \($0.number): \($0.text)" }
    return lines.joined(separator: "\n")
  }

  /// The lines of source that the log's errors name, in order, without repetition.
  var quotedLines: [(number: Int, text: Substring)] {
    let lines = sourceLines
    var seen: Set<Int> = []
    var quotes: [(number: Int, text: Substring)] = []
    for complaint in log.split(whereSeparator: \.isNewline) {
      guard let number = Self.lineNumber(in: complaint), quotes.count < Self.quoteLimit,
        let at = lines.firstIndex(where: { line in
          line.number == number && line.file.map { complaint.contains("\($0):\(number)") } ?? true
        }), seen.insert(at).inserted
      else { continue }
      quotes.append((number, lines[at].text))
    }
    return quotes
  }

  /// The source's lines as the compiler counts them: a `#line` directive starts a file anew.
  private var sourceLines: [(file: Substring?, number: Int, text: Substring)] {
    var file: Substring?
    var number = 1
    var lines: [(file: Substring?, number: Int, text: Substring)] = []
    for text in source.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let words = text.split(separator: " ")
      if words.count == 3, words[0] == "#line", let next = Int(words[1]) {
        file = words[2].dropFirst().dropLast()
        number = next
      } else {
        lines.append((file, number, text))
        number += 1
      }
    }
    return lines
  }

  /// The line of an error in the form that nearly every compiler uses, `file:line:column: error: …`,
  /// with or without more before it.
  static func lineNumber(in complaint: Substring) -> Int? {
    guard complaint.contains("error") else { return nil }
    let parts = complaint.split(separator: ":", omittingEmptySubsequences: false)
    for (line, column) in zip(parts, parts.dropFirst()) {
      if let number = Int(line), number > 0, Int(column) != nil { return number }
    }
    return nil
  }
}
