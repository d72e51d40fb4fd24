import Testing

@testable import WeftCommand

@Suite struct SpanRendererTests {
  private func span(_ start: Int, _ end: Int, _ label: String = "PER") -> LabelledSpan {
    LabelledSpan(start: start, end: end, label: label)
  }

  private func renderer(width: Int = 80, colours: Terminal.Colours = .many) -> SpanRenderer {
    SpanRenderer(
      terminal: Terminal(width: width, colours: colours), labels: ["PER", "LOC", "FAC"])
  }

  /// The lines without their colours, so that a test can show them.
  private func lines(_ text: String, _ spans: [LabelledSpan], width: Int = 80) -> String {
    let coloured = renderer(width: width).render(text, spans: spans)
    return coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "")
  }

  private func plain(_ text: String, _ spans: [LabelledSpan]) -> String {
    renderer(colours: .none).render(text, spans: spans)
  }

  // MARK: Bars

  @Test func nestedSpansStack() {
    #expect(
      lines("Mr. Reed's brother left.", [span(0, 18), span(0, 8), span(4, 8, "LOC")]) == """
        Mr. Reed's brother left.
            ╰LOC
        ╰PER───╯
        ╰PER─────────────╯

        """)
  }

  @Test func crossingSpansTakeTurns() {
    #expect(
      lines("one two three", [span(0, 7), span(4, 13, "LOC")]) == """
        one two three
        ╰PER──╯
            ╰LOC────╯

        """)
  }

  @Test func equalSpansAreBothShown() {
    #expect(
      lines("London.", [span(0, 6), span(0, 6, "LOC")]) == """
        London.
        ╰PER─╯
        ╰LOC─╯

        """)
  }

  @Test func shortNeighboursKeepApart() {
    #expect(
      lines("I, we: A", [span(0, 1), span(3, 5), span(7, 8)], width: 12) == """
        I, we: A
        ╰PER   ╰PER
           ╰PER

        """)
  }

  @Test func labelAtTheEdgeGrowsLeft() {
    #expect(
      lines("away from Ed", [span(10, 12)], width: 12) == """
        away from Ed
                PER╯

        """)
  }

  @Test func spansGoOnOverLineBreaks() {
    #expect(
      lines("the very old house of Ann", [span(0, 25, "FAC"), span(22, 25)], width: 14) == """
        the very old
        ╰FAC───────╴

        house of Ann
                 ╰PER
        ╶FAC───────╯

        """)
  }

  @Test func wideCharactersTakeTwoColumns() {
    #expect(
      lines("在北京大学。", [span(1, 5, "FAC"), span(1, 3, "LOC")]) == """
        在北京大学。
          ╰LOC
          ╰FAC───╯

        """)
  }

  @Test func clustersAreNotCut() {
    // The span ends between the letter and its accent.
    let cells = TextCells("cafe\u{301} bar", spans: [span(0, 4)])
    #expect(cells.spans == [span(0, 4)])
    #expect(cells.cells[3].text == "e\u{301}")
    #expect(plain("a👩‍👩‍👧b", [span(2, 3)]) == "a[👩‍👩‍👧 PER]b\n")
    #expect(plain("a\r\nb", [span(3, 4)]) == "a\n[b PER]\n")
  }

  @Test func textIsWrappedBetweenWords() {
    func lines(_ text: String, _ columns: Int) -> [String] {
      let cells = TextCells(text, spans: [])
      return cells.lines(columns: columns).map { cells.cells[$0].map(\.text).joined() }
    }
    #expect(lines("one two three", 7) == ["one two", "three"])
    #expect(lines("one two   three", 7) == ["one two", "three"])
    #expect(lines("abcdefghij kl", 4) == ["abcd", "efgh", "ij", "kl"])
    #expect(lines("well-known", 6) == ["well-", "known"])
    #expect(lines("王先生 went", 5) == ["王先", "生", "went"])
    #expect(lines("a\n\nb\n", 9) == ["a", "", "b"])
    #expect(lines("", 9) == [""])
    #expect(lines("王", 1) == ["王"])
  }

  @Test func noLineIsWiderThanTheTerminal() {
    let text = "Ann 王先生 of the Old Mill, and Bo–his dog–went café to café 👩‍👩‍👧 by night."
    let count = text.unicodeScalars.count
    var spans: [LabelledSpan] = []
    for start in stride(from: 0, to: count, by: 3) {
      spans.append(span(start, min(start + 1 + start % 17, count), start % 2 == 0 ? "PER" : "LOC"))
    }
    for width in 12...60 {
      for line in lines(text, spans, width: width).split(separator: "\n") {
        #expect(DisplayWidth.of(line) <= width)
      }
    }
  }

  // MARK: Colours

  @Test func innermostSpanColoursTheText() {
    let drawn = renderer().render("Ann of Bath", spans: [span(0, 11), span(7, 11, "LOC")])
    #expect(
      drawn.hasPrefix("\u{1B}[1;38;5;33mAnn of \u{1B}[0m\u{1B}[1;38;5;208mBath\u{1B}[0m\n"))
  }

  @Test func labelsKeepTheirColours() {
    let palette = LabelPalette(labels: ["PER", "LOC", "LOC"])
    #expect(palette["PER"] != palette["LOC"])
    #expect(palette["unknown"] == LabelPalette(labels: [])["unknown"])
    #expect(renderer(colours: .none).legend([("PER", 1200), ("LOC", 3)]) == "PER 1,200   LOC 3")
  }

  @Test func textCannotSteerTheTerminal() {
    let drawn = lines("a\u{1B}[2J\tb\u{202E}", [span(0, 1, "X\u{1B}[2J")])
    #expect(drawn == "a␛[2J b\n╰X␛[2J\n")
  }

  // MARK: Plain form

  @Test func bracketsNest() {
    #expect(
      plain("Mr. Reed's brother left.", [span(4, 8), span(0, 18)])
        == "[Mr. [Reed PER]'s brother PER] left.\n")
    #expect(plain("London", [span(0, 6), span(0, 6, "LOC")]) == "[[London PER] LOC]\n")
    #expect(plain("ab", [span(0, 1), span(1, 2, "LOC")]) == "[a PER][b LOC]\n")
  }

  @Test func crossingBracketsAreNumbered() {
    #expect(
      plain("one two three", [span(0, 7), span(4, 13, "LOC")])
        == "[1 one [2 two 1 PER] three 2 LOC]\n")
  }

  @Test func impossibleSpansAreLeftOut() {
    #expect(plain("ab", [span(1, 1), span(2, 9), span(-4, 1), span(5, 2)]) == "[a PER]b\n")
    #expect(plain("", [span(0, 1)]) == "\n")
    #expect(lines("", [span(0, 1)]) == "\n")
  }
}
