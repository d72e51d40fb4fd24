/// The sum of each column of a matrix: `out[c] = Σ_t source[t, c]`, in order of `t`. The gradient of a bias.
package struct ColumnSum: Sendable {
  /// One head of `columns` channels.
  package var source: HeadSlices
  package var rows: Int
  /// `[columns]`
  package var out: Tensor

  package init(of source: HeadSlices, rows: Int, into out: Tensor) {
    self.source = source
    self.rows = rows
    self.out = out
  }

  package var columns: Int { source.channels }

  func validate() throws(EngineError) {
    let name: StaticString = "column sum"
    try source.validate(name, rows: rows)
    try require(source.heads == 1, name, "a matrix has one head, not \(source.heads)")
    try require(out, holds: columns, name, "the result")
    try require(out, isNot: source.tensor, name)
  }
}
