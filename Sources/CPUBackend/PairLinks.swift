internal import Engine

extension CPUBackend {
  static func pairLinks(_ join: PairLinks) throws(EngineError) {
    let (head, tail) = (try LinkReader(join.head), try LinkReader(join.tail))
    let pairs = try integers(join.pairs)
    let hits = try integers(join.hits)
    let found = try integers(join.found)
    for pair in 0..<join.pairCount {
      let cell = (0..<4).map { Int(pairs[4 * pair + $0]) }
      for predicate in 0..<join.predicates {
        let headScore = Float(head.score(predicate, row: cell[0], column: cell[1], scale: join.scale))
        let tailScore = Float(tail.score(predicate, row: cell[2], column: cell[3], scale: join.scale))
        guard headScore > join.threshold, tailScore > join.threshold else { continue }
        let slot = Int(UInt32(bitPattern: found[0]))
        found[0] &+= 1
        guard slot < join.capacity else { continue }
        hits[4 * slot] = Int32(pair)
        hits[4 * slot + 1] = Int32(predicate)
        hits[4 * slot + 2] = Int32(bitPattern: headScore.bitPattern)
        hits[4 * slot + 3] = Int32(bitPattern: tailScore.bitPattern)
      }
    }
  }
}

/// One kind of link cell.
private struct LinkReader {
  private let scores: LinkScores
  private let rows: VectorReader
  private let columns: VectorReader
  private let biases: UnsafeMutableBufferPointer<Float>?

  init(_ scores: LinkScores) throws(EngineError) {
    self.scores = scores
    rows = try VectorReader(scores.rows)
    columns = try VectorReader(scores.columns)
    biases = if let biases = scores.biases { try CPUBackend.floats(biases.tensor) } else { nil }
  }

  func score(_ predicate: Int, row: Int, column: Int, scale: Float) -> Double {
    let head = biases == nil ? predicate : 0
    let product =
      Double(scale)
      * dot(
        rows.vector(start: row, index: 0, head: head, channels: scores.channels),
        columns.vector(start: column, index: 0, head: head, channels: scores.channels))
    guard let biases, let description = scores.biases else { return product }
    let width = 2 * description.predicates
    let start = Double(biases[row * width + predicate])
    let end = Double(biases[column * width + description.predicates + predicate])
    return product + Double(description.scale) * (start + end)
  }
}
