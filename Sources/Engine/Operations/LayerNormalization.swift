/// `out[t, c] = (x[t, c] - mean_t) / sqrt(variance_t + epsilon) · gain[c] + bias[c]` over each row (Ba et al., 2016).
package struct LayerNormalization: Sendable {
  package var input: Tensor
  package var gain: Tensor
  package var bias: Tensor
  package var epsilon: Float
  package var out: Tensor
  package var rows: Int

  package init(_ input: Tensor, rows: Int, gain: Tensor, bias: Tensor, epsilon: Float, into out: Tensor) {
    self.input = input
    self.rows = rows
    self.gain = gain
    self.bias = bias
    self.epsilon = epsilon
    self.out = out
  }

  func validate() throws(EngineError) {
    let name: StaticString = "layer normalisation"
    try HeadSlices(input, channels: input.width).validate(name, rows: rows)
    try require(gain, holds: input.width, name, "the gain")
    try require(bias, holds: input.width, name, "the bias")
    try require(out, holds: rows * input.width, name, "the result")
    try require(out, isNot: input, name)
    try require(epsilon >= 0 && epsilon.isFinite, name, "epsilon must be finite and not negative")
  }
}
