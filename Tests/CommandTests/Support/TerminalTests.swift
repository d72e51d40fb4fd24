import Testing

@testable import WeftCommand

@Suite struct TerminalTests {
  private func terminal(_ environment: [String: String], isTerminal: Bool = true) -> Terminal {
    Terminal(isTerminal: isTerminal, columns: 100, environment: environment)
  }

  @Test func coloursFollowTheTerminal() {
    #expect(terminal(["TERM": "xterm-256color"]).colours == .many)
    #expect(terminal(["TERM": "xterm"]).colours == .sixteen)
    #expect(terminal(["TERM": "xterm", "COLORTERM": "truecolor"]).colours == .many)
    #expect(terminal(["TERM": "xterm-256color"], isTerminal: false).colours == .none)
    #expect(terminal(["CLICOLOR_FORCE": "1"], isTerminal: false).colours == .sixteen)
  }

  @Test func wishesAreRespected() {
    let quiet = terminal(["TERM": "xterm-256color", "NO_COLOR": "1"])
    #expect(quiet.colours == .none && quiet.canRedraw)
    let dumb = terminal(["TERM": "dumb"])
    #expect(dumb.colours == .none && !dumb.canRedraw)
    #expect(terminal(["NO_COLOR": ""]).colours == .sixteen)
  }

  @Test func localeDecidesTheCharacters() {
    #expect(terminal([:]).isUnicode)
    #expect(terminal(["LANG": "de_DE.UTF-8"]).isUnicode)
    #expect(!terminal(["LANG": "de_DE.UTF-8", "LC_ALL": "C"]).isUnicode)
    #expect(!terminal(["LANG": "POSIX"]).isUnicode)
  }

  @Test func widthIsSane() {
    #expect(terminal([:]).width == 100)
    #expect(Terminal(isTerminal: true, columns: nil, environment: ["COLUMNS": "50"]).width == 50)
    #expect(Terminal(isTerminal: true, columns: 1, environment: [:]).width == 20)
    #expect(Terminal(isTerminal: false, columns: nil, environment: [:]).width == 80)
  }

  @Test func stylesVanishWithoutColours() {
    let style = Style(colour: Colour(many: 33, sixteen: 34), isBold: true)
    #expect(style.apply(to: "a", colours: .none) == "a")
    #expect(style.apply(to: "a", colours: .many) == "\u{1B}[1;38;5;33ma\u{1B}[0m")
    #expect(style.apply(to: "a", colours: .sixteen) == "\u{1B}[1;34ma\u{1B}[0m")
    #expect(Style.plain.apply(to: "a", colours: .many) == "a")
  }
}
