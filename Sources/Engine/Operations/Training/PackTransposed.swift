/// Lays the columns of a row-major matrix out as panels: the vectors are its columns, their channels its rows.
///
/// `PackColumns` makes vectors of the rows. Backward passes need both: the input of a layer for the gradient of its
/// weights (`WeightGradient`), and the weights for the gradient of its input, which is a `DenseLayer` with panels of the
/// transpose.
package struct PackTransposed: Sendable {
  /// One head of `columns` channels.
  package var source: HeadSlices
  package var rows: Int
  /// One head of `rows` channels, with room for the columns.
  package var panels: Panels

  package init(_ source: HeadSlices, rows: Int, into panels: Panels) {
    self.source = source
    self.rows = rows
    self.panels = panels
  }

  package var columns: Int { source.channels }

  func validate() throws(EngineError) {
    let name: StaticString = "transposed pack"
    try source.validate(name, rows: rows)
    try require(source.heads == 1, name, "a matrix has one head, not \(source.heads)")
    try require(
      panels.heads == 1 && panels.channels == rows, name,
      "the panels have \(panels.heads) heads of \(panels.channels) channels, the matrix \(rows) rows")
    try panels.requirePanels(of: .whole(columns), name)
  }
}
