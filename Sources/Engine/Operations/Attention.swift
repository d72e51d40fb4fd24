/// Multi-head attention over ragged sequences (Vaswani et al., 2017), without the matrix of weights:
/// `out[i, h] = Σ_j softmax_j(scale · <q[i, h], k[j, h]>) · v[j, h]`.
package struct Attention: Sendable {
  package var queries: HeadSlices
  /// The keys, as panels.
  package var keys: Panels
  package var values: HeadSlices
  package var segments: SegmentTable
  package var scale: Float
  /// `[rows, heads · channels]`
  package var out: Tensor

  package init(
    queries: HeadSlices, keys: Panels, values: HeadSlices, segments: SegmentTable, scale: Float, into out: Tensor
  ) {
    self.queries = queries
    self.keys = keys
    self.values = values
    self.segments = segments
    self.scale = scale
    self.out = out
  }

  func validate() throws(EngineError) {
    let name: StaticString = "attention"
    let rows = segments.segments.rowCount
    try queries.validate(name, rows: rows)
    try values.validate(name, rows: rows)
    try require(
      queries.heads == keys.heads && queries.channels == keys.channels && values.heads == keys.heads
        && values.channels == keys.channels, name, "queries, keys and values differ in heads or channels")
    try require(
      keys.heads == 1 || (queries.headStride == queries.channels && values.headStride == values.channels), name,
      "heads must lie side by side")
    try require(keys.channels <= 512, name, "heads have at most 512 channels, not \(keys.channels)")
    try keys.requirePanels(of: .ragged(segments), name)
    try require(out, holds: rows * queries.heads * queries.channels, name, "the result")
    try require(scale.isFinite, name, "the scale must be finite")
  }
}
