package import Engine
package import Networks

/// A token-pair head on a device: GlobalPointer or Efficient GlobalPointer.
///
/// `s[a, m, k] = <R_m q[a, m], R_k k[a, k]> / sqrt(d)`, for the efficient head plus `c · S[a, m] + c · E[a, k]`
/// with `q`, `k` shared by all types. No scores are stored: only cells above a threshold leave the device.
package struct PairHead: Sendable {
  package let shape: HeadShape
  private let engine: Engine
  private let projection: DenseWeights
  private let bias: DenseWeights?
  private let rotary: RotaryTable?

  /// Loads a head onto a device.
  ///
  /// - Parameters:
  ///   - parameters: the head in normal form.
  ///   - positions: the longest sequence the head will meet.
  ///   - engine: the device.
  /// - Throws: `EngineError` if the device has no room.
  package init(_ parameters: HeadParameters, positions: Int, on engine: Engine) async throws(EngineError) {
    let shape = parameters.shape
    self.shape = shape
    self.engine = engine
    projection = try await engine.makeDenseWeights(parameters.projection)
    bias = if let bias = parameters.bias { try await engine.makeDenseWeights(bias) } else { nil }
    rotary =
      shape.rope ? try await engine.makeRotaryTable(positions: positions, channels: shape.headSize) : nil
  }

  /// Device memory that a sequence takes while it is scored, in bytes.
  package func bytes(forTokens count: Int) -> Int {
    shape.bytes(
      forTokens: count, projected: projection.outputs, biases: bias?.outputs ?? 0, panelWidth: engine.panelWidth)
  }

  /// Adds what comes before the scores, and returns the query for the cells above `threshold` on real tokens:
  /// the first and last token of each sequence (CLS and SEP) are left out.
  ///
  /// A found cell's matrix is `segment · types + type`, its row the span's first token, its column the last.
  package func query(
    hidden: Tensor, _ tokens: DeviceTokens, threshold: Float, in submission: inout Submission
  ) throws(EngineError) -> CellQuery {
    let rows = tokens.count
    let projected = try engine.makeTensor(.float32, rows, projection.outputs)
    try submission.append(DenseLayer(hidden, rows: rows, weights: projection, into: projected))
    var typeBiases: TypeBiases?
    if let values = try biases(hidden: hidden, projected: projected, tokens, in: &submission) {
      typeBiases = try TypeBiases(
        packing: HeadSlices(values, channels: values.width), extent: .ragged(tokens.segments), types: shape.types,
        scale: shape.biasScale, on: engine, in: &submission)
    }
    return try scores(typeBiases)
      .query(projected: projected, tokens, threshold: threshold, on: engine, in: &submission)
  }

  /// `[tokens, 2 · types]`: start biases, then end biases; nil for a plain head.
  private func biases(
    hidden: Tensor, projected: Tensor, _ tokens: DeviceTokens, in submission: inout Submission
  ) throws(EngineError) -> Tensor? {
    guard let bias else { return nil }
    let out = try engine.makeTensor(.float32, tokens.count, bias.outputs)
    let input = shape.biasInput == .hidden ? hidden : projected
    try submission.append(DenseLayer(input, rows: tokens.count, weights: bias, into: out))
    return out
  }

  /// Adds what comes before the scores, and returns what single cells are scored from, for a head of which no other cells
  /// are needed.
  package func linkScores(
    hidden: Tensor, _ tokens: DeviceTokens, in submission: inout Submission
  ) throws(EngineError) -> LinkScores {
    let projected = try engine.makeTensor(.float32, tokens.count, projection.outputs)
    try submission.append(DenseLayer(hidden, rows: tokens.count, weights: projection, into: projected))
    let values = try biases(hidden: hidden, projected: projected, tokens, in: &submission)
    return try scores(nil).linkScores(
      projected: projected,
      biases: values.map { LinkScores.Biases($0, predicates: shape.types, scale: shape.biasScale) }, tokens,
      on: engine, in: &submission)
  }

  private func scores(_ biases: TypeBiases?) -> PairScores {
    PairScores(
      headSize: shape.headSize, heads: shape.products, triangular: shape.triangular, rotary: rotary, biases: biases)
  }
}

extension Engine {
  func makeDenseWeights(_ layer: LayerParameters) async throws(EngineError) -> DenseWeights {
    try await makeDenseWeights(layer.weights, bias: layer.bias, outputs: layer.outputs, inputs: layer.inputs)
  }
}

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

  /// Adds packing, and returns the query for the cells above the threshold.
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
    let rotation = try rotary.map { (rotary) throws(EngineError) in
      RowRotation(rotary, positions: tokens.positions, turned: try makeTurned(tokens, on: engine))
    }
    let keys = try engine.makePanels(for: extent, heads: heads, channels: headSize)
    try submission.append(
      PackColumns(slices(of: projected, offset: headSize), extent: extent, into: keys, rotary: rotary))
    return CellQuery(
      rows: slices(of: projected, offset: 0), columns: keys, rowExtent: extent, columnExtent: extent,
      rotation: rotation,
      scale: 1 / Float(headSize).squareRoot(), threshold: threshold, triangular: triangular, margin: 1, biases: biases)
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
    let out = try makeTurned(tokens, on: engine)
    try submission.append(
      RotateRows(slices, rows: tokens.count, positions: tokens.positions, rotary: rotary, into: out))
    return out
  }

  /// Room for a batch's queries or keys.
  private func makeTurned(_ tokens: DeviceTokens, on engine: Engine) throws(EngineError) -> HeadSlices {
    let tensor = try engine.makeTensor(.float32, tokens.count, heads * headSize)
    return HeadSlices(tensor, headStride: headSize, heads: heads, channels: headSize)
  }
}
