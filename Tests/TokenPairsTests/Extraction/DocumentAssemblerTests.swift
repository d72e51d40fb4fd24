import Testing

@testable import TokenPairs

/// Findings of overlapping windows, put together.
@Suite struct DocumentAssemblerTests {
  /// Ten one-letter words in two windows that share the words 3 to 6.
  private static let text = TokenizedText(
    text: "a b c d e f g h i j", offsets: (0..<10).map { 2 * $0..<2 * $0 + 1 },
    plan: WindowPlan(count: 10, capacity: 7, overlap: 4) { _ in true }, windows: [[], []])

  private static func assembler(
    _ labels: [String], _ links: [String], schema: EventSchema? = nil, _ options: Extractor.Options = .init()
  ) -> DocumentAssembler {
    DocumentAssembler(labels: labels, links: links, schema: schema, options)
  }

  /// A span of words in a window's own tokens; CLS is 0.
  private static func span(_ label: Int, _ words: ClosedRange<Int>, window: Int, _ score: Float = 1) -> LabelledSpan {
    let offset = text.plan.windows[window].lowerBound - 1
    return LabelledSpan(
      label: label, range: words.lowerBound - offset..<words.upperBound - offset + 1, score: score)
  }

  @Test func theWindowsAreAsMeant() {
    #expect(Self.text.plan.windows == [0..<7, 3..<10])
    #expect(Self.text.plan.answers(window: 0, first: 4, last: 4))
    #expect(Self.text.plan.answers(window: 1, first: 6, last: 6))
  }

  @Test func aLinkIsFoundInAnyWindowThatHoldsBothSpans() throws {
    let assembler = Self.assembler(["subject", "object"], ["p", "q"])
    // The first window answers for word 4, the second for word 6; only the second finds the link.
    let findings = [
      WindowFindings(spans: [Self.span(0, 4...4, window: 0, 3), Self.span(1, 1...2, window: 0)], links: []),
      WindowFindings(
        spans: [Self.span(0, 4...4, window: 1, 2), Self.span(1, 6...6, window: 1)],
        links: [SpanLink(first: 0, second: 1, predicate: 1, score: 0.5)]),
    ]
    let document = assembler.document(Self.text, index: 3, findings)
    let relation = try #require(document.relations.first)
    #expect(document.relations.count == 1 && document.index == 3 && !document.isTruncated)
    #expect(relation.subject.text == "e" && relation.subject.codePoints == 8..<9 && relation.subject.score == 3)
    #expect(relation.predicate == "q" && relation.object.text == "g" && relation.score == 0.5)
  }

  @Test func aLinkFoundTwiceIsOne() throws {
    let assembler = Self.assembler(["subject", "object"], ["p"])
    let findings = (0..<2).map { window in
      WindowFindings(
        spans: [Self.span(0, 4...4, window: window), Self.span(1, 5...6, window: window)],
        links: [SpanLink(first: 0, second: 1, predicate: 0, score: window == 0 ? 0.5 : 0.75)])
    }
    let document = assembler.document(Self.text, index: 0, findings)
    #expect(document.relations.map(\.score) == [0.75])
  }

  /// A span that only a window finds which does not answer for it is no span, and takes its links along.
  @Test func spansOfTheOtherWindowAreLeftOut() throws {
    let assembler = Self.assembler(["subject", "object"], ["p"])
    let findings = [
      WindowFindings(
        spans: [Self.span(0, 6...6, window: 0), Self.span(1, 1...1, window: 0)],
        links: [SpanLink(first: 0, second: 1, predicate: 0, score: 1)], isTruncated: true), WindowFindings(),
    ]
    let document = assembler.document(Self.text, index: 0, findings)
    #expect(document.relations.isEmpty && document.isTruncated)
  }

  @Test func anEventSpansWindows() throws {
    let labels = ["A/trigger", "A/x", "A/y"]
    let findings = [
      WindowFindings(
        spans: [Self.span(0, 4...4, window: 0), Self.span(1, 1...1, window: 0)],
        links: [SpanLink(first: 0, second: 1, predicate: 0, score: 1)]),
      WindowFindings(
        spans: [Self.span(0, 4...4, window: 1), Self.span(2, 8...9, window: 1)],
        links: [SpanLink(first: 1, second: 0, predicate: 0, score: 1)]),
    ]
    let assembler = Self.assembler(labels, ["link"], schema: try EventSchema(labels: labels))
    let events = assembler.document(Self.text, index: 0, findings).events
    // Words 1 and 8 are in no window together, so they are in no event together.
    #expect(events.map { $0.arguments.map(\.text) } == [["b", "e"], ["e", "i j"]])
    #expect(events.allSatisfy { $0.type == "A" && $0.trigger?.text == "e" })
    var needsNone = Extractor.Options()
    needsNone.requiresTrigger = false
    let alone = [WindowFindings(spans: [Self.span(1, 1...1, window: 0)]), WindowFindings()]
    #expect(assembler.document(Self.text, index: 0, alone).events.isEmpty)
    let patient = Self.assembler(labels, ["link"], schema: try EventSchema(labels: labels), needsNone)
    #expect(patient.document(Self.text, index: 0, alone).events.map { $0.arguments.map(\.role) } == [["x"]])
  }
}

