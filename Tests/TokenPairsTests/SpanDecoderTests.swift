import Testing

@testable import TokenPairs

@Suite struct SpanDecoderTests {
  private func span(_ label: Int, _ range: Range<Int>, _ score: Float) -> ScoredSpan {
    ScoredSpan(label: label, range: range, score: score)
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
  private func distinct(_ spans: [ScoredSpan]) -> [ScoredSpan] {
    let groups = Dictionary(grouping: spans) { [$0.range.lowerBound, $0.range.upperBound, $0.label] }
    return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .compactMap { $0.value.max { $0.score < $1.score } }
  }

  /// Takes the best of what is left until nothing is; `spans` are in reading order.
  private func greedy(_ spans: [ScoredSpan]) -> [ScoredSpan] {
    var left = spans
    var kept: [ScoredSpan] = []
    while let best = left.map(\.score).max(), let first = left.first(where: { $0.score == best }) {
      kept.append(first)
      left.removeAll {
        $0.range.lowerBound < first.range.upperBound && first.range.lowerBound < $0.range.upperBound
      }
    }
    return kept.sorted { $0.range.lowerBound < $1.range.lowerBound }
  }
}
