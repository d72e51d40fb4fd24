import Engine
import Testing

@testable import TokenPairs

/// Findings of overlapping windows, put together.
@Suite struct DocumentAssemblerTests {
  /// Ten one-letter words in two windows that share the words 3 to 6.
  private static let text = TokenizedText(
    text: "a b c d e f g h i j", offsets: (0..<10).map { 2 * $0..<2 * $0 + 1 },
    plan: WindowPlan(count: 10, capacity: 7, overlap: 4) { _ in true }, windows: [[], []])

  private static func description(_ task: ModelTask, _ labels: [String], _ links: [String]) throws -> ModelDescription {
    let layout = HeadLayout(
      kind: .efficient, dialect: .normal, headSize: 2, types: labels.count, rope: false, triangular: false,
      projectionName: "", biasName: nil, typesFile: "", typesField: "")
    return ModelDescription(
      task: task, labels: labels, links: links,
      eventSchema: task == .events ? try EventSchema(labels: labels) : nil, spanHead: layout,
      linkHeads: .init(head: layout, tail: layout), encoderPrefix: "", file: "")
  }

  /// A span of words in a window's own tokens; CLS is 0.
  private static func span(_ label: Int, _ words: ClosedRange<Int>, window: Int, _ score: Float = 1) -> PairCell {
    let offset = text.plan.windows[window].lowerBound - 1
    return PairCell(
      matrix: label, row: words.lowerBound - offset, column: words.upperBound - offset, score: score)
  }

  @Test func theWindowsAreAsMeant() {
    #expect(Self.text.plan.windows == [0..<7, 3..<10])
    #expect(Self.text.plan.answers(window: 0, first: 4, last: 4))
    #expect(Self.text.plan.answers(window: 1, first: 6, last: 6))
  }

  @Test func aLinkIsFoundInAnyWindowThatHoldsBothSpans() throws {
    let assembler = DocumentAssembler(try Self.description(.relations, ["subject", "object"], ["p", "q"]), .init())
    // The first window answers for word 4, the second for word 6; only the second finds the link.
    let findings = [
      WindowFindings(spans: [Self.span(0, 4...4, window: 0, 3), Self.span(1, 1...2, window: 0)], links: []),
      WindowFindings(
        spans: [Self.span(0, 4...4, window: 1, 2), Self.span(1, 6...6, window: 1)],
        links: [LinkHit(first: 0, second: 1, predicate: 1, score: 0.5)]),
    ]
    let document = assembler.document(Self.text, index: 3, findings)
    let relation = try #require(document.relations.first)
    #expect(document.relations.count == 1 && document.index == 3 && !document.isTruncated)
    #expect(relation.subject.text == "e" && relation.subject.codePoints == 8..<9 && relation.subject.score == 3)
    #expect(relation.predicate == "q" && relation.object.text == "g" && relation.score == 0.5)
  }

  @Test func aLinkFoundTwiceIsOne() throws {
    let assembler = DocumentAssembler(try Self.description(.relations, ["subject", "object"], ["p"]), .init())
    let findings = (0..<2).map { window in
      WindowFindings(
        spans: [Self.span(0, 4...4, window: window), Self.span(1, 5...6, window: window)],
        links: [LinkHit(first: 0, second: 1, predicate: 0, score: window == 0 ? 0.5 : 0.75)])
    }
    let document = assembler.document(Self.text, index: 0, findings)
    #expect(document.relations.map(\.score) == [0.75])
  }

  /// A span that only a window finds which does not answer for it is no span, and takes its links along.
  @Test func spansOfTheOtherWindowAreLeftOut() throws {
    let assembler = DocumentAssembler(try Self.description(.relations, ["subject", "object"], ["p"]), .init())
    let findings = [
      WindowFindings(
        spans: [Self.span(0, 6...6, window: 0), Self.span(1, 1...1, window: 0)],
        links: [LinkHit(first: 0, second: 1, predicate: 0, score: 1)], isTruncated: true), WindowFindings(),
    ]
    let document = assembler.document(Self.text, index: 0, findings)
    #expect(document.relations.isEmpty && document.isTruncated)
  }

  @Test func anEventSpansWindows() throws {
    let labels = ["A/trigger", "A/x", "A/y"]
    let findings = [
      WindowFindings(
        spans: [Self.span(0, 4...4, window: 0), Self.span(1, 1...1, window: 0)],
        links: [LinkHit(first: 0, second: 1, predicate: 0, score: 1)]),
      WindowFindings(
        spans: [Self.span(0, 4...4, window: 1), Self.span(2, 8...9, window: 1)],
        links: [LinkHit(first: 1, second: 0, predicate: 0, score: 1)]),
    ]
    let assembler = DocumentAssembler(try Self.description(.events, labels, ["link"]), .init())
    let events = assembler.document(Self.text, index: 0, findings).events
    // Words 1 and 8 are in no window together, so they are in no event together.
    #expect(events.map { $0.arguments.map(\.text) } == [["b", "e"], ["e", "i j"]])
    #expect(events.allSatisfy { $0.type == "A" && $0.trigger?.text == "e" })
    var needsNone = Extractor.Options()
    needsNone.requiresTrigger = false
    let alone = [WindowFindings(spans: [Self.span(1, 1...1, window: 0)]), WindowFindings()]
    #expect(assembler.document(Self.text, index: 0, alone).events.isEmpty)
    let patient = DocumentAssembler(try Self.description(.events, labels, ["link"]), needsNone)
    #expect(patient.document(Self.text, index: 0, alone).events.map { $0.arguments.map(\.role) } == [["x"]])
  }

  @Test func spansThatEndBeforeTheyBeginAreNone() throws {
    let assembler = DocumentAssembler(try Self.description(.entities, ["L"], []), .init())
    let backwards = WindowFindings(spans: [PairCell(matrix: 0, row: 3, column: 2, score: 1)])
    #expect(assembler.document(Self.text, index: 0, [backwards, WindowFindings()]).entities.isEmpty)
  }
}
