package import Engine
package import Networks

/// A token-pair head on a device: GlobalPointer or Efficient GlobalPointer.
///
/// `s[a, m, k] = <R_m q[a, m], R_k k[a, k]> / sqrt(d)`, for the efficient head plus `c · S[a, m] + c · E[a, k]`
/// with `q`, `k` shared by all types. No scores are stored: only cells above a threshold leave the device.
package struct PairHead: Sendable {
  package let parameters: HeadParameters
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
    self.parameters = parameters
    self.engine = engine
    projection = try await engine.makeDenseWeights(parameters.projection)
    bias = if let bias = parameters.bias { try await engine.makeDenseWeights(bias) } else { nil }
    rotary =
      parameters.rope ? try await engine.makeRotaryTable(positions: positions, channels: parameters.headSize) : nil
  }

  /// Factor of a product of query and key.
  package var scale: Float { 1 / Float(parameters.headSize).squareRoot() }

  /// Device memory that a sequence takes while it is scored, in bytes.
  package func bytes(forTokens count: Int) -> Int {
    parameters.bytes(forTokens: count, panelWidth: engine.panelWidth)
  }

  /// Queries and keys that share one product: one pair a type, or one for all.
  private var heads: Int { parameters.kind == .efficient ? 1 : parameters.types }

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
    let biases = try typeBiases(hidden: hidden, projected: projected, tokens, in: &submission)
    return try PairScores(
      headSize: parameters.headSize, heads: heads, triangular: parameters.triangular, rotary: rotary, biases: biases
    ).query(projected: projected, tokens, threshold: threshold, on: engine, in: &submission)
  }

  private func typeBiases(
    hidden: Tensor, projected: Tensor, _ tokens: DeviceTokens, in submission: inout Submission
  ) throws(EngineError) -> TypeBiases? {
    guard let values = try biases(hidden: hidden, projected: projected, tokens, in: &submission) else { return nil }
    return try TypeBiases(
      packing: values, types: parameters.types, scale: parameters.biasScale, tokens, on: engine, in: &submission)
  }

  /// `[tokens, 2 · types]`: start biases, then end biases; nil for a plain head.
  private func biases(
    hidden: Tensor, projected: Tensor, _ tokens: DeviceTokens, in submission: inout Submission
  ) throws(EngineError) -> Tensor? {
    guard let bias else { return nil }
    let out = try engine.makeTensor(.float32, tokens.count, bias.outputs)
    let input = parameters.biasInput == .hidden ? hidden : projected
    try submission.append(DenseLayer(input, rows: tokens.count, weights: bias, into: out))
    return out
  }

  /// Adds what comes before the scores, and returns what single cells are scored from, for a head whose other cells
  /// nobody asks for.
  package func linkScores(
    hidden: Tensor, _ tokens: DeviceTokens, in submission: inout Submission
  ) throws(EngineError) -> LinkScores {
    let projected = try engine.makeTensor(.float32, tokens.count, projection.outputs)
    try submission.append(DenseLayer(hidden, rows: tokens.count, weights: projection, into: projected))
    let values = try biases(hidden: hidden, projected: projected, tokens, in: &submission)
    return try PairScores(
      headSize: parameters.headSize, heads: heads, triangular: parameters.triangular, rotary: rotary, biases: nil
    ).linkScores(
      projected: projected,
      biases: values.map { LinkScores.Biases($0, predicates: parameters.types, scale: parameters.biasScale) }, tokens,
      on: engine, in: &submission)
  }
}

extension Engine {
  func makeDenseWeights(_ layer: LayerParameters) async throws(EngineError) -> DenseWeights {
    try await makeDenseWeights(layer.weights, bias: layer.bias, outputs: layer.outputs, inputs: layer.inputs)
  }
}
