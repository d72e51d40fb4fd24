/// A labelled span with its score. The same type serves in a window, where ranges count tokens, and in a text, where they
/// count code points.
package struct LabelledSpan: Sendable, Hashable {
  /// Index among the model's labels.
  package let label: Int
  /// Tokens or code points, end-exclusive.
  package let range: Range<Int>
  /// The raw score.
  package let score: Float

  package init(label: Int, range: Range<Int>, score: Float) {
    self.label = label
    self.range = range
    self.score = score
  }

  /// Reading order: by start, then end, then label.
  static func precedes(_ a: LabelledSpan, _ b: LabelledSpan) -> Bool {
    (a.range.lowerBound, a.range.upperBound, a.label) < (b.range.lowerBound, b.range.upperBound, b.label)
  }
}

/// Two spans of a list that are linked: for relations from subject to object.
package struct SpanLink: Sendable, Hashable {
  /// Index of the first span in its list.
  package let first: Int
  /// Index of the second span in its list.
  package let second: Int
  /// Which matrix of links; 0 where there is one.
  package let predicate: Int
  /// The lower of the two scores, of the spans' first tokens and of their last: both are above the threshold only if it
  /// is.
  package let score: Float

  package init(first: Int, second: Int, predicate: Int, score: Float) {
    self.first = first
    self.second = second
    self.predicate = predicate
    self.score = score
  }
}

/// Whether a link of two spans looks the same from both ends.
package enum LinkDirection: Sendable, Hashable {
  /// Rows belong to the first span, columns to the second: relations, from subject to object.
  case directed
  /// Only cells with `row <= column` count, and either span may give the row: arguments of an event.
  case symmetric

  /// A cell of a matrix of links.
  package typealias Cell = (row: Int, column: Int)

  /// The two cells that say whether two spans belong together: one for their heads (first tokens), in the matrix of the
  /// head links, another for their tails (last tokens), in that of the tail links. Spans count tokens.
  package func cells(_ a: Range<Int>, _ b: Range<Int>) -> (head: Cell, tail: Cell) {
    (cell(a.lowerBound, b.lowerBound), cell(a.upperBound - 1, b.upperBound - 1))
  }

  private func cell(_ a: Int, _ b: Int) -> Cell {
    switch self {
    case .directed: (a, b)
    case .symmetric: (min(a, b), max(a, b))
    }
  }
}

/// Which pairs of a window's spans can be linked at all.
package enum LinkRule: Sendable {
  /// Each subject with each object; whether only cells with row ≤ column are scored.
  case relations(triangular: Bool)
  /// Each two spans of one event type.
  case events(EventSchema)

  /// Spans of one label or event type that take part in a window, the strongest: 256 subjects and as many objects, 256 of
  /// an event type.
  static let maximumSpans = 256

  /// The rule of a model; nil for entities.
  init?(links: [String], schema: EventSchema?, triangular: Bool) {
    guard !links.isEmpty else { return nil }
    self = schema.map { .events($0) } ?? .relations(triangular: triangular)
  }

  /// Whether links have a direction.
  package var direction: LinkDirection {
    switch self {
    case .relations: .directed
    case .events: .symmetric
    }
  }

  /// The pairs to ask about.
  /// - Parameter spans: a window's spans, in tokens.
  /// - Returns: pairs of indices, subject first, in a fixed order; and whether spans were left out for their number.
  func pairs(among spans: [LabelledSpan]) -> (pairs: [(first: Int, second: Int)], isTruncated: Bool) {
    var pairs: [(first: Int, second: Int)] = []
    switch self {
    case .relations(let triangular):
      let subjects = strongest(spans.indices.filter { spans[$0].label == 0 }, of: spans)
      let objects = strongest(spans.indices.filter { spans[$0].label == 1 }, of: spans)
      for subject in subjects.kept {
        for object in objects.kept {
          let (a, b) = (spans[subject].range, spans[object].range)
          if triangular, a.lowerBound > b.lowerBound || a.upperBound > b.upperBound { continue }
          pairs.append((subject, object))
        }
      }
      return (pairs, subjects.isTruncated || objects.isTruncated)
    case .events(let schema):
      var isTruncated = false
      let types = Dictionary(grouping: spans.indices) { schema.labels[spans[$0].label].type }
      for (_, indices) in types.sorted(by: { $0.key < $1.key }) {
        let nodes = strongest(indices, of: spans)
        isTruncated = isTruncated || nodes.isTruncated
        for (position, first) in nodes.kept.enumerated() {
          for second in nodes.kept[(position + 1)...] { pairs.append((first, second)) }
        }
      }
      return (pairs, isTruncated)
    }
  }

  private func strongest(_ indices: [Int], of spans: [LabelledSpan]) -> LinkCandidates {
    LinkCandidates(indices, of: spans, limit: Self.maximumSpans) { a, b in
      a.label != b.label ? a.label < b.label : LabelledSpan.precedes(a, b)
    }
  }
}

/// Which spans of a list take part in linking: none twice, and only the strongest if there are too many.
struct LinkCandidates: Sendable {
  /// Indices of the spans that take part, in order.
  private(set) var kept: [Int] = []
  /// Whether spans were left out for their number.
  let isTruncated: Bool
  private var representatives: [Int: Int] = [:]

  /// - Parameters:
  ///   - indices: the spans, ascending.
  ///   - spans: the list that they are of.
  ///   - limit: distinct spans to keep at most; of equal scores the first in order.
  ///   - precedes: the order. Spans of which neither precedes the other are the same: the one with the highest score
  ///     stays, the first of equal scores.
  init(
    _ indices: some Sequence<Int>, of spans: [LabelledSpan], limit: Int,
    by precedes: (LabelledSpan, LabelledSpan) -> Bool
  ) {
    let ordered = indices.sorted { a, b in
      precedes(spans[a], spans[b]) || (a < b && !precedes(spans[b], spans[a]))
    }
    var repeats: [[Int]] = []
    for index in ordered {
      if let last = repeats.last?.last, !precedes(spans[last], spans[index]) {
        repeats[repeats.count - 1].append(index)
      } else {
        repeats.append([index])
      }
    }
    let best = repeats.map { same in same.reduce(same[0]) { spans[$1].score > spans[$0].score ? $1 : $0 } }
    var strongest = Array(best.indices)
    isTruncated = strongest.count > max(0, limit)
    if isTruncated {
      strongest.sort { a, b in
        let (first, second) = (spans[best[a]].score, spans[best[b]].score)
        return first != second ? first > second : a < b
      }
      strongest = strongest.prefix(max(0, limit)).sorted()
    }
    kept = strongest.map { best[$0] }
    for place in strongest {
      for index in repeats[place] { representatives[index] = best[place] }
    }
  }

  /// The kept span that a span is, or is a repeat of.
  func representative(of index: Int) -> Int? { representatives[index] }
}
