internal import Engine

/// A head that learns on the device: forward, loss and gradient as operations of one submission.
struct TrainableHead: Sendable {
  let shape: HeadShape
  private let engine: Engine
  private let projection: TrainableLayer
  private let bias: TrainableLayer?
  private let rotary: (forward: RotaryTable, inverse: RotaryTable)?

  /// Makes room for a head of the same shape; its numbers are yet to be written.
  init(_ initial: HeadParameters, positions: Int, on engine: Engine) async throws(EngineError) {
    let shape = initial.shape
    self.shape = shape
    self.engine = engine
    projection = try TrainableLayer(like: initial.projection, on: engine)
    bias = if let bias = initial.bias { try TrainableLayer(like: bias, on: engine) } else { nil }
    rotary =
      if shape.rope {
        (
          try await engine.makeRotaryTable(positions: positions, channels: shape.headSize),
          try await engine.makeRotaryTable(positions: positions, channels: shape.headSize, inverse: true)
        )
      } else { nil }
  }

  var layers: [TrainableLayer] { [projection] + (bias.map { [$0] } ?? []) }

  /// Adds the loss of a batch and the gradients of all parameters.
  /// - Returns: the totals of the loss.
  func append(
    _ batch: BatchFeatures, labels: HeadLabels, loss: PairLoss.Formula, weight: Float, in submission: inout Submission
  ) throws(EngineError) -> Tensor {
    let rows = batch.rows
    let width = projection.outputs
    let projected = try engine.makeTensor(.float32, rows, width)
    let gradient = try engine.makeTensor(.float32, rows, width)
    try projection.append(batch.hidden, rows: rows, into: projected, in: &submission)
    let queries = try rotated(block(projected, 0), batch, in: &submission)
    let keys = try rotated(block(projected, 1), batch, in: &submission)
    let biases = try passBiases(batch, projected, in: &submission)
    let gradients = (
      queries: try unrotated(block(gradient, 0), rows: rows),
      keys: try unrotated(block(gradient, 1), rows: rows)
    )
    let totals = try PairLossPass(
      loss, queries: queries, keys: keys, segments: batch.segments, scale: shape.scale,
      triangular: shape.triangular, margin: 1, biases: biases, labels: cellLabels(labels),
      backgrounds: labels.background, weight: weight, gradients: gradients
    ).append(to: &submission, on: engine)

    if let rotary {
      for (part, turned) in [gradients.queries, gradients.keys].enumerated() {
        try submission.append(
          RotateRows(
            turned, rows: rows, positions: batch.positions, rotary: rotary.inverse, into: block(gradient, part)))
      }
    }
    if let bias, let biasGradient = biases?.gradients {
      if shape.biasInput == .projection {
        let panels = try engine.makePanels(for: .whole(width), channels: rows)
        try submission.append(
          PackTransposed(HeadSlices(projected, channels: width), rows: rows, into: panels))
        try bias.appendGradients(of: biasGradient, input: panels, rows: rows, in: &submission)
        try bias.appendInputGradient(of: biasGradient, rows: rows, addedTo: gradient, on: engine, in: &submission)
      } else {
        try bias.appendGradients(of: biasGradient, input: batch.transposed, rows: rows, in: &submission)
      }
    }
    try projection.appendGradients(of: gradient, input: batch.transposed, rows: rows, in: &submission)
    return totals
  }

  /// Queries (part 0) or keys (part 1) of a projection.
  private func block(_ projected: Tensor, _ part: Int) -> HeadSlices {
    HeadSlices(
      projected, offset: part * shape.headSize, headStride: 2 * shape.headSize, heads: shape.products,
      channels: shape.headSize)
  }

  private func rotated(
    _ source: HeadSlices, _ batch: BatchFeatures, in submission: inout Submission
  ) throws(EngineError) -> HeadSlices {
    guard let rotary else { return source }
    let out = try compact(rows: batch.rows)
    try submission.append(
      RotateRows(source, rows: batch.rows, positions: batch.positions, rotary: rotary.forward, into: out))
    return out
  }

  /// Where the gradient of rotated vectors goes: aside, if it has yet to be turned back into its place.
  private func unrotated(_ place: HeadSlices, rows: Int) throws(EngineError) -> HeadSlices {
    rotary == nil ? place : try compact(rows: rows)
  }

