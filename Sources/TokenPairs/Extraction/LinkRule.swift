internal import Engine

/// Which pairs of a window's spans can be linked at all.
package enum LinkRule: Sendable {
  /// Each subject with each object; whether only cells with row ≤ column are scored.
  case relations(triangular: Bool)
  /// Each two spans of one event type.
  case events(EventSchema)

  /// Spans of a kind that take part in a window, the strongest: 256 subjects and as many objects, 256 of an event type.
  static let maximumSpansOfAKind = 256

  /// The rule of a model that links; nil for entities.
  init?(_ description: ModelDescription) {
    guard let heads = description.linkHeads else { return nil }
    self = description.eventSchema.map { .events($0) } ?? .relations(triangular: heads.head.triangular)
  }

  /// A pair of spans as indices, subject first.
  struct Pair: Sendable, Hashable {
    let first: Int
    let second: Int
  }

  /// The pairs to ask about.
  /// - Parameter spans: a window's cells; `matrix` is the label.
  /// - Returns: pairs, in a fixed order, and whether spans were left out for their number.
  func pairs(among spans: [PairCell]) -> (pairs: [Pair], isTruncated: Bool) {
    switch self {
    case .relations(let triangular):
      let subjects = strongest(spans.indices.filter { spans[$0].matrix == 0 }, of: spans)
      let objects = strongest(spans.indices.filter { spans[$0].matrix == 1 }, of: spans)
      var pairs: [Pair] = []
      for subject in subjects.kept {
        for object in objects.kept {
          let (a, b) = (spans[subject], spans[object])
          if triangular, a.row > b.row || a.column > b.column { continue }
          pairs.append(Pair(first: subject, second: object))
        }
      }
      return (pairs, subjects.isTruncated || objects.isTruncated)
    case .events(let schema):
      var pairs: [Pair] = []
      var isTruncated = false
      let types = Dictionary(grouping: spans.indices) { schema.labels[spans[$0].matrix].type }
      for (_, indices) in types.sorted(by: { $0.key < $1.key }) {
        let nodes = strongest(indices, of: spans)
        isTruncated = isTruncated || nodes.isTruncated
        for (position, first) in nodes.kept.enumerated() {
          for second in nodes.kept[(position + 1)...] { pairs.append(Pair(first: first, second: second)) }
        }
      }
      return (pairs, isTruncated)
    }
  }

  /// The two cells that say whether a pair is linked.
  func cells(of pair: Pair, among spans: [PairCell]) -> (head: LinkCell, tail: LinkCell) {
    let direction: LinkDirection = if case .relations = self { .directed } else { .symmetric }
    let (a, b) = (spans[pair.first].tokens, spans[pair.second].tokens)
    return (.head(a, b, direction), .tail(a, b, direction))
  }

  private func strongest(_ indices: [Int], of spans: [PairCell]) -> LinkCandidates {
    LinkCandidates(
      indices, place: { [spans[$0].matrix, spans[$0].row, spans[$0].column] },
      precedes: { $0.lexicographicallyPrecedes($1) }, score: { spans[$0].score }, limit: Self.maximumSpansOfAKind)
  }
}

extension PairCell {
  /// The span's tokens in its window. A span that ends before it begins, which no text answers to, is its first token.
  package var tokens: Range<Int> { row..<max(row, column) + 1 }
}
