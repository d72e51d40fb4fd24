import Engine

@testable import TokenPairs

// The join as the publication describes it, from lists of all positive cells: what the device's answers for single pairs
// are held against.

/// Finds the linked pairs of two lists of spans, `head ∩ tail`, by looking up the cells of the pairs and no others.
struct LinkJoin: Sendable {
  private let heads: LinkTable
  private let tails: LinkTable

  init(heads: LinkTable, tails: LinkTable) {
    self.heads = heads
    self.tails = tails
  }

  /// The hits from each of `first` to each of `second`, by first span, second span, predicate.
  func hits(from first: [Range<Int>], to second: [Range<Int>]) -> [SpanLink] {
    var hits: [SpanLink] = []
    for i in first.indices {
      for j in second.indices { append(i, first[i], j, second[j], .directed, to: &hits) }
    }
    return hits
  }

  /// The hits among spans of one list, each pair once, the lower index first.
  func hits(among spans: [Range<Int>]) -> [SpanLink] {
    var hits: [SpanLink] = []
    for i in spans.indices {
      for j in spans.indices.dropFirst(i + 1) { append(i, spans[i], j, spans[j], .symmetric, to: &hits) }
    }
    return hits
  }

  private func append(
    _ i: Int, _ a: Range<Int>, _ j: Int, _ b: Range<Int>, _ direction: LinkDirection, to hits: inout [SpanLink]
  ) {
    let cells = direction.cells(a, b)
    let head = heads.entries(at: cells.head)
    guard !head.isEmpty else { return }
    let tail = tails.entries(at: cells.tail)
    var (h, t) = (0, 0)
    while h < head.count, t < tail.count {
      if head[h].predicate == tail[t].predicate {
        hits.append(
          SpanLink(first: i, second: j, predicate: head[h].predicate, score: min(head[h].score, tail[t].score)))
        h += 1
        t += 1
      } else if head[h].predicate < tail[t].predicate {
        h += 1
      } else {
        t += 1
      }
    }
  }
}

/// The cells above the threshold of a document's head links or tail links, for looking up.
struct LinkTable: Sendable {
  struct Entry: Sendable, Hashable {
    let predicate: Int
    let score: Float
  }

  /// By row and column.
  private var entries: [[Int]: [Entry]] = [:]

  /// Takes a document's list of cells, `matrix` being the predicate; of a cell given twice the higher score stays.
  init(_ cells: some Sequence<PairCell>) {
    for cell in cells {
      entries[[cell.row, cell.column], default: []]
        .append(Entry(predicate: cell.matrix, score: cell.score))
    }
    for (cell, list) in entries where list.count > 1 {
      var distinct: [Entry] = []
      for entry in list.sorted(by: { ($0.predicate, -$0.score) < ($1.predicate, -$1.score) })
      where distinct.last?.predicate != entry.predicate {
        distinct.append(entry)
      }
      entries[cell] = distinct
    }
  }

  /// The predicates of a cell, ascending.
  func entries(at cell: LinkDirection.Cell) -> [Entry] { entries[[cell.row, cell.column]] ?? [] }
}

extension RelationDecoder {
  /// Joins subjects and objects in tokens through cells above the threshold; `matrix` is the predicate.
  func decode(
    subjects: [LabelledSpan], objects: [LabelledSpan], heads: some Sequence<PairCell>, tails: some Sequence<PairCell>
  ) -> (relations: [SpanLink], isTruncated: Bool) {
    let join = LinkJoin(heads: LinkTable(heads), tails: LinkTable(tails))
    return decode(
      join.hits(from: subjects.map(\.range), to: objects.map(\.range)), subjects: subjects, objects: objects)
  }
}

extension EventDecoder {
  /// Joins nodes in tokens through cells above the threshold; `matrix` is 0.
  func decode(
    _ nodes: [LabelledSpan], heads: some Sequence<PairCell>, tails: some Sequence<PairCell>, texts: [String]? = nil
  ) -> (events: [DecodedEvent], isTruncated: Bool) {
    let join = LinkJoin(heads: LinkTable(heads), tails: LinkTable(tails))
    var hits: [SpanLink] = []
    for indices in Dictionary(grouping: nodes.indices, by: { schema.labels[nodes[$0].label].type }).values {
      hits += join.hits(among: indices.map { nodes[$0].range }).map {
        SpanLink(first: indices[$0.first], second: indices[$0.second], predicate: $0.predicate, score: $0.score)
      }
    }
    return decode(nodes, links: hits, texts: texts)
  }
}
