package import Engine

/// Which of listed pairs of spans are linked, and by what: pair `x` with cells `(a, b)` and `(c, d)` is linked by
/// predicate `p` where `head[p, a, b]` and `tail[p, c, d]` both exceed the threshold (Su, "GPLinker", 2022).
///
/// Scores are computed for the listed cells alone; no matrix exists.
package struct PairLinks: DeviceOperation {
  package var head: LinkScores
  package var tail: LinkScores
  /// `[pairs, 4]` int32: the head cell's row and column, the tail cell's row and column; rows of the sides' tensors.
  package var pairs: Tensor
  package var pairCount: Int
  package var scale: Float
  /// A pair is linked if both scores are greater.
  package var threshold: Float
  /// `[capacity, 4]` int32: pair, predicate, and the bits of the two scores, in any order.
  package var hits: Tensor
  /// `[1]` int32: how many hits there are (unsigned), also when the list was too short for all. Set to 0 first.
  package var found: Tensor

  package init(
    head: LinkScores, tail: LinkScores, pairs: Tensor, pairCount: Int, scale: Float, threshold: Float, hits: Tensor,
    found: Tensor
  ) {
    self.head = head
    self.tail = tail
    self.pairs = pairs
    self.pairCount = pairCount
    self.scale = scale
    self.threshold = threshold
    self.hits = hits
    self.found = found
  }

  package var predicates: Int { head.predicates }
  package var capacity: Int { hits.count / 4 }

  package func validate() throws(EngineError) {
    let name: StaticString = "pair links"
    try head.validate(name)
    try tail.validate(name)
    try require(
      head.predicates == tail.predicates && head.channels == tail.channels
        && (head.biases == nil) == (tail.biases == nil)
        && head.biases?.scale == tail.biases?.scale, name,
      "heads score \(head.predicates) predicates with \(head.channels) channels, tails \(tail.predicates) with \(tail.channels), or one has biases of another kind"
    )
    try require(pairCount > 0, name, "there are no pairs")
    try require(
      pairCount.multipliedClamping(by: predicates) <= indexLimit, name,
      "\(pairCount) pairs times \(predicates) predicates cannot be counted; take fewer pairs at a time")
    try require(pairs, holds: pairCount.multipliedClamping(by: 4), name, "the list of pairs", of: .int32)
    try require(scale.isFinite && !threshold.isNaN, name, "scale and threshold must be numbers")
    try require(
      hits.elementType == .int32 && hits.width == 4 && capacity <= indexLimit, name,
      "the list of hits must be int32 [capacity, 4]")
    try require(found, holds: 1, name, "the count", of: .int32)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let headScore = try head.score(memory, scale: scale)
    let tailScore = try tail.score(memory, scale: scale)
    let cells = try memory.integers(pairs)
    let list = try memory.integers(hits)
    let count = try memory.integers(found)
    for pair in 0..<pairCount {
      let cell = (0..<4).map { Int(cells[4 * pair + $0]) }
      for predicate in 0..<predicates {
        let scores = (Float(headScore(predicate, cell[0], cell[1])), Float(tailScore(predicate, cell[2], cell[3])))
        guard scores.0 > threshold, scores.1 > threshold else { continue }
        let slot = Int(UInt32(bitPattern: count[0]))
        count[0] &+= 1
        guard slot < capacity else { continue }
        list[4 * slot] = Int32(pair)
        list[4 * slot + 1] = Int32(predicate)
        list[4 * slot + 2] = Int32(bitPattern: scores.0.bitPattern)
        list[4 * slot + 3] = Int32(bitPattern: scores.1.bitPattern)
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "pairwise/pair_links.cl", "pair_links", tiles, defines: ["PL_TYPED": head.biases == nil ? "0" : "1"],
        arguments: head.arguments("head") + tail.arguments("tail") + [
          "pairs": .tensor(pairs), "count": .int(pairCount), "predicates": .int(predicates),
          "channels": .int(head.channels), "scale": .float(scale), "bias_scale": .float(head.biases?.scale ?? 0),
          "threshold": .float(threshold), "capacity": .int(capacity), "hits": .tensor(hits), "found": .tensor(found),
        ],
        groups: [ceilingDivide(pairCount, tiles.rowGroup)], groupSize: tiles.rowGroup)
    ]
  }
}

