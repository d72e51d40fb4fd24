/// Group normalisation (Wu and He, 2018) of images whose pixels are rows:
///
/// `out[b, p, c] = activation(((x[b, p, c] - mean) / sqrt(variance + epsilon) · gain[c] + bias[c]) · (1 + factor[b, c]) +
/// shift[b, c])`, mean and population variance over all pixels of the image and the channels of c's group.
package struct GroupNormalization: Sendable {
  /// What a time embedding does to a normalised image (`scale_shift`): rows are images, one head of a number a channel.
  package struct Modulation: Sendable {
    /// One less than what a channel is multiplied by.
    package var factor: HeadSlices
    /// Added afterwards.
    package var shift: HeadSlices

    package init(factor: HeadSlices, shift: HeadSlices) {
      self.factor = factor
      self.shift = shift
    }
  }

  package var input: PixelRows
  package var grid: PixelGrid
  /// Groups of neighbouring channels; they divide the channels, of two tensors taken together.
  package var groups: Int
  /// `[channels]`
  package var gain: Tensor
  /// `[channels]`
  package var bias: Tensor
  package var epsilon: Float
  package var modulation: Modulation?
  package var activation: Activation
  /// `[rows, channels]`
  package var out: Tensor

  package init(
    _ input: PixelRows, grid: PixelGrid, groups: Int, gain: Tensor, bias: Tensor, epsilon: Float,
    modulation: Modulation? = nil, activation: Activation = .none, into out: Tensor
  ) {
    self.input = input
    self.grid = grid
    self.groups = groups
    self.gain = gain
    self.bias = bias
    self.epsilon = epsilon
    self.modulation = modulation
    self.activation = activation
    self.out = out
  }

  func validate() throws(EngineError) {
    let name: StaticString = "group normalisation"
    let channels = input.channels
    try grid.validate(name)
    try input.validate(name, rows: grid.rows)
    try require(
      groups > 0 && channels.isMultiple(of: groups), name, "\(channels) channels do not form \(groups) groups")
    try require(gain, holds: channels, name, "the gain")
    try require(bias, holds: channels, name, "the bias")
    try require(epsilon >= 0 && epsilon.isFinite, name, "epsilon must be finite and not negative")
    try modulation?.factor.validate(perImage: grid, channels: channels, name)
    try modulation?.shift.validate(perImage: grid, channels: channels, name)
    try require(
      out.width == channels, name, "the result has \(out.width) channels, the pixels have \(channels)")
    try require(out, holds: grid.rows.multipliedClamping(by: channels), name, "the result")
    try input.requireApart(from: out, name)
  }
}
