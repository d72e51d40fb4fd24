/// A convolution's parameters, packed once.
package struct ConvolutionWeights: Sendable {
  /// The outputs as columns of `window · window · inputs` channels, tap by tap: one head, or one for each phase or for each
  /// position of a transformed window.
  package let panels: Panels
  /// `[outputs]`
  package let bias: Tensor
  /// `[inputs]` zeros: what a pixel beyond the edge reads as.
  package let margin: Tensor
  package let inputs: Int
  package let outputs: Int
  /// 1 or 3: the window's height and width.
  package let size: Int
  package let form: Form

  /// What the columns are of the windows.
  package enum Form: Sendable, Hashable {
    /// Their taps.
    case taps
    /// The image is made twice as large before, by repeating each pixel. No such image is stored: a window of 3 × 3 of its
    /// pixels sees 2 × 2 different ones, and where it starts makes four sets of weights, the phases.
    case phases
    /// Winograd's: 4 × 4 sums of a window's taps, for tiles of 2 × 2 pixels; see `Kernels/network/winograd_cpu.cl`.
    case transformed

    /// Heads of the panels.
    package var heads: Int {
      switch self {
      case .taps: 1
      case .phases: 4
      case .transformed: 16
      }
    }
  }

  package init(
    panels: Panels, bias: Tensor, margin: Tensor, inputs: Int, outputs: Int, size: Int, form: Form = .taps
  ) {
    self.panels = panels
    self.bias = bias
    self.margin = margin
    self.inputs = inputs
    self.outputs = outputs
    self.size = size
    self.form = form
  }

  package var upsamples: Bool { form == .phases }

  /// Height and width of what a window of one head sees of the stored image.
  package var window: Int {
    switch form {
    case .taps: size
    case .phases: 2
    case .transformed: 1
    }
  }

  func validate(_ name: StaticString) throws(EngineError) {
    try require(size == 1 || size == 3, name, "windows are 1 × 1 or 3 × 3, not \(size) × \(size)")
    try require(form == .taps || size == 3, name, "an image is made larger, or transformed, for windows of 3 × 3")
    try require(inputs > 0 && outputs > 0, name, "\(inputs) channels to \(outputs)")
    try require(
      panels.heads == form.heads && panels.channels == (window * window).multipliedClamping(by: inputs), name,
      "the weights have \(panels.heads) heads of \(panels.channels) channels, not \(form.heads) of \(window * window) taps of \(inputs)"
    )
    try panels.requirePanels(of: .whole(outputs), name)
    try require(bias, holds: outputs, name, "the bias")
    try require(margin, holds: inputs, name, "the margin")
  }
}

extension Engine {
  /// Packs a convolution's parameters.
  ///
  /// - Parameters:
  ///   - weights: `[outputs, inputs, size, size]`, row major, as PyTorch has them.
  ///   - bias: `[outputs]`
  ///   - outputs: channels of the result.
  ///   - inputs: channels of the input, of two tensors taken together.
  ///   - size: the window's height and width, 1 or 3.
  ///   - upsamples: whether the convolution sees each pixel of its input twice in both directions.
  ///   - transforms: whether it takes transformed images of even height and width, at stride 1, where this device gains by
  ///     that; not with `upsamples`.
  /// - Returns: the parameters, ready when the call returns.
  /// - Throws: `EngineError` if they do not fit each other or the device has no room.
  package func makeConvolutionWeights(
    _ weights: [Float], bias: [Float], outputs: Int, inputs: Int, size: Int, upsamples: Bool = false,
    transforms: Bool = false
  ) async throws(EngineError) -> ConvolutionWeights {
    let taps = size.multipliedClamping(by: size)
    try require(
      outputs > 0 && inputs > 0 && size > 0 && bias.count == outputs
        && weights.count == outputs.multipliedClamping(by: inputs).multipliedClamping(by: taps), "convolution weights",
      "\(weights.count) weights and \(bias.count) biases are not \(size) × \(size) windows from \(inputs) channels to \(outputs)"
    )
    try require(
      size == 3 ? !(upsamples && transforms) : !(upsamples || transforms), "convolution weights",
      "an image is either made larger or transformed, for windows of 3 × 3")
    let form: ConvolutionWeights.Form =
      upsamples ? .phases : transforms && weightLayout.transformsConvolutions ? .transformed : .taps
    let columns =
      switch form {
      case .taps: tapColumns(weights, inputs: inputs, taps: taps)
      case .phases: phaseColumns(weights, inputs: inputs)
      case .transformed: transformedColumns(weights, inputs: inputs)
      }
    let channels = columns.count / (outputs * form.heads)
    let rows = try makeTensor(.float32, outputs, form.heads * channels)
    let extent = Extent.whole(outputs)
    let panels = try makePanels(for: extent, heads: form.heads, channels: channels)
    let result = ConvolutionWeights(
      panels: panels, bias: try makeTensor(.float32, outputs), margin: try makeTensor(.float32, inputs), inputs: inputs,
      outputs: outputs, size: size, form: form)
    try result.validate("convolution weights")
    var submission = Submission()
    try submission.upload(.float32(columns), to: rows)
    try submission.upload(.float32(bias), to: result.bias)
    try submission.upload(.float32([Float](repeating: 0, count: inputs)), to: result.margin)
    let slices = HeadSlices(rows, headStride: channels, heads: form.heads, channels: channels)
    try submission.append(PackColumns(slices, extent: extent, into: panels))
    _ = try await run(submission)
    return result
  }
}

/// `[outputs, taps, inputs]` of `[outputs, inputs, taps]`.
private func tapColumns(_ weights: [Float], inputs: Int, taps: Int) -> [Float] {
  var columns = [Float](repeating: 0, count: weights.count)
  for start in stride(from: 0, to: weights.count, by: inputs * taps) {
    for input in 0..<inputs {
      for tap in 0..<taps { columns[start + tap * inputs + input] = weights[start + input * taps + tap] }
    }
  }
  return columns
}

/// `[outputs, phases, 2 · 2 taps, inputs]` of `[outputs, inputs, 3 · 3]`: sums of the taps that fall on one pixel.
private func phaseColumns(_ weights: [Float], inputs: Int) -> [Float] {
  var columns: [Float] = []
  columns.reserveCapacity(weights.count / 9 * 16)
  // The taps of a line that see the first and the second pixel, in each of its two phases.
  let lines = [[0..<1, 1..<3], [0..<2, 2..<3]]
  for start in stride(from: 0, to: weights.count, by: inputs * 9) {
    for phase in 0..<4 {
      for tap in 0..<4 {
        let (rows, places) = (lines[phase / 2][tap / 2], lines[phase % 2][tap % 2])
        for input in 0..<inputs {
          var sum = 0.0
          for i in rows { for j in places { sum += Double(weights[start + input * 9 + 3 * i + j]) } }
          columns.append(Float(sum))
        }
      }
    }
  }
  return columns
}
