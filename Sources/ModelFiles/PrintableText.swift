// Names, paths and contents of files may hold anything. What is shown of them must not move the cursor, hide text, begin a
// line or turn its direction.

extension Unicode.Scalar {
  /// Whether it changes how the text around it is shown: control characters, ends of lines and paragraphs, and marks of
  /// direction.
  package var isControl: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C: true
    default: false
    }
  }
}

extension String {
  /// The text on one line, with an escape such as `\n` or `\u{1B}` for each control character.
  package var printable: String { escaping { $0.isControl } }

  /// The same with its line breaks.
  package var printableLines: String { escaping { $0.isControl && $0 != "\n" } }

  /// The same with line breaks, tabulators and the codes for colours and weight, `ESC [ … m`, which move nothing.
  package var printableStyledLines: String {
    var text = ""
    var rest = unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == "\u{1B}", rest.first == "[",
        let end = rest.dropFirst().firstIndex(where: { !("0"..."9").contains($0) && $0 != ";" }), rest[end] == "m"
      {
        text.unicodeScalars.append(scalar)
        text.unicodeScalars.append(contentsOf: rest[...end])
        rest = rest[rest.index(after: end)...]
      } else if scalar.isControl, scalar != "\n", scalar != "\t" {
        text += scalar.escaped(asASCII: true)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  private func escaping(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if isEscaped(scalar) {
        text += scalar.escaped(asASCII: true)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }

  /// The text in single quotes, on one line and cut to a readable length.
  package var quoted: String {
    let limit = 120
    let end = unicodeScalars.index(unicodeScalars.startIndex, offsetBy: limit, limitedBy: unicodeScalars.endIndex)
    guard let end, end < unicodeScalars.endIndex else { return "'\(printable)'" }
    return "'\(String(unicodeScalars[..<end]).printable)…'"
  }
}
