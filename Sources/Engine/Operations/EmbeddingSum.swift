/// `out[t] = words[ids[t]] + positions[tokenPositions[t]] + types[0]`: what a BERT encoder starts from.
///
/// The caller makes sure that the indices are in range: they are on the device when the operation is validated.
package struct EmbeddingSum: DeviceOperation {
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

  package func validate() throws(EngineError) {
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

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let channels = words.width
    let rowIds = try memory.integers(ids)
    let rowPositions = try memory.integers(tokenPositions)
    let (wordTable, positionTable) = (try memory.floats(words), try memory.floats(positions))
    let typeTable = try memory.floats(types)
    let result = try memory.floats(out)
    for t in 0..<rows {
      for c in 0..<channels {
        result[t * channels + c] =
          wordTable[Int(rowIds[t]) * channels + c] + positionTable[Int(rowPositions[t]) * channels + c] + typeTable[c]
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "network/embedding_sum.cl", "embedding_sum", tiles,
        arguments: [
          "ids": .tensor(ids), "token_positions": .tensor(tokenPositions), "words": .tensor(words),
          "positions": .tensor(positions), "types": .tensor(types), "out": .tensor(out), "channels": .int(words.width),
        ],
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}
