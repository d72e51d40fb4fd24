package import Engine
package import Networks

/// From projected queries and keys to scores: rotation, product, mask, threshold.
package struct PairScores: Sendable {
  let headSize: Int
  let heads: Int
  let triangular: Bool
  let rotary: RotaryTable?
  let biases: TypeBiases?

  package init(headSize: Int, heads: Int, triangular: Bool, rotary: RotaryTable?, biases: TypeBiases?) {
    self.headSize = headSize
    self.heads = heads
    self.triangular = triangular
    self.rotary = rotary
    self.biases = biases
  }

  /// Adds rotation and packing, and returns the query for the cells above the threshold.
  ///
  /// - Parameters:
  ///   - projected: `[tokens, heads · 2 · headSize]`, a block `[query | key]` a head.
  ///   - tokens: the batch that `projected` was made from.
  ///   - threshold: cells with a greater score are wanted.
  ///   - engine: the device.
  ///   - submission: what the operations are added to.
  /// - Returns: the query; its inputs are there once the submission has run.
  /// - Throws: `EngineError` if shapes contradict each other or the device has no room.
  package func query(
    projected: Tensor, _ tokens: DeviceTokens, threshold: Float, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) -> CellQuery {
    let extent = Extent.ragged(tokens.segments)
    let queries = try rotated(projected, offset: 0, tokens, on: engine, in: &submission)
    let keys = try engine.makePanels(for: extent, heads: heads, channels: headSize)
    try submission.append(
      PackColumns(slices(of: projected, offset: headSize), extent: extent, into: keys, rotary: rotary))
    return CellQuery(
      rows: queries, columns: keys, rowExtent: extent, columnExtent: extent, scale: 1 / Float(headSize).squareRoot(),
      threshold: threshold, triangular: triangular, margin: 1, biases: biases)
  }

  /// Adds rotation alone, and returns what single cells are scored from.
  ///
  /// - Parameters:
  ///   - projected: as for `query`.
  ///   - biases: of a head whose predicates share one product.
  ///   - tokens: the batch that `projected` was made from.
  ///   - engine: the device.
  ///   - submission: what the operations are added to.
  /// - Returns: the vectors; they are there once the submission has run.
  /// - Throws: `EngineError` if shapes contradict each other or the device has no room.
  package func linkScores(
    projected: Tensor, biases: LinkScores.Biases?, _ tokens: DeviceTokens, on engine: Engine,
    in submission: inout Submission
  ) throws(EngineError) -> LinkScores {
    LinkScores(
      rows: try rotated(projected, offset: 0, tokens, on: engine, in: &submission),
      columns: try rotated(projected, offset: headSize, tokens, on: engine, in: &submission), biases: biases)
  }

  private func slices(of projected: Tensor, offset: Int) -> HeadSlices {
    HeadSlices(projected, offset: offset, headStride: 2 * headSize, heads: heads, channels: headSize)
  }

  /// The queries or keys of a projection, by position if the head rotates.
  private func rotated(
    _ projected: Tensor, offset: Int, _ tokens: DeviceTokens, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) -> HeadSlices {
    let slices = slices(of: projected, offset: offset)
    guard let rotary else { return slices }
    let tensor = try engine.makeTensor(.float32, tokens.count, heads * headSize)
    let out = HeadSlices(tensor, headStride: headSize, heads: heads, channels: headSize)
    try submission.append(
      RotateRows(slices, rows: tokens.count, positions: tokens.positions, rotary: rotary, into: out))
    return out
  }
}

extension TypeBiases {
  /// Adds the packing of a batch's biases, `[tokens, 2 · types]`: start biases, then end biases.
  package init(
    packing values: Tensor, types: Int, scale: Float, _ tokens: DeviceTokens, on engine: Engine,
    in submission: inout Submission
  ) throws(EngineError) {
    let extent = Extent.ragged(tokens.segments)
    let panels = try engine.makePanels(for: extent, channels: values.width)
    try submission.append(
      PackColumns(HeadSlices(values, channels: values.width), extent: extent, into: panels))
    self.init(panels: panels, types: types, scale: scale)
  }
}
