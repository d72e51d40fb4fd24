/// What a dense layer does to its sums.
package enum Activation: Sendable, Hashable {
  case none
  /// `x · Φ(x)`, by the error function.
  case gelu
  /// GELU by its tanh approximation.
  case geluTanh
  case relu
  /// `x / (1 + exp(-x))`
  case silu
}

/// A dense layer's parameters, packed once.
package struct DenseWeights: Sendable {
  /// Weights `[outputs, inputs]` as columns: one head of `inputs` channels.
  package let panels: Panels
  /// `[outputs]`
  package let bias: Tensor
  package let outputs: Int

  package init(panels: Panels, bias: Tensor, outputs: Int) {
    self.panels = panels
    self.bias = bias
    self.outputs = outputs
  }

  package var inputs: Int { panels.channels }
}

/// `out[t, o] = activation(Σ_c input[t, c] · weights[o, c] + bias[o]) + residual[t, o]`
package struct DenseLayer: Sendable {
  package var input: Tensor
  package var weights: DenseWeights
  package var activation: Activation
  /// Added after the activation; may be `out` itself.
  package var residual: Tensor?
  package var out: Tensor
  package var rows: Int

  package init(
    _ input: Tensor, rows: Int, weights: DenseWeights, activation: Activation = .none, residual: Tensor? = nil,
    into out: Tensor
  ) {
    self.input = input
    self.rows = rows
    self.weights = weights
    self.activation = activation
    self.residual = residual
    self.out = out
  }

  func validate() throws(EngineError) {
    let name: StaticString = "dense layer"
    try HeadSlices(input, channels: weights.inputs).validate(name, rows: rows)
    try require(
      input.width == weights.inputs, name,
      "rows have \(input.width) channels, the weights take \(weights.inputs)")
    try weights.panels.requirePanels(of: .whole(weights.outputs), name)
    try require(weights.bias, holds: weights.outputs, name, "the bias")
    try require(out, holds: rows * weights.outputs, name, "the result")
    try require(
      out.width == weights.outputs, name,
      "the result has \(out.width) channels, the layer makes \(weights.outputs)")
    try require(out, isNot: input, name)
    if let residual { try require(residual, holds: rows * weights.outputs, name, "the residual") }
  }
}
