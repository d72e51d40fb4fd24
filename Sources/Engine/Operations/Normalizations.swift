/// `out[t, c] = (x[t, c] - mean_t) / sqrt(variance_t + epsilon) · gain[c] + bias[c]` over each row (Ba et al., 2016).
package struct LayerNormalization: DeviceOperation {
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

  package func validate() throws(EngineError) {
    let name: StaticString = "layer normalisation"
    try HeadSlices(input, channels: input.width).validate(name, rows: rows)
    try require(gain, holds: input.width, name, "the gain")
    try require(bias, holds: input.width, name, "the bias")
    try require(out, holds: rows * input.width, name, "the result")
    try require(out, isNot: input, name)
    try require(epsilon >= 0 && epsilon.isFinite, name, "epsilon must be finite and not negative")
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let channels = input.width
    let x = try memory.floats(input)
    let (gains, biases) = (try memory.floats(gain), try memory.floats(bias))
    let result = try memory.floats(out)
    for t in 0..<rows {
      let row = (0..<channels).map { Double(x[t * channels + $0]) }
      let mean = row.reduce(0, +) / Double(channels)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
      let scale = 1 / (variance + Double(epsilon)).squareRoot()
      for c in 0..<channels {
        result[t * channels + c] = Float((row[c] - mean) * scale * Double(gains[c]) + Double(biases[c]))
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "network/layer_norm.cl", "layer_norm", tiles,
        arguments: [
          "x": .tensor(input), "out": .tensor(out), "gain": .tensor(gain), "bias": .tensor(bias),
          "channels": .int(input.width), "epsilon": .float(epsilon),
        ],
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}

/// Group normalisation (Wu and He, 2018) of images whose pixels are rows:
///
/// `out[b, p, c] = activation(((x[b, p, c] - mean) / sqrt(variance + epsilon) · gain[c] + bias[c]) · (1 + factor[b, c]) +
/// shift[b, c])`, mean and population variance over all pixels of the image and the channels of c's group.
package struct GroupNormalization: DeviceOperation {
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
  /// Scratch `[images, partialWidth(pixels:groups:)]`.
  package var partials: Tensor
  /// `[rows, channels]`
  package var out: Tensor

  package init(
    _ input: PixelRows, grid: PixelGrid, groups: Int, gain: Tensor, bias: Tensor, epsilon: Float,
    modulation: Modulation? = nil, activation: Activation = .none, partials: Tensor, into out: Tensor
  ) {
    self.input = input
    self.grid = grid
    self.groups = groups
    self.gain = gain
    self.bias = bias
    self.epsilon = epsilon
    self.modulation = modulation
    self.activation = activation
    self.partials = partials
    self.out = out
  }

  package func validate() throws(EngineError) {
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
    let width = Self.partialWidth(pixels: grid.pixels, groups: groups)
    try require(partials, holds: grid.images.multipliedClamping(by: width), name, "the scratch of statistics")
    try require(partials, isNot: out, name)
    try input.requireApart(from: partials, name)
    for operand in [gain, bias, modulation?.factor.tensor, modulation?.shift.tensor] {
      if let operand { try require(partials, isNot: operand, name) }
    }
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let channels = input.channels
    let pixels = try input.reader(memory)
    let (gains, biases) = (try memory.floats(gain), try memory.floats(bias))
    let modulations = try modulation.map { (pair) throws(EngineError) in
      (factor: try memory.vectors(pair.factor), shift: try memory.vectors(pair.shift))
    }
    let result = try memory.floats(out)
    let size = channels / groups
    for image in 0..<grid.images {
      let rows = image * grid.pixels..<(image + 1) * grid.pixels
      let factors = modulations?.factor.vector(start: image, index: 0, head: 0, channels: channels)
      let shifts = modulations?.shift.vector(start: image, index: 0, head: 0, channels: channels)
      for group in 0..<groups {
        let members = group * size..<(group + 1) * size
        let count = Double(grid.pixels * size)
        var mean = 0.0
        for row in rows { for c in members { mean += pixels(row, c) / count } }
        var variance = 0.0
        for row in rows { for c in members { variance += (pixels(row, c) - mean) * (pixels(row, c) - mean) / count } }
        let scale = 1 / (variance + Double(epsilon)).squareRoot()
        for row in rows {
          for c in members {
            var value = (pixels(row, c) - mean) * scale * Double(gains[c]) + Double(biases[c])
            if let factors, let shifts { value = value * (1 + factors[c]) + shifts[c] }
            result[row * channels + c] = Float(activation(value))
          }
        }
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    let groupsPerSlice = Self.groupsPerSlice(ofSize: input.channels / groups, tiles)
    // What is not there still needs an argument: the bias stands in.
    let none = HeadSlices(bias, channels: bias.width)
    let image: KernelArguments =
      input.arguments + [
        "pixels": .int(grid.pixels), "groups": .int(groups), "groups_per_slice": .int(groupsPerSlice),
      ]
    let affine: KernelArguments = ["gain": .tensor(gain), "bias": .tensor(bias), "epsilon": .float(epsilon)]
    let result =
      (modulation?.factor ?? none).singleHeadArguments("factors", prefix: "factor_")
      + (modulation?.shift ?? none).singleHeadArguments("shifts", prefix: "shift_") + ["out": .tensor(out)]
    let slices = grid.images * ceilingDivide(groups, groupsPerSlice)
    guard tiles.variant == .gpu else {
      return [
        KernelLaunch(
          "network/group_norm_cpu.cl", "group_norm", tiles,
          arguments: image + affine
            + ["activation": .int(activation.rawValue), "modulated": .int(modulation == nil ? 0 : 1)] + result,
          groups: [slices], groupSize: tiles.rowGroup)
      ]
    }
    let chunkPixels = Self.chunkPixels(grid.pixels)
    let chunks: KernelArguments = ["chunk_pixels": .int(chunkPixels), "partials": .tensor(partials)]
    let workGroups = slices * ceilingDivide(grid.pixels, chunkPixels)
    return [
      KernelLaunch(
        "network/group_statistics_gpu.cl", "group_statistics", tiles, arguments: image + chunks,
        groups: [workGroups], groupSize: tiles.rowGroup),
      KernelLaunch(
        "network/group_norm_gpu.cl", "group_norm", tiles,
        defines: ["GN_ACTIVATION": activation.define, "GN_MODULATED": modulation == nil ? "0" : "1"],
        arguments: image + chunks + affine + result,
        groups: [workGroups], groupSize: tiles.rowGroup),
    ]
  }

  /// Groups of channels that a work-group normalises: as many as fill a slice of 64 channels, and whole vectors if that
  /// can be.
  private static func groupsPerSlice(ofSize size: Int, _ tiles: TileShape) -> Int {
    let most = max(1, 64 / size)
    return (1...most).last { ($0 * size).isMultiple(of: tiles.variant == .cpu ? 16 : 4) } ?? most
  }

  /// Pixels of a chunk, whose statistics are taken by themselves on a GPU. An image has at most 32 chunks: each
  /// work-group that normalises reads the statistics of all.
  private static func chunkPixels(_ pixels: Int) -> Int { max(16, ceilingDivide(pixels, 32)) }

  /// Numbers of scratch an image: for each chunk and group a mean and a sum of squares.
  package static func partialWidth(pixels: Int, groups: Int) -> Int {
    ceilingDivide(pixels, chunkPixels(pixels)).multipliedClamping(by: groups.multipliedClamping(by: 2))
  }
}