  private func compact(rows: Int) throws(EngineError) -> HeadSlices {
    HeadSlices(
      try engine.makeTensor(.float32, rows, shape.products * shape.headSize), headStride: shape.headSize,
      heads: shape.products,
      channels: shape.headSize)
  }

  private func passBiases(
    _ batch: BatchFeatures, _ projected: Tensor, in submission: inout Submission
  ) throws(EngineError) -> PairLossPass.Biases? {
    guard let bias else { return nil }
    let values = try engine.makeTensor(.float32, batch.rows, bias.outputs)
    try bias.append(
      shape.biasInput == .projection ? projected : batch.hidden, rows: batch.rows, into: values, in: &submission)
    return PairLossPass.Biases(
      values, types: shape.types, scale: shape.biasScale,
      gradients: try engine.makeTensor(.float32, batch.rows, bias.outputs))
  }

  private func cellLabels(_ labels: HeadLabels) -> [CellLabel] {
    labels.cells.enumerated().flatMap { window, cells in
      cells.map { CellLabel(segment: window, type: $0.type, start: $0.row, end: $0.column, value: $0.value) }
    }
  }
}

/// A dense layer that learns: parameters, moments and gradients, all on the device.
struct TrainableLayer: Sendable {
  /// One tensor of parameters and what AdamW keeps of it.
  struct Parameter: Sendable {
    let value: Tensor
    let gradient: Tensor
    let firstMoment: Tensor
    let secondMoment: Tensor

    init(_ shape: [Int], on engine: Engine) throws(EngineError) {
      value = try engine.backend.makeTensor(.float32, shape)
      gradient = try engine.backend.makeTensor(.float32, shape)
      firstMoment = try engine.backend.makeTensor(.float32, shape)
      secondMoment = try engine.backend.makeTensor(.float32, shape)
    }

    /// What a checkpoint keeps, in its order.
    var stored: [Tensor] { [value, firstMoment, secondMoment] }
  }

  let weights: Parameter
  let bias: Parameter
  let outputs: Int
  let inputs: Int
  private let panels: Panels

  /// Makes room for a layer of the same size.
  init(like layer: LayerParameters, on engine: Engine) throws(EngineError) {
    (outputs, inputs) = (layer.outputs, layer.inputs)
    weights = try Parameter([outputs, inputs], on: engine)
    bias = try Parameter([outputs], on: engine)
    panels = try engine.makePanels(for: .whole(outputs), channels: inputs)
  }

  /// Weights and bias; only the weights decay.
  var parameters: [Parameter] { [weights, bias] }

  /// Adds the layer itself.
  func append(
    _ input: Tensor, rows: Int, into out: Tensor, in submission: inout Submission
  ) throws(EngineError) {
    try submission.append(
      PackColumns(HeadSlices(weights.value, channels: inputs), extent: .whole(outputs), into: panels))
    try submission.append(
      DenseLayer(
        input, rows: rows, weights: DenseWeights(panels: panels, bias: bias.value, outputs: outputs), into: out))
  }

  /// Adds the gradients of weights and bias. `input` is the layer's input as `PackTransposed` lays it out.
  func appendGradients(
    of gradient: Tensor, input: Panels, rows: Int, in submission: inout Submission
  ) throws(EngineError) {
    let slices = HeadSlices(gradient, channels: outputs)
    try submission.append(
      WeightGradient(of: slices, input: input, inputs: inputs, rows: rows, into: weights.gradient))
    try submission.append(ColumnSum(of: slices, rows: rows, into: bias.gradient))
  }

  /// Adds the gradient of the input to what `out` holds.
  func appendInputGradient(
    of gradient: Tensor, rows: Int, addedTo out: Tensor, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) {
    let transposed = try engine.makePanels(for: .whole(inputs), channels: outputs)
    let zeros = try engine.makeTensor(.float32, inputs)
    try submission.upload(.float32([Float](repeating: 0, count: inputs)), to: zeros)
    try submission.append(
      PackTransposed(HeadSlices(weights.value, channels: inputs), rows: outputs, into: transposed))
    try submission.append(
      DenseLayer(
        gradient, rows: rows, weights: DenseWeights(panels: transposed, bias: zeros, outputs: inputs),
        residual: out, into: out))
  }
}