@Suite struct SpanDecoderTests {
  private func span(_ label: Int, _ range: Range<Int>, _ score: Float) -> LabelledSpan {
    LabelledSpan(label: label, range: range, score: score)
  }

  @Test func nestedKeepsOverlapsInReadingOrder() {
    let spans = [
      span(1, 4..<9, 2), span(0, 0..<9, 1), span(0, 4..<9, 3), span(2, 0..<2, 0.5),
    ]
    let order = [spans[3], spans[1], spans[2], spans[0]]
    #expect(SpanDecoder.decode(spans, mode: .nested) == order)
  }

  @Test func ofRepeatsTheHighestScoreStays() {
    let spans = [span(0, 1..<3, 1), span(0, 1..<3, 4), span(0, 1..<3, 2), span(1, 1..<3, 0.5)]
    #expect(SpanDecoder.decode(spans, mode: .nested) == [spans[1], spans[3]])
    #expect(SpanDecoder.decode(spans, mode: .flat) == [spans[1]])
  }

  @Test func flatKeepsTheBestOfWhatOverlaps() {
    let spans = [span(0, 0..<5, 3), span(0, 4..<8, 2), span(0, 8..<9, 1), span(1, 7..<9, 1.5)]
    // The second falls to the first; the fourth no longer meets it and takes the third.
    #expect(SpanDecoder.decode(spans, mode: .flat) == [spans[0], spans[3]])
  }

  @Test func flatResolvesTiesInReadingOrder() {
    let spans = [span(1, 2..<6, 1), span(0, 2..<6, 1), span(0, 0..<3, 1), span(0, 5..<7, 1)]
    #expect(SpanDecoder.decode(spans, mode: .flat) == [spans[2], spans[3]])
  }

  @Test func spansThatTouchDoNotOverlap() {
    let spans = [span(0, 0..<2, 1), span(0, 2..<4, 2)]
    #expect(SpanDecoder.decode(spans, mode: .flat) == spans)
  }

  @Test func nothingGivesNothing() {
    for mode in OverlapMode.allCases { #expect(SpanDecoder.decode([], mode: mode).isEmpty) }
  }

  @Test(arguments: 1...60) func bothModesAgreeWithBruteForce(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let spans = (0..<Int.random(in: 0...60, using: &random)).map { _ in
      let start = Int.random(in: 0..<30, using: &random)
      return span(
        Int.random(in: 0..<3, using: &random),
        start..<start + Int.random(in: 1...6, using: &random),
        // Few values, for many ties.
        Float(Int.random(in: 0..<5, using: &random)))
    }
    let nested = distinct(spans)
    #expect(SpanDecoder.decode(spans, mode: .nested) == nested, "seed \(seed)")
    #expect(SpanDecoder.decode(spans, mode: .flat) == greedy(nested), "seed \(seed)")
    #expect(SpanDecoder.decode(spans.shuffled(using: &random), mode: .flat) == greedy(nested))
  }

  /// Of each label and place the highest score, in reading order.
  private func distinct(_ spans: [LabelledSpan]) -> [LabelledSpan] {
    let groups = Dictionary(grouping: spans) { [$0.range.lowerBound, $0.range.upperBound, $0.label] }
    return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .compactMap { $0.value.max { $0.score < $1.score } }
  }

  /// Takes the best of what is left until nothing is; `spans` are in reading order.
  private func greedy(_ spans: [LabelledSpan]) -> [LabelledSpan] {
    var left = spans
    var kept: [LabelledSpan] = []
    while let best = left.map(\.score).max(), let first = left.first(where: { $0.score == best }) {
      kept.append(first)
      left.removeAll {
        $0.range.lowerBound < first.range.upperBound && first.range.lowerBound < $0.range.upperBound
      }
    }
    return kept.sorted { $0.range.lowerBound < $1.range.lowerBound }
  }
}
