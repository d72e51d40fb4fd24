import Testing

@testable import WeftCommand

@Suite struct DocumentRendererTests {
  private func line(_ subject: String, _ predicate: String, _ object: String, _ score: Double? = nil)
    -> RelationLines.Line
  {
    .init(subject: (subject, "A"), predicate: predicate, object: (object, "B"), score: score)
  }

  private func relations(_ lines: [RelationLines.Line], width: Int = 80, isUnicode: Bool = true) -> String {
    RelationLines(
      terminal: Terminal(width: width, isUnicode: isUnicode), palette: LabelPalette(labels: []), indent: 0
    ).render(lines)
  }

  // MARK: Relations

  @Test func arrowsStandBelowOneAnother() {
    #expect(
      relations([line("Ann", "Lives_In", "Bath"), line("王先生", "In", "cafe\u{301}", 12.345)]) == """
        Ann     ──Lives_In──▶  Bath
        王先生  ──In────────▶  cafe\u{301}  12.35

        """)
  }

  @Test func plainTerminalsGetPlainArrows() {
    #expect(
      relations([line("Ann", "In", "a very long name")], width: 24, isUnicode: false) == """
        Ann  --In-->  a very...

        """)
  }

  @Test func longTextsAreCutToTheTerminal() {
    let long = String(repeating: "王", count: 40) + "\ne\u{301}nd"
    let lines = [line(long, "Predicate_of_some_length", long, -3.5), line("a", "p", "b", 1234), line(long, "p", "b")]
    for width in 20...120 {
      for isUnicode in [true, false] {
        let drawing = relations(lines, width: width, isUnicode: isUnicode)
        let drawn = drawing.split(separator: "\n")
        #expect(drawn.count == 3)
        for line in drawn { #expect(DisplayWidth.of(line) <= width, "\(width): \(line)") }
      }
    }
  }

  @Test func shortEndLeavesRoomToTheLong() {
    let long = "the quick brown fox jumps over it"
    #expect(relations([line("Ann", "p", long)], width: 30) == "Ann  ──p──▶  the quick brown…\n")
    #expect(relations([line(long, "p", "Ann")], width: 30) == "the quick brown…   ──p──▶  Ann\n")
    #expect(relations([line(long, "p", long)], width: 30) == "the quick…  ──p──▶  the quick…\n")
  }

  @Test func fittingCountsColumns() {
    #expect(DisplayWidth.fitting("abc", in: 3) == "abc")
    #expect(DisplayWidth.fitting("abcd", in: 3) == "ab…")
    #expect(DisplayWidth.fitting("王先生", in: 5) == "王先…")
    #expect(DisplayWidth.fitting("王先生", in: 4) == "王…")
    #expect(DisplayWidth.fitting("e\u{301}e\u{301}e\u{301}", in: 2) == "e\u{301}…")
    #expect(DisplayWidth.fitting("ab  cd", in: 4) == "ab…")
    #expect(DisplayWidth.fitting("a\r\nb\u{1B}", in: 9) == "a b␛")
    #expect(DisplayWidth.fitting("abcd", in: 2, ellipsis: "...") == "ab")
    #expect(DisplayWidth.fitting("abc", in: 0) == "")
  }

  // MARK: Events

  @Test func eventsAreCards() {
    let event = ShownDocument.Event(
      type: "组织关系-裁员",
      arguments: [
        .init(role: "trigger", range: 0..<1, text: "裁员"), .init(role: "时间", range: 0..<1, text: "5月份", score: 1),
        .init(role: "时间", range: 0..<1, text: "May"),
      ])
    func card(_ terminal: Terminal) -> String {
      EventCards(terminal: terminal, palette: LabelPalette(labels: []), indent: 2).render(event)
    }
    #expect(
      card(Terminal()) == """
          组织关系-裁员
          ├ trigger  裁员
          ├ 时间     5月份  1.00
          ╰          May

        """)
    #expect(card(Terminal(isUnicode: false)).split(separator: "\n").last == "  `-          May")
    for width in 20...40 {
      for line in card(Terminal(width: width)).split(separator: "\n") { #expect(DisplayWidth.of(line) <= width) }
    }
  }

  // MARK: Documents

  @Test func documentIsHeadedAndDrawn() {
    var document = ShownDocument(id: "d", line: 1, text: "Ann of Bath Abbey")
    document.entities = [.init(range: 0..<3, label: "PER")]
    document.relations = [
      .init(
        subject: .init(range: 0..<3, text: "Ann"), predicate: "From",
        object: .init(range: 7..<17, text: "Bath Abbey"))
    ]
    document.isTruncated = true
    var drawing = DocumentRenderer(terminal: Terminal(width: 24))
    #expect(
      drawing.render(document) == """
        ── d ───────────────────
          [Ann PER] of [Bath Abbey object]

          Ann  ──From──▶  Bath…

          not every candidate was looked at


        """)
    #expect(drawing.renderFailure(line: 4, message: "bad\u{1B}") == "── line 4 ──────────────\n  error: bad␛\n\n")
    #expect(drawing.legend() == "entities   and 2 more\nrelations  and 1 more\n")
    var whole = DocumentRenderer(terminal: Terminal(width: 24), isCut: false)
    #expect(whole.render(document).contains("  Ann  ──From──▶  Bath Abbey\n"))
  }

  @Test func labelsKeepTheirColours() {
    var drawing = DocumentRenderer(terminal: Terminal(colours: .many))
    func draw(_ label: String) -> String {
      var document = ShownDocument(line: 1, text: "Ann")
      document.entities = [.init(range: 0..<3, label: label)]
      return drawing.render(document)
    }
    let first = draw("PER")
    #expect(draw("LOC").replacing("LOC", with: "PER") != first)
    #expect(draw("PER") == first)
    #expect(drawing.legend().replacing(/\u{1B}\[[0-9;]*m/, with: "") == "entities   PER 2   LOC 1\n")
  }
}
