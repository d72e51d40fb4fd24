import ModelFiles
import Testing

/// What of a name or a file reaches a terminal.
@Suite struct PrintableTextTests {
  @Test func controlCharactersAreEscaped() {
    #expect("a\u{1B}[2Jb\nc\td\u{7F}\u{9B}e".printable == #"a\u{1B}[2Jb\nc\td\u{7F}\u{009B}e"#)
    #expect("\u{202E}\u{2066}\u{200F}\u{2028}\u{2029}".printable == #"\u{202E}\u{2066}\u{200F}\u{2028}\u{2029}"#)
    #expect("Zürich 東京 👨‍👩‍👧 a\\n".printable == "Zürich 東京 👨‍👩‍👧 a\\n", "what is harmless stays")
    #expect("\r\n".printable == #"\r\n"#, "one character of two scalars")
    #expect("a\nb\u{1B}c".printableLines == "a\nb\\u{1B}c")
  }

  @Test func coloursStayInReports() {
    let text = "\u{1B}[1;38;5;37mbold\u{1B}[0m\tx\n"
    #expect(text.printableStyledLines == text)
    #expect(
      "\u{1B}[2J\u{1B}[31\u{1B}]0;t\u{7}\u{1B}".printableStyledLines == #"\u{1B}[2J\u{1B}[31\u{1B}]0;t\u{07}\u{1B}"#)
  }

  @Test func quotedTextsAreOneShortLine() {
    #expect("a'\n".quoted == #"'a'\n'"#)
    #expect(String(repeating: "x", count: 121).quoted == "'" + String(repeating: "x", count: 120) + "…'")
    #expect(String(repeating: "x", count: 120).quoted == "'" + String(repeating: "x", count: 120) + "'")
  }

  @Test func errorsAreOneLine() {
    let error = ModelFileError(file: "a\n\u{1B}b", subject: "field 'c\r'", problem: "is \u{202E}d")
    #expect(error.description == #"a\n\u{1B}b: field 'c\r': is \u{202E}d"#)
    #expect(error.file == "a\n\u{1B}b", "the parts are as they were")
  }
}
