import Testing

@testable import WeftCommand

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
