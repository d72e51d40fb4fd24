internal import Engine

/// A head that learns on the device: forward, loss and gradient as operations of one submission.
struct TrainableHead: Sendable {
  /// The form; its numbers are those that training began with.
  let initial: HeadParameters
  private let engine: Engine
  private let projection: TrainableLayer
  private let bias: TrainableLayer?
  private let rotary: (forward: RotaryTable, inverse: RotaryTable)?

  /// Makes room for a head; `restore` fills it.
  init(_ initial: HeadParameters, positions: Int, on engine: Engine) async throws(EngineError) {
    self.initial = initial
    self.engine = engine
    let layer = initial.projection
    projection = try TrainableLayer(outputs: layer.outputs, inputs: layer.inputs, on: engine)
    bias =
      if let bias = initial.bias {
        try TrainableLayer(outputs: bias.outputs, inputs: bias.inputs, on: engine)
      } else { nil }
    rotary =
      if initial.rope {
        (
          try await engine.makeRotaryTable(positions: positions, channels: initial.headSize),
          try await engine.makeRotaryTable(positions: positions, channels: initial.headSize, inverse: true)
        )
      } else { nil }
  }

  var layers: [TrainableLayer] { [projection] + (bias.map { [$0] } ?? []) }

  private var heads: Int { initial.kind == .efficient ? 1 : initial.types }

  /// Adds the loss of a batch and the gradients of all parameters.
  /// - Returns: the totals of the loss.
  func append(
    _ batch: BatchFeatures, labels: HeadLabels, loss: PairLoss.Kind, weight: Float, in submission: inout Submission
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
      queries: try unrotatedPlace(block(gradient, 0), rows: rows),
      keys: try unrotatedPlace(block(gradient, 1), rows: rows)
    )
    let totals = try PairLossPass(
      loss, queries: queries, keys: keys, segments: batch.segments, scale: 1 / Float(initial.headSize).squareRoot(),
      triangular: initial.triangular, margin: 1, biases: biases, labels: cellLabels(labels),
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
      if initial.biasInput == .projection {
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
      projected, offset: part * initial.headSize, headStride: 2 * initial.headSize, heads: heads,
      channels: initial.headSize)
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
  private func unrotatedPlace(_ place: HeadSlices, rows: Int) throws(EngineError) -> HeadSlices {
    rotary == nil ? place : try compact(rows: rows)
  }

  private func compact(rows: Int) throws(EngineError) -> HeadSlices {
    HeadSlices(
      try engine.makeTensor(.float32, rows, heads * initial.headSize), headStride: initial.headSize, heads: heads,
      channels: initial.headSize)
  }

  private func passBiases(
    _ batch: BatchFeatures, _ projected: Tensor, in submission: inout Submission
  ) throws(EngineError) -> PairLossPass.Biases? {
    guard let bias else { return nil }
    let values = try engine.makeTensor(.float32, batch.rows, bias.outputs)
    try bias.append(
      initial.biasInput == .projection ? projected : batch.hidden, rows: batch.rows, into: values, in: &submission)
    return PairLossPass.Biases(
      values, types: initial.types, scale: initial.biasScale,
      gradients: try engine.makeTensor(.float32, batch.rows, bias.outputs))
  }

  private func cellLabels(_ labels: HeadLabels) -> [CellLabel] {
    labels.cells.enumerated().flatMap { window, cells in
      cells.map { CellLabel(segment: window, type: $0.type, start: $0.row, end: $0.column, value: $0.value) }
    }
  }
}
