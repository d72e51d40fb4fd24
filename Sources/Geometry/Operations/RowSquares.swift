package import Engine

/// The squared length of each row: `out[i] = Σ_c rows[i, c]²`. With the products of two sets it makes their distances.
package struct RowSquares: DeviceOperation {
  /// One head.
  package var rows: HeadSlices
  package var rowCount: Int
  /// `[rowCount]`
  package var out: Tensor

  package init(of rows: HeadSlices, rowCount: Int, into out: Tensor) {
    self.rows = rows
    self.rowCount = rowCount
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "squares of rows"
    try rows.validate(name, rows: rowCount)
    try require(rows.heads == 1, name, "a row is one vector, not \(rows.heads)")
    try require(out, holds: rowCount, name, "the result")
    try require(out, isNot: rows.tensor, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let vectors = try memory.vectors(rows)
    let result = try memory.floats(out)
    for i in 0..<rowCount {
      let row = vectors.vector(start: i, index: 0, head: 0, channels: rows.channels)
      result[i] = Float(dot(row, row))
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "pairwise/row_squares.cl", "row_squares", tiles,
        arguments: rows.singleHeadArguments("rows", prefix: "")
          + ["channels": .int(rows.channels), "out": .tensor(out)],
        groups: [rowCount], groupSize: tiles.rowGroup)
    ]
  }
}
