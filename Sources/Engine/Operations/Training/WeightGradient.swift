/// The gradient of a dense layer's weights: `out[o, c] = Σ_t gradient[t, o] · input[t, c]`.
///
/// The sum is one chain over the rows, in order: a cell has the same bits whatever stands beside it.
package struct WeightGradient: Sendable {
  /// The gradient of the layer's outputs: one head of `outputs` channels.
  package var gradient: HeadSlices
  /// The layer's input `[rows, inputs]` as `PackTransposed` lays it out: one head of `rows` channels.
  package var input: Panels
  package var rows: Int
  package var inputs: Int
  /// `[outputs, inputs]`
  package var out: Tensor

  package init(of gradient: HeadSlices, input: Panels, inputs: Int, rows: Int, into out: Tensor) {
    self.gradient = gradient
    self.input = input
    self.inputs = inputs
    self.rows = rows
    self.out = out
  }

  package var outputs: Int { gradient.channels }

  func validate() throws(EngineError) {
    let name: StaticString = "weight gradient"
    try gradient.validate(name, rows: rows)
    try require(gradient.heads == 1, name, "the gradient has one head, not \(gradient.heads)")
    try require(inputs > 0 && inputs <= indexLimit, name, "\(inputs) inputs")
    try require(
      input.heads == 1 && input.channels == rows, name,
      "the input has \(input.heads) heads of \(input.channels) channels, the gradient \(rows) rows")
    try input.requirePanels(of: .whole(inputs), name)
    try require(
      out.width == inputs, name, "the result has \(out.width) channels, the input \(inputs)")
    try require(out, holds: outputs * inputs, name, "the result")
    try require(out, isNot: gradient.tensor, name)
    try require(out, isNot: input.tensor, name)
  }
}
