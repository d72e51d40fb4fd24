import Engine
import Testing

@testable import TokenPairs

@Suite struct LinkRuleTests {
  private func span(_ label: Int, _ row: Int, _ column: Int, _ score: Float = 1) -> PairCell {
    PairCell(matrix: label, row: row, column: column, score: score)
  }

  @Test func everySubjectMeetsEveryObject() {
    let spans = [span(0, 1, 2), span(0, 5, 5), span(1, 1, 2), span(1, 3, 4)]
    let (pairs, isTruncated) = LinkRule.relations(triangular: false).pairs(among: spans)
    #expect(pairs.map { [$0.first, $0.second] } == [[0, 2], [0, 3], [1, 2], [1, 3]] && !isTruncated)
    let cells = LinkRule.relations(triangular: false).cells(of: pairs[2], among: spans)
    #expect(cells.head == LinkCell(row: 5, column: 1) && cells.tail == LinkCell(row: 5, column: 2))
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
    let pair = try #require(pairs.first { Set([$0.first, $0.second]) == [0, 1] })
    let cells = rule.cells(of: pair, among: spans)
    #expect(cells.head == LinkCell(row: 2, column: 4) && cells.tail == LinkCell(row: 6, column: 9))
  }

  @Test func ofTooManySpansTheStrongestMeet() {
    let subjects = (0..<300).map { span(0, $0, $0, Float($0 * 7 % 300)) }
    let (pairs, isTruncated) = LinkRule.relations(triangular: false).pairs(among: subjects + [span(1, 0, 1)])
    #expect(isTruncated && pairs.count == LinkRule.maximumSpansOfAKind)
    #expect(pairs.allSatisfy { subjects[$0.first].score >= Float(300 - LinkRule.maximumSpansOfAKind) })
  }
}
