import Engine
import Testing

@testable import TokenPairs

@Suite struct LinkJoinTests {
  @Test func headsAreFirstTokensAndTailsLast() {
    #expect(LinkCell.head(5..<8, 2..<3, .directed) == LinkCell(row: 5, column: 2))
    #expect(LinkCell.tail(5..<8, 2..<3, .directed) == LinkCell(row: 7, column: 2))
  }

  @Test func symmetricCellsLieAboveTheDiagonal() {
    #expect(LinkCell.head(5..<8, 2..<9, .symmetric) == LinkCell(row: 2, column: 5))
    // The order of heads does not decide that of tails.
    #expect(LinkCell.tail(5..<8, 2..<9, .symmetric) == LinkCell(row: 7, column: 8))
    #expect(LinkCell.tail(2..<9, 5..<8, .symmetric) == LinkCell(row: 7, column: 8))
  }

  @Test func aHitNeedsBothLinksOfOnePredicate() {
    let heads = [cell(0, 1, 5, 2), cell(1, 1, 5, 3), cell(2, 1, 5, 4), cell(3, 9, 9, 1)]
    let tails = [cell(2, 2, 5, 1), cell(0, 2, 5, 7), cell(3, 2, 5, 1), cell(1, 5, 2, 9)]
    let join = LinkJoin(heads: LinkTable(heads), tails: LinkTable(tails))
    #expect(
      join.hits(from: [1..<3], to: [5..<6]) == [
        LinkHit(first: 0, second: 0, predicate: 0, score: 2), LinkHit(first: 0, second: 0, predicate: 2, score: 1),
      ])
    #expect(join.hits(from: [5..<6], to: [1..<3]).isEmpty)
  }

  @Test func ofACellGivenTwiceTheHigherScoreStays() {
    let join = LinkJoin(
      heads: LinkTable([cell(0, 1, 5, 2), cell(0, 1, 5, 6), cell(0, 1, 5, 3)]), tails: LinkTable([cell(0, 1, 5, 4)]))
    #expect(join.hits(from: [1..<2], to: [5..<6]) == [LinkHit(first: 0, second: 0, predicate: 0, score: 4)])
  }

  @Test func pairsOfOneListComeOnceWhicheverStandsFirst() {
    let links = LinkTable([cell(0, 1, 5, 2)])
    let join = LinkJoin(heads: links, tails: links)
    #expect(join.hits(among: [1..<2, 5..<6]) == [LinkHit(first: 0, second: 1, predicate: 0, score: 2)])
    #expect(join.hits(among: [5..<6, 1..<2]) == [LinkHit(first: 0, second: 1, predicate: 0, score: 2)])
    // Below the diagonal nothing counts.
    let below = LinkTable([cell(0, 5, 1, 2)])
    #expect(LinkJoin(heads: below, tails: below).hits(among: [1..<2, 5..<6]).isEmpty)
  }

  private func cell(_ predicate: Int, _ row: Int, _ column: Int, _ score: Float) -> PairCell {
    PairCell(matrix: predicate, row: row, column: column, score: score)
  }
}