/// What one kind of link cell is scored from: a query and a key a predicate, or one of each for all and two biases.
package struct LinkScores: Sendable {
  /// Biases that tell predicates apart: `[rows, 2 · predicates]`, start biases then end biases.
  package struct Biases: Sendable {
    package var tensor: Tensor
    package var predicates: Int
    package var scale: Float

    package init(_ tensor: Tensor, predicates: Int, scale: Float) {
      self.tensor = tensor
      self.predicates = predicates
      self.scale = scale
    }
  }

  package var rows: HeadSlices
  package var columns: HeadSlices
  package var biases: Biases?

  package init(rows: HeadSlices, columns: HeadSlices, biases: Biases? = nil) {
    self.rows = rows
    self.columns = columns
    self.biases = biases
  }

  package var predicates: Int { biases?.predicates ?? rows.heads }
  package var channels: Int { rows.channels }

  func validate(_ name: StaticString) throws(EngineError) {
    try rows.validate(name, rows: rows.tensor.rowCount)
    try columns.validate(name, rows: columns.tensor.rowCount)
    try require(
      rows.heads == columns.heads && rows.channels == columns.channels, name,
      "rows have \(rows.heads) heads of \(rows.channels) channels, columns \(columns.heads) of \(columns.channels)")
    guard let biases else { return }
    try require(rows.heads == 1, name, "predicates share one product: the rows must have one head")
    try require(
      biases.predicates > 0 && biases.scale >= 0 && biases.scale.isFinite, name,
      "predicates and bias scale must be positive")
    try require(
      biases.tensor.elementType == .float32 && biases.tensor.width == 2 * biases.predicates, name,
      "the biases must be float32 [rows, \(2 * biases.predicates)]")
    try require(
      biases.tensor.rowCount >= max(rows.tensor.rowCount, columns.tensor.rowCount), name,
      "the biases have \(biases.tensor.rowCount) rows, the vectors \(rows.tensor.rowCount)")
  }

  /// Rows, columns and biases as the kernel's parameters of one side; without biases it does not look at the last.
  fileprivate func arguments(_ side: String) -> KernelArguments {
    rows.arguments("\(side)_rows", prefix: "\(side)_row_")
      + columns.arguments("\(side)_columns", prefix: "\(side)_column_")
      + ["\(side)_biases": .tensor(biases?.tensor ?? rows.tensor)]
  }

  /// The score of a cell and a predicate.
  fileprivate func score(_ memory: HostMemory, scale: Float) throws(EngineError) -> (
    _ predicate: Int, _ row: Int, _ column: Int
  ) -> Double {
    let (rowVectors, columnVectors) = (try memory.vectors(rows), try memory.vectors(columns))
    let values = try biases.map { (biases) throws(EngineError) in try memory.floats(biases.tensor) }
    return { predicate, row, column in
      let head = biases == nil ? predicate : 0
      let product =
        Double(scale)
        * dot(
          rowVectors.vector(start: row, index: 0, head: head, channels: channels),
          columnVectors.vector(start: column, index: 0, head: head, channels: channels))
      guard let biases, let values else { return product }
      let width = 2 * biases.predicates
      let start = Double(values[row * width + predicate])
      let end = Double(values[column * width + biases.predicates + predicate])
      return product + Double(biases.scale) * (start + end)
    }
  }
}

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

  private func links(
    _ query: LinkQuery, among pairs: [LinkPair], _ part: Range<Int>
  ) async throws(EngineError) -> [PairLink] {
    let listed = try makeTensor(.int32, part.count, 4)
    var inputs = Submission()
    try inputs.upload(.int32(pairs[part].flatMap(\.words)), to: listed)
    var links: [PairLink] = []
    try await fillList(capacity: part.count) { (capacity) throws(EngineError) in
      let hits = try makeTensor(.int32, capacity, 4)
      let found = try makeTensor(.int32, 1)
      var submission = inputs
      inputs = Submission()
      try submission.upload(.int32([0]), to: found)
      try submission.append(
        PairLinks(
          head: query.head, tail: query.tail, pairs: listed, pairCount: part.count, scale: query.scale,
          threshold: query.threshold, hits: hits, found: found))
      let foundAt = try submission.download(found)
      let hitsAt = try submission.download(hits)
      let results = try await run(submission)
      let count = Int(UInt32(bitPattern: results[foundAt].integers[0]))
      guard count <= capacity else { return count }
      links = Self.sortedLinks(results[hitsAt].integers, count: count, firstPair: part.lowerBound)
      return nil
    }
    return links
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
