import Engine
import Testing

@testable import TokenPairs

@Suite struct LinkRuleTests {
  private func span(_ label: Int, _ row: Int, _ column: Int, _ score: Float = 1) -> LabelledSpan {
    LabelledSpan(label: label, range: row..<column + 1, score: score)
  }

  @Test func everySubjectMeetsEveryObject() {
    let spans = [span(0, 1, 2), span(0, 5, 5), span(1, 1, 2), span(1, 3, 4)]
    let (pairs, isTruncated) = LinkRule.relations(triangular: false).pairs(among: spans)
    #expect(pairs.map { [$0.first, $0.second] } == [[0, 2], [0, 3], [1, 2], [1, 3]] && !isTruncated)
    #expect(LinkRule.relations(triangular: false).direction == .directed)
  }

  /// A head with a triangle scores no pair whose subject starts or ends after its object.
  @Test func aTriangleKeepsTheOrder() {
    let spans = [span(0, 1, 2), span(0, 5, 5), span(1, 1, 2), span(1, 3, 4), span(1, 1, 1)]
    let pairs = LinkRule.relations(triangular: true).pairs(among: spans).pairs
    #expect(pairs.map { [$0.first, $0.second] } == [[0, 2], [0, 3]])
  }

  @Test func argumentsMeetWithinTheirType() throws {
    let schema = try EventSchema(labels: ["A/x", "A/y", "B/x"])
    let spans = [span(0, 4, 6), span(1, 2, 9), span(2, 1, 1), span(0, 8, 8)]
    let rule = LinkRule.events(schema)
    let (pairs, isTruncated) = rule.pairs(among: spans)
    #expect(Set(pairs.map { Set([$0.first, $0.second]) }) == [[0, 1], [0, 3], [1, 3]] && !isTruncated)
    #expect(rule.direction == .symmetric)
  }

  @Test func ofTooManySpansTheStrongestMeet() {
    let subjects = (0..<300).map { span(0, $0, $0, Float($0 * 7 % 300)) }
    let (pairs, isTruncated) = LinkRule.relations(triangular: false).pairs(among: subjects + [span(1, 0, 1)])
    #expect(isTruncated && pairs.count == LinkRule.maximumSpans)
    #expect(pairs.allSatisfy { subjects[$0.first].score >= Float(300 - LinkRule.maximumSpans) })
  }
}

@Suite struct LinkJoinTests {
  @Test func headsAreFirstTokensAndTailsLast() {
    let cells = LinkDirection.directed.cells(5..<8, 2..<3)
    #expect(cells.head == (5, 2) && cells.tail == (7, 2))
  }

  @Test func symmetricCellsLieAboveTheDiagonal() {
    // The order of heads does not decide that of tails.
    for cells in [LinkDirection.symmetric.cells(5..<8, 2..<9), LinkDirection.symmetric.cells(2..<9, 5..<8)] {
      #expect(cells.head == (2, 5) && cells.tail == (7, 8))
    }
    let spans = LinkDirection.symmetric.cells(4..<7, 2..<10)
    #expect(spans.head == (2, 4) && spans.tail == (6, 9))
  }

  @Test func aHitNeedsBothLinksOfOnePredicate() {
    let heads = [cell(0, 1, 5, 2), cell(1, 1, 5, 3), cell(2, 1, 5, 4), cell(3, 9, 9, 1)]
    let tails = [cell(2, 2, 5, 1), cell(0, 2, 5, 7), cell(3, 2, 5, 1), cell(1, 5, 2, 9)]
    let join = LinkJoin(heads: LinkTable(heads), tails: LinkTable(tails))
    #expect(
      join.hits(from: [1..<3], to: [5..<6]) == [
        SpanLink(first: 0, second: 0, predicate: 0, score: 2), SpanLink(first: 0, second: 0, predicate: 2, score: 1),
      ])
    #expect(join.hits(from: [5..<6], to: [1..<3]).isEmpty)
  }

  @Test func ofACellGivenTwiceTheHigherScoreStays() {
    let join = LinkJoin(
      heads: LinkTable([cell(0, 1, 5, 2), cell(0, 1, 5, 6), cell(0, 1, 5, 3)]), tails: LinkTable([cell(0, 1, 5, 4)]))
    #expect(join.hits(from: [1..<2], to: [5..<6]) == [SpanLink(first: 0, second: 0, predicate: 0, score: 4)])
  }

  @Test func pairsOfOneListComeOnceWhicheverStandsFirst() {
    let links = LinkTable([cell(0, 1, 5, 2)])
    let join = LinkJoin(heads: links, tails: links)
    #expect(join.hits(among: [1..<2, 5..<6]) == [SpanLink(first: 0, second: 1, predicate: 0, score: 2)])
    #expect(join.hits(among: [5..<6, 1..<2]) == [SpanLink(first: 0, second: 1, predicate: 0, score: 2)])
    // Below the diagonal nothing counts.
    let below = LinkTable([cell(0, 5, 1, 2)])
    #expect(LinkJoin(heads: below, tails: below).hits(among: [1..<2, 5..<6]).isEmpty)
  }

  private func cell(_ predicate: Int, _ row: Int, _ column: Int, _ score: Float) -> PairCell {
    PairCell(matrix: predicate, row: row, column: column, score: score)
  }
}
