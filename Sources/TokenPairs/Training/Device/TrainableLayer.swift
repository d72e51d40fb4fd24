internal import Engine

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

  init(outputs: Int, inputs: Int, on engine: Engine) throws(EngineError) {
    self.outputs = outputs
    self.inputs = inputs
    weights = try Parameter([outputs, inputs], on: engine)
    bias = try Parameter([outputs], on: engine)
    panels = try engine.makePanels(for: .whole(outputs), channels: inputs)
  }

  /// Weights and bias: the first alone decays.
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
