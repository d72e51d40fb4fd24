package import Engine
internal import ModelFiles

/// A pass of a U-Net over a number of images: its buffers on the device, planned once.
package struct UNetPass: Sendable {
  let network: UNet
  let images: Int
  private let plan: BufferPlan
  private let buffers: [Tensor]
  /// For each level with attention the images as sequences of pixels.
  private let sequences: [Int: SegmentTable]

  init(_ network: UNet, images: Int) throws(EngineError) {
    self.network = network
    self.images = images
    let engine = network.engine
    plan = network.graph.buffers(images: images, panelWidth: engine.panelWidth)
    var buffers: [Tensor] = []
    for bytes in plan.buffers { buffers.append(try engine.makeTensor(.float32, bytes / 4)) }
    self.buffers = buffers
    var sequences: [Int: SegmentTable] = [:]
    // Its upload is repeated by each pass, which knows its submission.
    var unused = Submission()
    for case .attend(let step) in network.graph.steps where sequences[step.level] == nil {
      sequences[step.level] = try engine.makeSegmentTable(
        Self.grid(network.graph, step.level, images).segments, uploadedBy: &unused)
    }
    self.sequences = sequences
  }

  /// Adds the network's operations.
  ///
  /// - Parameters:
  ///   - samples: `[images, channels · height · width]`, plane by plane.
  ///   - levels: each image's time, and what it is multiplied by before.
  ///   - answer: `[images, …]`, likewise.
  ///   - submission: where the operations go.
  /// - Throws: `EngineError` if the tensors do not fit the network.
  package func append(
    _ samples: Tensor, at levels: CoefficientRows, into answer: Tensor, to submission: inout Submission
  ) throws(EngineError) {
    for table in sequences.values.sorted(by: { $0.segments.longest > $1.segments.longest }) {
      try submission.upload(.int32(table.segments.table(panelWidth: table.panelWidth)), to: table.tensor)
    }
    for step in network.graph.steps {
      try submission.append(operation(step, samples, levels, answer))
    }
  }

  /// What a step is on the device.
  func operation(
    _ step: UNetGraph.Step, _ samples: Tensor, _ levels: CoefficientRows, _ answer: Tensor
  ) throws(EngineError) -> any DeviceOperation {
    let configuration = network.configuration
    switch step {
    case .embedTimes(let output):
      return TimeEmbedding(of: levels, samples: images, frequencies: network.frequencies, into: tensor(output))
    case .readSamples(let output):
      return PixelOrder(
        .planesToPixels, of: samples, grid: grid(0), channels: configuration.inputChannels, inputScales: levels,
        into: tensor(output))
    case .linear(let layer, let activates, let input, let output):
      let source = tensor(input)
      return DenseLayer(
        source, rows: source.rowCount, weights: try weights(layer.names[0], network.linears),
        activation: activates ? .silu : .none, into: tensor(output))
    case .convolve(let step): return try convolution(step)
    case .normalize(let step): return try normalization(step)
    case .packKeys(let step):
      return PackColumns(slices(step, 1), extent: .ragged(try table(step.level)), into: keys(step))
    case .attend(let step):
      return Attention(
        queries: slices(step, 0), keys: keys(step), values: slices(step, 2), segments: try table(step.level),
        scale: 1 / Float(step.size).squareRoot(), into: tensor(step.output))
    case .writeAnswer(let input):
      return PixelOrder(
        .pixelsToPlanes, of: tensor(input), grid: grid(0), channels: configuration.outputChannels, into: answer)
    }
  }

  private func convolution(_ step: UNetGraph.Convolving) throws(EngineError) -> Convolution {
    Convolution(
      pixels(step.input, step.second), grid: grid(step.level),
      weights: try weights(step.window.name, network.windows), stride: step.halves ? 2 : 1,
      padding: step.halves && network.configuration.downsamplePadding == 0 ? .after : .around,
      shift: step.shift.map { columns($0) }, residual: step.residual.map { tensor($0) }, scale: Float(step.scale),
      into: tensor(step.output))
  }

  private func normalization(_ step: UNetGraph.Normalizing) throws(EngineError) -> GroupNormalization {
    let weights = try weights(step.name, network.normalizations)
    let modulation = step.modulation.map { range in
      let middle = range.lowerBound + step.channels
      return GroupNormalization.Modulation(
        factor: columns(range.lowerBound..<middle), shift: columns(middle..<range.upperBound))
    }
    return GroupNormalization(
      pixels(step.input, step.second), grid: grid(step.level), groups: step.groups, gain: weights.gain,
      bias: weights.bias, epsilon: weights.epsilon, modulation: modulation,
      activation: step.activates ? .silu : .none, into: tensor(step.output))
  }
}

// Values as tensors.
extension UNetPass {
  private static func grid(_ graph: UNetGraph, _ level: Int, _ images: Int) -> PixelGrid {
    let size = graph.size(ofLevel: level)
    return PixelGrid(images: images, height: size.height, width: size.width)
  }

  private func grid(_ level: Int) -> PixelGrid { Self.grid(network.graph, level, images) }

  private func tensor(_ place: UNetGraph.Place) -> Tensor {
    let value = network.graph.values[place]
    let rows: Int
    switch value.extent {
    case .images: rows = images
    case .pixels(let level): rows = grid(level).rows
    case .keys(let level, let heads):
      let panels = images * network.engine.panelColumns(grid(level).pixels) / network.engine.panelWidth
      return view(place, [panels, heads, value.channels / heads, network.engine.panelWidth])
    }
    return view(place, [rows, value.channels])
  }

  /// Buffers are larger than some of the values that take turns in them.
  private func view(_ place: UNetGraph.Place, _ shape: [Int]) -> Tensor {
    Tensor(storage: buffers[plan.places[place]].storage, elementType: .float32, shape: shape)
  }

  private func pixels(_ first: UNetGraph.Place, _ second: UNetGraph.Place?) -> PixelRows {
    PixelRows(tensor(first), second.map { tensor($0) })
  }

  /// Columns of the projected times.
  private func columns(_ range: Range<Int>) -> HeadSlices {
    HeadSlices(tensor(network.graph.times), offset: range.lowerBound, channels: range.count)
  }

  /// Queries, keys or values of attention.
  private func slices(_ step: UNetGraph.Attending, _ part: Int) -> HeadSlices {
    HeadSlices(
      tensor(step.projected), offset: part * step.heads * step.size, headStride: step.size, heads: step.heads,
      channels: step.size)
  }

  private func keys(_ step: UNetGraph.Attending) -> Panels {
    Panels(tensor: tensor(step.keys), heads: step.heads, channels: step.size, width: network.engine.panelWidth)
  }

  private func table(_ level: Int) throws(EngineError) -> SegmentTable {
    guard let table = sequences[level] else {
      throw EngineError(.invalidOperation, "U-Net: level \(level) has no sequences")
    }
    return table
  }

  private func weights<Weights>(_ name: String, _ all: [String: Weights]) throws(EngineError) -> Weights {
    guard let weights = all[name] else { throw EngineError(.invalidOperation, "U-Net: no weights of '\(name)'") }
    return weights
  }
}
