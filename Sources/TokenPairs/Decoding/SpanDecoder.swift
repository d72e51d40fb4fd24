/// A labelled span with its score, in code points of the text.
struct ScoredSpan: Sendable, Hashable {
  let label: Int
  let range: Range<Int>
  let score: Float

  /// Reading order: by start, then end, then label.
  static func precedes(_ a: ScoredSpan, _ b: ScoredSpan) -> Bool {
    (a.range.lowerBound, a.range.upperBound, a.label) < (b.range.lowerBound, b.range.upperBound, b.label)
  }
}

/// Turns scored spans into what a reader wants: in reading order, none twice, overlaps resolved if asked for.
enum SpanDecoder {
  static func decode(_ spans: [ScoredSpan], mode: OverlapMode) -> [ScoredSpan] {
    let distinct = withoutRepeats(spans)
    switch mode {
    case .nested: return distinct
    case .flat: return withoutOverlaps(distinct)
    }
  }

  /// Several tokens can stand for the same characters; of equal spans the highest score stays.
  private static func withoutRepeats(_ spans: [ScoredSpan]) -> [ScoredSpan] {
    var result: [ScoredSpan] = []
    for span in spans.sorted(by: ScoredSpan.precedes) {
      if let last = result.last, last.label == span.label, last.range == span.range {
        if span.score > last.score { result[result.count - 1] = span }
      } else {
        result.append(span)
      }
    }
    return result
  }

  /// Greedy by score; of equal scores the first in reading order.
  private static func withoutOverlaps(_ spans: [ScoredSpan]) -> [ScoredSpan] {
    var kept: [ScoredSpan] = []
    let byScore = spans.sorted { $0.score != $1.score ? $0.score > $1.score : ScoredSpan.precedes($0, $1) }
    for span in byScore where !kept.contains(where: { $0.range.overlaps(span.range) }) { kept.append(span) }
    return kept.sorted(by: ScoredSpan.precedes)
  }
}
