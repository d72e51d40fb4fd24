/// Which of listed pairs of spans are linked, and by what: pair `x` with cells `(a, b)` and `(c, d)` is linked by
/// predicate `p` where `head[p, a, b]` and `tail[p, c, d]` both exceed the threshold (Su, "GPLinker", 2022).
///
/// Scores are computed for the listed cells alone; no matrix exists.
package struct PairLinks: Sendable {
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

  func validate() throws(EngineError) {
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
}
