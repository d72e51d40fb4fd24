import Testing

@testable import WeftCommand

@Suite struct MarkedTextTests {
  private typealias Mark = DocumentMarks.Mark

  private func mark(_ start: Int, _ end: Int, _ label: String = "PER") -> Mark {
    Mark(range: start..<end, label: label, group: .entity)
  }

  private func written(_ text: String, _ marks: [Mark]) -> String {
    var writer = HTMLWriter()
    MarkedText(text, marks: marks).write(to: &writer, look: { "m\($0)" }, title: { _ in "t" })
    return writer.string
  }

  // MARK: Levels

  @Test func innerSpansLieHigher() {
    let levels = SpanLevels([0..<9, 0..<3, 4..<8, 4..<5, 0..<9], length: 9)
    #expect(levels.levels == [2, 0, 1, 0, 3])
    #expect(levels.count == 4)
    #expect(SpanLevels([], length: 0).count == 0)
  }

  @Test func crossingSpansLieApart() {
    #expect(SpanLevels([0..<4, 2..<6, 5..<9], length: 9).levels == [0, 1, 2])
  }

  @Test func tooManyLevelsAreLeftOut() {
    let levels = SpanLevels((0..<40).map { 0..<($0 + 1) }, length: 40)
    #expect(levels.levels.prefix(SpanLevels.limit).map { $0 } == (0..<SpanLevels.limit).map { $0 })
    #expect(levels.levels.dropFirst(SpanLevels.limit).allSatisfy { $0 == nil })
    #expect(levels.count == SpanLevels.limit)
  }

  // MARK: Elements

  @Test func nestedSpansAreNestedElements() {
    #expect(
      written("Mr. Reed left", [mark(0, 8), mark(4, 8, "LAST")])
        == #"<span class="s m0" data-s="0" style="--d:1" data-l="PER" title="t">Mr. "#
        + #"<span class="s in m1" data-s="1" data-l="LAST" title="t">Reed</span></span> left"#)
  }

  @Test func crossingSpansAreCutAndLabelledOnce() throws {
    let root = try PageElement.read("<p>" + written("one two three", [mark(0, 7), mark(4, 13, "LOC")]) + "</p>")
    let parts = root.all.filter { $0.marks == [1] }
    #expect(parts.map(\.text) == ["two", " three"])
    #expect(parts.map { $0.attributes["data-l"] } == [nil, "LOC"])
    #expect(root.all.filter { $0.marks == [0] }.map(\.text) == ["one two"])
  }

  @Test func clustersAreNotCut() throws {
    // The span ends between the letter and its accent, the other inside a family.
    let text = "cafe\u{301} 👩‍👩‍👧!"
    let root = try PageElement.read("<p>" + written(text, [mark(0, 4), mark(7, 9)]) + "</p>")
    #expect(root.all.filter { $0.marks == [0] }.map(\.text) == ["cafe\u{301}"])
    #expect(root.all.filter { $0.marks == [1] }.map(\.text) == ["👩‍👩‍👧"])
    #expect(root.text.unicodeScalars.elementsEqual(text.unicodeScalars))
  }

  @Test func everySpanCoversItsTextOnce() throws {
    let text = "Ann 王先生 of <b>the</b> \"Old\" Mill & co,\nعبد الله e\u{301}a 😀 by night."
    let count = text.unicodeScalars.count
    var random = UInt64(7)
    func below(_ bound: Int) -> Int {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(random >> 33) % bound
    }
    for _ in 0..<200 {
      let marks = (0..<below(12)).map { number in
        let start = below(count)
        return mark(start, start + 1 + below(count - start), "L\(number)")
      }
      let root = try PageElement.read("<p>" + written(text, marks) + "</p>")
      #expect(root.text.unicodeScalars.elementsEqual(text.unicodeScalars))
      for (index, mark) in marks.enumerated() {
        let parts = root.all.filter { $0.marks == [index] }
        // "e" and its accent are one; no other cluster of the text has two code points.
        let accent = try #require(Array(text.unicodeScalars).firstIndex(of: "\u{301}"))
        let start = mark.range.lowerBound == accent ? accent - 1 : mark.range.lowerBound
        let end = mark.range.upperBound == accent ? accent + 1 : mark.range.upperBound
        let covered = Array(text.unicodeScalars)[start..<end]
        #expect(parts.map(\.text).joined().unicodeScalars.elementsEqual(covered))
        #expect(parts.compactMap { $0.attributes["data-l"] } == ["L\(index)"])
        #expect(parts.last?.attributes["data-l"] != nil)
        #expect(Set(parts.map { $0.attributes["style"] ?? "" }).count == 1)
      }
    }
  }
}
