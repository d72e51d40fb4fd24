/// Two spans that the head links and the tail links of a predicate both join.
package struct LinkHit: Sendable, Hashable {
  /// Index of the first span in its list.
  package let first: Int
  /// Index of the second span in its list.
  package let second: Int
  /// Which matrix of links; 0 where there is one.
  package let predicate: Int
  /// The lower of the two scores: both are above the threshold only if it is.
  package let score: Float

  package init(first: Int, second: Int, predicate: Int, score: Float) {
    self.first = first
    self.second = second
    self.predicate = predicate
    self.score = score
  }
}

/// Finds the linked pairs of two lists of spans, `head ∩ tail`, by looking up the cells of the pairs and no others.
package struct LinkJoin: Sendable {
  private let heads: LinkTable
  private let tails: LinkTable

  package init(heads: LinkTable, tails: LinkTable) {
    self.heads = heads
    self.tails = tails
  }

  /// The hits from each of `first` to each of `second`, by first span, second span, predicate.
  package func hits(from first: [Range<Int>], to second: [Range<Int>]) -> [LinkHit] {
    var hits: [LinkHit] = []
    for i in first.indices {
      for j in second.indices { append(i, first[i], j, second[j], .directed, to: &hits) }
    }
    return hits
  }

  /// The hits among spans of one list, each pair once, the lower index first.
  package func hits(among spans: [Range<Int>]) -> [LinkHit] {
    var hits: [LinkHit] = []
    for i in spans.indices {
      for j in spans.indices.dropFirst(i + 1) { append(i, spans[i], j, spans[j], .symmetric, to: &hits) }
    }
    return hits
  }

  private func append(
    _ i: Int, _ a: Range<Int>, _ j: Int, _ b: Range<Int>, _ direction: LinkDirection, to hits: inout [LinkHit]
  ) {
    let head = heads.entries(at: .head(a, b, direction))
    guard !head.isEmpty else { return }
    let tail = tails.entries(at: .tail(a, b, direction))
    var (h, t) = (0, 0)
    while h < head.count, t < tail.count {
      if head[h].predicate == tail[t].predicate {
        hits.append(
          LinkHit(first: i, second: j, predicate: head[h].predicate, score: min(head[h].score, tail[t].score)))
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
