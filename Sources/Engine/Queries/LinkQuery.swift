/// What links pairs of spans: two kinds of scores, both of which must exceed the threshold.
package struct LinkQuery: Sendable {
  package var head: LinkScores
  package var tail: LinkScores
  package var scale: Float
  package var threshold: Float

  package init(head: LinkScores, tail: LinkScores, scale: Float, threshold: Float) {
    self.head = head
    self.tail = tail
    self.scale = scale
    self.threshold = threshold
  }
}

/// A pair to ask about: the cell of its heads and that of its tails, rows counted over the whole batch.
package struct LinkPair: Sendable, Hashable {
  fileprivate let headRow, headColumn, tailRow, tailColumn: Int32

  package init(head: (row: Int, column: Int), tail: (row: Int, column: Int)) {
    (headRow, headColumn) = (Int32(head.row), Int32(head.column))
    (tailRow, tailColumn) = (Int32(tail.row), Int32(tail.column))
  }

  fileprivate var words: [Int32] { [headRow, headColumn, tailRow, tailColumn] }
}

/// A pair that is linked, by what, and its two scores.
package struct PairLink: Sendable, Hashable {
  /// The pair's number in the list.
  package let pair: Int
  package let predicate: Int
  package let head: Float
  package let tail: Float

  /// The weaker of the two: the link is found where it exceeds the threshold.
  package var score: Float { min(head, tail) }

  package init(pair: Int, predicate: Int, head: Float, tail: Float) {
    self.pair = pair
    self.predicate = predicate
    self.head = head
    self.tail = tail
  }
}

extension Engine {
  /// Hits that a list is made for at most: 64 MiB of them.
  private static let longestList = 1 << 22

  /// Which of `pairs` are linked, sorted by pair, then predicate. Pairs are taken in parts, so that a list of hits keeps
  /// within bounds even where every pair is linked by every predicate.
  ///
  /// - Parameters:
  ///   - query: what links them; its inputs are on the device.
  ///   - pairs: the pairs; a hit names one by its place in the list.
  ///   - consume: is given the hits of each part, in order.
  /// - Throws: `EngineError` if shapes contradict each other or the device has no room.
  package func links(
    _ query: LinkQuery, among pairs: [LinkPair], _ consume: ([PairLink]) -> Void
  ) async throws(EngineError) {
    let part = max(1, Self.longestList / max(1, query.head.predicates))
    for start in stride(from: 0, to: pairs.count, by: part) {
      consume(try await links(query, among: pairs, start..<min(start + part, pairs.count)))
    }
  }

  /// The list starts with room for one hit a pair; if there are more, the operation is run again with room for all.
  private func links(
    _ query: LinkQuery, among pairs: [LinkPair], _ part: Range<Int>
  ) async throws(EngineError) -> [PairLink] {
    let listed = try makeTensor(.int32, part.count, 4)
    var submission = Submission()
    try submission.upload(.int32(pairs[part].flatMap(\.words)), to: listed)
    var capacity = part.count
    while true {
      let hits = try makeTensor(.int32, capacity, 4)
      let found = try makeTensor(.int32, 1)
      try submission.upload(.int32([0]), to: found)
      try submission.append(
        .pairLinks(
          PairLinks(
            head: query.head, tail: query.tail, pairs: listed, pairCount: part.count, scale: query.scale,
            threshold: query.threshold, hits: hits, found: found)))
      let foundAt = try submission.download(found)
      let hitsAt = try submission.download(hits)
      let results = try await run(submission)
      let count = Int(UInt32(bitPattern: results[foundAt].integers[0]))
      if count <= capacity {
        return Self.sortedLinks(results[hitsAt].integers, count: count, firstPair: part.lowerBound)
      }
      capacity = count
      submission = Submission()
    }
  }

  private static func sortedLinks(_ words: [Int32], count: Int, firstPair: Int) -> [PairLink] {
    func score(_ word: Int32) -> Float { Float(bitPattern: UInt32(bitPattern: word)) }
    let links = stride(from: 0, to: 4 * count, by: 4).map { at in
      PairLink(
        pair: firstPair + Int(words[at]), predicate: Int(words[at + 1]), head: score(words[at + 2]),
        tail: score(words[at + 3]))
    }
    return links.sorted { ($0.pair, $0.predicate) < ($1.pair, $1.predicate) }
  }
}
