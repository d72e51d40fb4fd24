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

@Suite struct DisplayWidthTests {
  @Test(arguments: [
    ("", 0), ("plain text", 10), ("café", 4), ("cafe\u{301}", 4), ("王先生", 6), ("ｆｕｌｌ", 8),
    ("ﾊﾝｶｸ", 4), ("한국", 4), ("\u{1112}\u{1161}\u{11AB}", 2), ("😀", 2), ("👩‍👩‍👧", 2),
    ("👍🏽", 2), ("🇫🇷", 2), ("❤️", 2), ("❤", 1), ("⌚", 2), ("a\u{200B}b", 2), ("\u{FEFF}", 0),
    ("\u{301}", 0), ("𠀀", 2), ("“”…–", 4), ("\u{1B}", 0),
  ])
  func columns(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width)
  }

  @Test func controlCharactersAreShownNotSent() {
    #expect(DisplayWidth.visible("a\u{1B}[2Jb\r\n\u{7F}\u{9B}\t") == "a␛[2Jb␍␊␡\u{FFFD} ")
    #expect(DisplayWidth.visible("a\u{202E}b\u{2028}") == "ab")
    #expect(DisplayWidth.visible("👩‍👩‍👧 é") == "👩‍👩‍👧 é")
  }

  @Test func paddingCountsColumns() {
    #expect(DisplayWidth.padded("王", to: 4) == "王  ")
    #expect(DisplayWidth.padded("王", to: 4, alignedRight: true) == "  王")
    #expect(DisplayWidth.padded("longer", to: 4) == "longer")
  }
}

@Suite struct TextTableTests {
  @Test func numbersStandToTheRight() {
    var table = TextTable([.text("label"), .number("F1"), .text("note")])
    table.addRow(["PER", "0.701", ""])
    table.addRow(["人物", "7"])
    table.addRule()
    table.addRow(["micro", "0.5", "all", "dropped"])
    #expect(
      table.render() == """
        label     F1  note
        ─────  ─────  ────
        PER    0.701
        人物       7
        ─────  ─────  ────
        micro    0.5  all

        """)
  }

  @Test func titlesAndRuleAreOptional() {
    var bare = TextTable([.text(""), .number("")])
    bare.addRow(["a\u{1B}[2J", "1"])
    #expect(bare.render() == "a␛[2J  1\n")

    var plain = TextTable([.text("device"), .number("GB")])
    plain.hasHeaderRule = false
    plain.addRow(["x", "2"])
    #expect(plain.render() == "device  GB\nx        2\n")
  }

  @Test func coloursAreForTerminals() {
    var table = TextTable([.text("a")])
    table.addRow(["b"])
    let coloured = table.render(on: Terminal(colours: .sixteen, isUnicode: false))
    #expect(coloured == "\u{1B}[1ma\u{1B}[0m\n\u{1B}[2m-\u{1B}[0m\nb\n")
  }
}

@Suite struct BlockPictureTests {
  @Test func twoRowsShareALine() {
    let picture = BlockPicture([-1, 1, -1, 1, 0, 1], shape: [3, 2], terminal: Terminal())
    #expect(picture.render(rowLimit: 1) == " █\n▒█\n")
  }

  @Test func imagesStandSideBySideAsFarAsTheyFit() {
    let values = [Float](repeating: 1, count: 5 * 4)
    let picture = BlockPicture(values, shape: [2, 2], terminal: Terminal(width: 7))
    #expect(picture.render(rowLimit: 9) == "██  ██\n\n██  ██\n\n██\n")
    #expect(picture.render(rowLimit: 1) == "██  ██\n")
  }

  @Test func coloursAreTheTerminalsOwn() {
    let terminal = Terminal(colours: .many)
    let grey = BlockPicture([-1, 1], shape: [2, 1], terminal: terminal)
    #expect(grey.render(rowLimit: 1) == "\u{1B}[38;5;16;48;5;231m▀\u{1B}[0m\n")
    let red = BlockPicture([1, -1, -1], shape: [3, 1, 1], terminal: terminal)
    #expect(red.render(rowLimit: 1) == "\u{1B}[38;5;196;49m▀\u{1B}[0m\n")
  }

  @Test func numbersOutsideAreTheEnds() {
    let picture = BlockPicture([-9, 9, .nan, .infinity], shape: [1, 4], terminal: Terminal(isUnicode: false))
    #expect(picture.render(rowLimit: 1) == " @ @\n")
  }
}
