/// A two-dimensional convolution over images whose pixels are rows:
///
/// `out[b, y, x, o] = scale · (activation(Σ_tap Σ_c input[b, y·stride + i - before, x·stride + j - before, c] · w[tap, o, c]
/// + bias[o] + shift[b, o]) + residual[b, y, x, o])`, with tap `(i, j)`; pixels beyond the edge are 0.
package struct Convolution: DeviceOperation {
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

  package func validate() throws(EngineError) {
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

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let (from, to) = (grid, outputGrid)
    let pixels = try input.reader(memory)
    let columns = try memory.vectors(weights.panels)
    let biases = try memory.floats(weights.bias)
    let shiftRows = try shift.map { (slices) throws(EngineError) in try memory.vectors(slices) }
    let added = try residual.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let result = try memory.floats(out)
    let spread = weights.upsamples ? 2 : 1
    let channels = weights.panels.channels
    let kernels = (0..<weights.phases).map { phase in
      (0..<weights.outputs).map { columns.vector(start: 0, index: $0, head: phase, channels: channels) }
    }
    for row in 0..<to.rows {
      let (image, y, x) = (row / to.pixels, row % to.pixels / to.width, row % to.width)
      // Where the result is spread, neighbours are of different phases.
      let (p, q) = (y % spread, x % spread)
      var window = [Double](repeating: 0, count: channels)
      for tap in 0..<weights.window * weights.window {
        let i = y / spread * stride + tap / weights.window - (before - p)
        let j = x / spread * stride + tap % weights.window - (before - q)
        guard (0..<from.height).contains(i), (0..<from.width).contains(j) else { continue }
        let pixel = image * from.pixels + i * from.width + j
        for c in 0..<weights.inputs { window[tap * weights.inputs + c] = pixels(pixel, c) }
      }
      let shifts = shiftRows?.vector(start: image, index: 0, head: 0, channels: weights.outputs)
      for o in 0..<weights.outputs {
        var value = activation(dot(window, kernels[2 * p + q][o]) + Double(biases[o]) + (shifts?[o] ?? 0))
        if let added { value += Double(added[row * weights.outputs + o]) }
        result[row * weights.outputs + o] = Float(Double(scale) * value)
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    // An image made larger is four convolutions, each of a quarter of the result's pixels: the heads of the weights.
    let rowGrid = weights.upsamples ? grid : outputGrid
    // Rows a work-item holds: on a CPU device several blocks, which take to a part of a panel in turn.
    let itemRows = tiles.variant == .cpu ? 32 : TileShape.registerRows
    let panelsPerItem = tiles.choice[TileChoice.panelsPerItem] ?? 1
    // What is not there still needs an argument: the bias stands in.
    let shifts = shift ?? HeadSlices(weights.bias, channels: weights.outputs)
    let columns = weights.panels
    // As in a dense layer, row tiles run fastest over one panel of weights.
    let share = PairwiseGrid(
      rowGroups: ceilingDivide(rowGrid.rows, tiles.productRows(itemRows: itemRows)),
      chunks: ceilingDivide(ceilingDivide(weights.outputs, columns.width), panelsPerItem), matrices: columns.heads)
    return [
      KernelLaunch(
        KernelSource(stringLiteral: "pairwise/pairwise.cl").including("pairwise/epilogue_dense.clh", as: "epilogue"),
        "pairwise", tiles,
        defines: ["PW_IMAGE": "1", "PW_ROWS": "\(itemRows)"]
          .merging(tiles.constants(denseConstants(activation, residual: residual))) { $1 }
          .merging(tiles.precisionDefines) { $1 }.merging(tiles.choice.macros) { $1 },
        arguments: [
          "rows": .tensor(input.first), "row_stride": .int(input.first.width), "row_offset": .int(0),
          "row_head_stride": .int(0), "panels": .tensor(columns.tensor), "heads": .int(columns.heads),
          "channels": .int(columns.channels), "scale": .float(1),
          "panels_per_item": .int(panelsPerItem),
        ] + share.arguments + [
          "row_count": .int(rowGrid.rows), "column_count": .int(weights.outputs),
          "second": .tensor(input.second ?? input.first), "second_channels": .int(input.second?.width ?? 0),
          "margin": .tensor(weights.margin), "height": .int(grid.height), "width": .int(grid.width),
          "out_height": .int(rowGrid.height), "out_width": .int(rowGrid.width), "window": .int(weights.window),
          "window_stride": .int(stride), "before": .int(before), "spread": .int(weights.upsamples ? 2 : 1),
          "out": .tensor(out), "out_stride": .int(out.width), "bias": .tensor(weights.bias),
        ] + denseArguments(activation, residual: residual, out: out) + ["out_scale": .float(scale)]
          + shifts.singleHeadArguments("shifts", prefix: "shift_") + ["shifted": .int(shift == nil ? 0 : 1)],
        groups: share.groups, groupSize: tiles.group)
    ]
  }

  package func tuning(_ tiles: TileShape) -> TuningSpace? {
    let rows = weights.upsamples ? grid.rows : outputGrid.rows
    let inputs = input.second.map { "\(input.first.width) + \($0.width)" } ?? "\(input.first.width)"
    var key = "convolution \(weights.size)x\(weights.size) \(inputs) -> \(weights.outputs)"
    if stride > 1 { key += " stride \(stride)" }
    if weights.upsamples { key += " upsampling" }
    if activation != .none { key += " \(activation)" }
    if residual != nil { key += " + residual" }
    return TuningSpace(
      "\(key), rows \(TuningSpace.bucket(rows))",
      knobs: tiles.productKnobs(
        rows: rows, panels: ceilingDivide(weights.outputs, weights.panels.width), itemRows: [8, 16, 64]))
  }
}

/// A convolution's parameters, packed once.
package struct ConvolutionWeights: Sendable {
  /// The outputs as columns of `window · window · inputs` channels, tap by tap: one head, or one for each phase.
  package let panels: Panels
  /// `[outputs]`
  package let bias: Tensor
  /// `[inputs]` zeros: what a pixel beyond the edge reads as.
  package let margin: Tensor
  package let inputs: Int
  package let outputs: Int
  /// 1 or 3: the window's height and width.
  package let size: Int
  /// The image is made twice as large before, by repeating each pixel. No such image is stored: a window of 3 × 3 of its
  /// pixels sees 2 × 2 different ones, and where it starts makes four sets of weights, the phases.
  package let upsamples: Bool

  package init(
    panels: Panels, bias: Tensor, margin: Tensor, inputs: Int, outputs: Int, size: Int, upsamples: Bool = false
  ) {
    self.panels = panels
    self.bias = bias
    self.margin = margin
    self.inputs = inputs
    self.outputs = outputs
    self.size = size
    self.upsamples = upsamples
  }

  /// Height and width of what a window sees of the stored image.
  package var window: Int { upsamples ? 2 : size }
  package var phases: Int { upsamples ? 4 : 1 }

  func validate(_ name: StaticString) throws(EngineError) {
    try require(size == 1 || size == 3, name, "windows are 1 × 1 or 3 × 3, not \(size) × \(size)")
    try require(!upsamples || size == 3, name, "an image is made larger for windows of 3 × 3")
    try require(inputs > 0 && outputs > 0, name, "\(inputs) channels to \(outputs)")
    try require(
      panels.heads == phases && panels.channels == (window * window).multipliedClamping(by: inputs), name,
      "the weights have \(panels.heads) heads of \(panels.channels) channels, not \(phases) of \(window * window) taps of \(inputs)"
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
  /// - Returns: the parameters, ready when the call returns.
  /// - Throws: `EngineError` if they do not fit each other or the device has no room.
  package func makeConvolutionWeights(
    _ weights: [Float], bias: [Float], outputs: Int, inputs: Int, size: Int, upsamples: Bool = false
  ) async throws(EngineError) -> ConvolutionWeights {
    let taps = size.multipliedClamping(by: size)
    try require(
      outputs > 0 && inputs > 0 && size > 0 && bias.count == outputs
        && weights.count == outputs.multipliedClamping(by: inputs).multipliedClamping(by: taps), "convolution weights",
      "\(weights.count) weights and \(bias.count) biases are not \(size) × \(size) windows from \(inputs) channels to \(outputs)"
    )
    let phases = upsamples ? 4 : 1
    let columns = upsamples ? phaseColumns(weights, inputs: inputs) : tapColumns(weights, inputs: inputs, taps: taps)
    let channels = columns.count / (outputs * phases)
    let rows = try makeTensor(.float32, outputs, phases * channels)
    let extent = Extent.whole(outputs)
    let panels = try makePanels(for: extent, heads: phases, channels: channels)
    let result = ConvolutionWeights(
      panels: panels, bias: try makeTensor(.float32, outputs), margin: try makeTensor(.float32, inputs), inputs: inputs,
      outputs: outputs, size: size, upsamples: upsamples)
    try result.validate("convolution weights")
    var submission = Submission()
    try submission.upload(.float32(columns), to: rows)
    try submission.upload(.float32(bias), to: result.bias)
    try submission.upload(.float32([Float](repeating: 0, count: inputs)), to: result.margin)
    let slices = HeadSlices(rows, headStride: channels, heads: phases, channels: channels)
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
