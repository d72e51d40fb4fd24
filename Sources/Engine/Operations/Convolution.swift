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
      weights.form != .transformed
        || (stride == 1 && padding == .around && grid.height % 2 == 0 && grid.width % 2 == 0),
      name, "transformed weights take stride 1, padding around, and images of even height and width")
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
    let to = outputGrid
    let pixels = try input.reader(memory)
    let columns = try memory.vectors(weights.panels)
    let biases = try memory.floats(weights.bias)
    let shiftRows = try shift.map { (slices) throws(EngineError) in try memory.vectors(slices) }
    let added = try residual.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let result = try memory.floats(out)
    let kernels = (0..<weights.form.heads).map { head in
      (0..<weights.outputs).map {
        columns.vector(start: 0, index: $0, head: head, channels: weights.panels.channels)
      }
    }
    let sums = weights.form == .transformed ? transformedSums(pixels, kernels) : windowSums(pixels, kernels)
    for image in 0..<to.images {
      let shifts = shiftRows?.vector(start: image, index: 0, head: 0, channels: weights.outputs)
      for row in image * to.pixels..<(image + 1) * to.pixels {
        for o in 0..<weights.outputs {
          let at = row * weights.outputs + o
          var value = activation(sums[at] + Double(biases[o]) + (shifts?[o] ?? 0))
          if let added { value += Double(added[at]) }
          result[at] = Float(Double(scale) * value)
        }
      }
    }
  }

  /// `[row, output]` sums of windows.
  private func windowSums(_ pixels: (Int, Int) -> Double, _ kernels: [[[Double]]]) -> [Double] {
    let (from, to) = (grid, outputGrid)
    let spread = weights.upsamples ? 2 : 1
    var sums: [Double] = []
    sums.reserveCapacity(to.rows * weights.outputs)
    for row in 0..<to.rows {
      let (image, y, x) = (row / to.pixels, row % to.pixels / to.width, row % to.width)
      // Where the result is spread, neighbours are of different phases.
      let (p, q) = (y % spread, x % spread)
      var window = [Double](repeating: 0, count: weights.panels.channels)
      for tap in 0..<weights.window * weights.window {
        let i = y / spread * stride + tap / weights.window - (before - p)
        let j = x / spread * stride + tap % weights.window - (before - q)
        guard (0..<from.height).contains(i), (0..<from.width).contains(j) else { continue }
        let pixel = image * from.pixels + i * from.width + j
        for c in 0..<weights.inputs { window[tap * weights.inputs + c] = pixels(pixel, c) }
      }
      sums += kernels[2 * p + q].map { dot(window, $0) }
    }
    return sums
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    if weights.form == .transformed { return transformedLaunches(tiles) }
    // An image made larger is four convolutions, each of a quarter of the result's pixels: the heads of the weights.
    let rowGrid = weights.upsamples ? grid : outputGrid
    // Rows a work-item holds: on a CPU device several blocks, which take to a part of a panel in turn.
    let itemRows = tiles.variant == .cpu ? 32 : TileShape.registerRows
    let panelsPerItem = tiles.choice[TileChoice.panelsPerItem] ?? 1
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
        ] + imageArguments(rowGrid) + [
          "window": .int(weights.window), "window_stride": .int(stride), "before": .int(before),
          "spread": .int(weights.upsamples ? 2 : 1),
        ] + endArguments,
        groups: share.groups, groupSize: tiles.group)
    ]
  }

  /// The image that a kernel reads, whose rows are the places of `rowGrid`.
  func imageArguments(_ rowGrid: PixelGrid) -> KernelArguments {
    [
      "second": .tensor(input.second ?? input.first), "second_channels": .int(input.second?.width ?? 0),
      "margin": .tensor(weights.margin), "height": .int(grid.height), "width": .int(grid.width),
      "out_height": .int(rowGrid.height), "out_width": .int(rowGrid.width),
    ]
  }

  /// What is done to the sums.
  var endArguments: KernelArguments {
    // What is not there still needs an argument: the bias stands in.
    let shifts = shift ?? HeadSlices(weights.bias, channels: weights.outputs)
    return ["out": .tensor(out), "out_stride": .int(out.width), "bias": .tensor(weights.bias)]
      + denseArguments(activation, residual: residual, out: out) + ["out_scale": .float(scale)]
      + shifts.singleHeadArguments("shifts", prefix: "shift_") + ["shifted": .int(shift == nil ? 0 : 1)]
  }

  package func tuning(_ tiles: TileShape) -> TuningSpace? {
    let rows = weights.upsamples ? grid.rows : outputGrid.rows
    let inputs = input.second.map { "\(input.first.width) + \($0.width)" } ?? "\(input.first.width)"
    var key = "convolution \(weights.size)x\(weights.size) \(inputs) -> \(weights.outputs)"
    if weights.form == .transformed { key += " transformed" }
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
