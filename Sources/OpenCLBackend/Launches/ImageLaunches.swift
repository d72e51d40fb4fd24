internal import Engine

extension Activation {
  /// As in `Kernels/common/math.clh`.
  var number: Int {
    switch self {
    case .none: 0
    case .gelu: 1
    case .geluTanh: 2
    case .relu: 3
    case .silu: 4
    }
  }
}

extension PixelRows {
  /// Both tensors with their channels; the first stands in for a second that is not there.
  fileprivate var arguments: [KernelLaunch.Argument] {
    [.tensor(first), .int(first.width), .tensor(second ?? first), .int(second?.width ?? 0)]
  }
}

extension HeadSlices {
  /// The tensor, its row length and the first channel.
  fileprivate var perImageArguments: [KernelLaunch.Argument] {
    [.tensor(tensor), .int(tensor.width), .int(offset)]
  }
}

extension Convolution {
  func launch(_ shape: TileShape) -> KernelLaunch {
    // An image made larger is four convolutions, each of a quarter of the result's pixels: the heads of the weights.
    let spread = weights.upsamples ? 2 : 1
    let rowGrid = weights.upsamples ? grid : outputGrid
    let rows = shape.windowRows
    let defines = [
      "PW_EPILOGUE": 3, "PW_IMAGE": 1, "PW_ROWS": rows, "PW_ACTIVATION": activation.number,
      "PW_RESIDUAL": residual == nil ? 0 : 1,
    ]
    // What is not there still needs an argument: the bias stands in.
    let shifts = shift ?? HeadSlices(weights.bias, channels: weights.outputs)
    let columns = weights.panels
    return KernelLaunch(
      spec: KernelSpec(
        source: "pairwise/pairwise.cl", entry: "pairwise", defines: shape.defines.merging(defines) { $1 }),
      arguments: [
        .tensor(input.first), .int(input.first.width), .int(0), .int(0), .tensor(columns.tensor), .int(columns.heads),
        .int(columns.channels), .float(1), .int(1), .int(rowGrid.rows), .int(weights.outputs),
        .tensor(input.second ?? input.first), .int(input.second?.width ?? 0), .tensor(weights.margin),
        .int(grid.height), .int(grid.width), .int(rowGrid.height), .int(rowGrid.width), .int(weights.window),
        .int(stride),
        .int(before), .int(spread), .tensor(out), .int(out.width), .tensor(weights.bias),
        .tensor(residual ?? out), .float(scale),
      ] + shifts.perImageArguments + [.int(shift == nil ? 0 : 1)],
      // As in a dense layer, row tiles run fastest over one panel of weights.
      groups: [
        ceilingDivide(rowGrid.rows, rows * shape.groupRows), ceilingDivide(weights.outputs, columns.width),
        columns.heads,
      ],
      groupSize: shape.group)
  }
}

extension GroupNormalization {
  func launch(_ shape: TileShape) -> KernelLaunch {
    let groupsPerSlice = shape.groupsPerSlice(ofSize: input.channels / groups)
    // What is compiled out still needs an argument: the bias stands in.
    let none = HeadSlices(bias, channels: bias.width)
    return KernelLaunch(
      spec: KernelSpec(
        source: "network/group_norm.cl", entry: "group_norm",
        defines: shape.defines.merging([
          "GN_ACTIVATION": activation.number, "GN_MODULATED": modulation == nil ? 0 : 1,
        ]) { $1 }),
      arguments: input.arguments + [
        .int(grid.pixels), .int(groups), .int(groupsPerSlice), .tensor(gain), .tensor(bias), .float(epsilon),
      ] + (modulation?.factor ?? none).perImageArguments + (modulation?.shift ?? none).perImageArguments + [
        .tensor(out)
      ],
      groups: [ceilingDivide(groups, groupsPerSlice), grid.images, 1], groupSize: shape.rowGroup)
  }
}

extension TileShape {
  /// Groups of channels that a work-group normalises: on a CPU device as many as fill a slice (`GN_SLICE`), and whole
  /// vectors of 16 if that can be.
  fileprivate func groupsPerSlice(ofSize size: Int) -> Int {
    guard variant == .cpu else { return 1 }
    let most = max(1, 64 / size)
    return (1...most).last { ($0 * size).isMultiple(of: 16) } ?? most
  }
}

extension PixelOrder {
  func launch(_ shape: TileShape) -> KernelLaunch {
    // Elements of a group: NW_GROUP · PO_RUN.
    let elements = shape.variant == .cpu ? 256 : shape.rowGroup * 4
    let scales = inputScales ?? CoefficientRows(source)
    return KernelLaunch(
      spec: KernelSpec(source: "network/pixel_order.cl", entry: "pixel_order", defines: shape.defines),
      arguments: [
        .tensor(source), .tensor(out), .int(grid.pixels), .int(channels), .int(direction == .planesToPixels ? 1 : 0),
        .int(inputScales == nil ? 0 : 1),
      ] + scales.arguments,
      groups: [ceilingDivide(grid.pixels * channels, elements), grid.images, 1], groupSize: shape.rowGroup)
  }
}

extension TimeEmbedding {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "network/time_embedding.cl", entry: "time_embedding", defines: shape.defines),
      arguments: levels.arguments + [
        .tensor(frequencies.tensor), .int(frequencies.channels), .int(frequencies.cosineFirst ? 1 : 0),
        .int(frequencies.ofLogarithm ? 1 : 0), .tensor(out),
      ],
      groups: [1, samples, 1], groupSize: shape.rowGroup)
  }
}
