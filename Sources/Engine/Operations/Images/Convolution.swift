/// A two-dimensional convolution over images whose pixels are rows:
///
/// `out[b, y, x, o] = scale · (activation(Σ_tap Σ_c input[b, y·stride + i - before, x·stride + j - before, c] · w[tap, o, c]
/// + bias[o] + shift[b, o]) + residual[b, y, x, o])`, with tap `(i, j)`; pixels beyond the edge are 0.
package struct Convolution: Sendable {
  /// Zeros around an image.
  package enum Padding: Sendable, Hashable {
    /// Half a window on every side: at stride 1 the image keeps its size.
    case around
    /// One row below and one column to the right, and none before (what diffusers does at `downsample_padding` 0).
    case after
  }

  package var input: PixelRows
  /// The input's pixels.
  package var grid: PixelGrid
  package var weights: ConvolutionWeights
  /// 1 or 2.
  package var stride: Int
  package var padding: Padding
  /// Numbers added to each channel of an image, such as its time embedding: rows are images, one head of `outputs` channels.
  package var shift: HeadSlices?
  package var activation: Activation
  /// `[rows, outputs]`, added after the activation; may be `out` itself.
  package var residual: Tensor?
  /// What the sum is multiplied by at last.
  package var scale: Float
  /// `[outputGrid.rows, outputs]`
  package var out: Tensor

  package init(
    _ input: PixelRows, grid: PixelGrid, weights: ConvolutionWeights, stride: Int = 1, padding: Padding = .around,
    shift: HeadSlices? = nil, activation: Activation = .none, residual: Tensor? = nil, scale: Float = 1,
    into out: Tensor
  ) {
    self.input = input
    self.grid = grid
    self.weights = weights
    self.stride = stride
    self.padding = padding
    self.shift = shift
    self.activation = activation
    self.residual = residual
    self.scale = scale
    self.out = out
  }

  /// Zeros before the first pixel of a row or column.
  package var before: Int { padding == .around ? weights.size / 2 : 0 }
  private var after: Int { padding == .around ? weights.size / 2 : 1 }

  /// The result's pixels; none if the window does not fit the image.
  package var outputGrid: PixelGrid {
    let factor = weights.upsamples ? 2 : 1
    func places(_ size: Int) -> Int { max(0, size * factor + before + after - weights.size + stride) / stride }
    return PixelGrid(images: grid.images, height: places(grid.height), width: places(grid.width))
  }

  func validate() throws(EngineError) {
    let name: StaticString = "convolution"
    try grid.validate(name)
    try weights.validate(name)
    try require(stride == 1 || stride == 2, name, "the stride is 1 or 2, not \(stride)")
    try require(
      !weights.upsamples || (stride == 1 && padding == .around), name,
      "an image that is made larger takes stride 1 and padding around")
    try input.validate(name, rows: grid.rows)
    try require(
      input.channels == weights.inputs, name,
      "pixels have \(input.channels) channels, the weights take \(weights.inputs)")
    let result = outputGrid
    try result.validate(name)
    try require(
      out.width == weights.outputs, name,
      "the result has \(out.width) channels, the convolution makes \(weights.outputs)")
    let count = result.rows.multipliedClamping(by: weights.outputs)
    try require(out, holds: count, name, "the result")
    try input.requireApart(from: out, name)
    try shift?.validate(perImage: result, channels: weights.outputs, name)
    if let residual { try require(residual, holds: count, name, "the residual") }
    try require(scale.isFinite, name, "the scale must be finite")
  }
}
