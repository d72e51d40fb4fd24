/// `out[t] = words[ids[t]] + positions[tokenPositions[t]] + types[0]`: what a BERT encoder starts from.
///
/// The caller answers for the range of the indices: they are on the device when the operation is validated.
package struct EmbeddingSum: Sendable {
  /// `[rows]` int32
  package var ids: Tensor
  /// `[rows]` int32
  package var tokenPositions: Tensor
  package var words: Tensor
  package var positions: Tensor
  package var types: Tensor
  package var out: Tensor
  package var rows: Int

  package init(
    ids: Tensor, tokenPositions: Tensor, rows: Int, words: Tensor, positions: Tensor, types: Tensor,
    into out: Tensor
  ) {
    self.ids = ids
    self.tokenPositions = tokenPositions
    self.rows = rows
    self.words = words
    self.positions = positions
    self.types = types
    self.out = out
  }

  func validate() throws(EngineError) {
    let name: StaticString = "embedding sum"
    try require(rows > 0 && rows <= indexLimit, name, "\(rows) rows")
    try require(ids, holds: rows, name, "the ids", of: .int32)
    try require(tokenPositions, holds: rows, name, "the positions", of: .int32)
    try require(words, holds: 1, name, "the word table")
    try require(positions, holds: 1, name, "the position table")
    try require(types, holds: 1, name, "the type table")
    try require(
      positions.width == words.width && types.width == words.width, name,
      "tables are \(words.width), \(positions.width) and \(types.width) wide")
    try require(out, holds: rows * words.width, name, "the result")
  }
}
