package import Engine
package import ModelFiles

extension ImageGraph {
  /// An unconditional diffusion U-Net (Ho et al., 2020, appendix B), in the form of Hugging Face diffusers' `UNet2DModel`.
  package static func unet2D(_ configuration: UNetConfiguration) -> ImageGraph {
    var network = UNet2DWriter(configuration)
    network.write()
    return ImageGraph(
      network.writer, height: configuration.height, width: configuration.width,
      inputChannels: configuration.inputChannels, outputChannels: configuration.outputChannels)
  }
}

/// Writes down a U-Net's steps in their order.
private struct UNet2DWriter {
  private let configuration: UNetConfiguration
  private(set) var writer = GraphWriter()
  /// Every block's projection of the time, side by side.
  private let times: Value
  /// Each block's columns of them, by the projection's name.
  private let columns: [String: ImageColumns]

  init(_ configuration: UNetConfiguration) {
    self.configuration = configuration
    let projections = Self.timeProjections(configuration)
    // The embedding of the time goes through two layers, and through the activation that each projection starts with.
    let (sinusoids, width) = (configuration.levels[0].channels, configuration.timeWidth)
    let embedded = writer.timeEmbedding(
      FrequencyLayer(
        channels: sinusoids, shift: configuration.frequencyShift, cosineFirst: configuration.startsWithCosine))
    let hidden = writer.linear(
      LinearLayer("time_embedding.linear_1", inputs: sinusoids, outputs: width), embedded, activation: .silu)
    let activated = writer.linear(
      LinearLayer("time_embedding.linear_2", inputs: width, outputs: width), hidden, activation: .silu)
    times = writer.linear(
      LinearLayer(projections.map(\.name), inputs: width, outputs: projections.map(\.outputs)), activated)
    var columns: [String: ImageColumns] = [:]
    var start = 0
    for (name, outputs) in projections {
      columns[name] = ImageColumns(value: times, range: start..<start + outputs)
      start += outputs
    }
    self.columns = columns
  }

  /// The projections of the time of all residual blocks, in the blocks' order.
  private static func timeProjections(_ configuration: UNetConfiguration) -> [(name: String, outputs: Int)] {
    let levels = configuration.levels
    var blocks: [(name: String, channels: Int)] = []
    for (index, level) in levels.enumerated() {
      for block in 0..<configuration.blocksPerLevel {
        blocks.append(("down_blocks.\(index).resnets.\(block)", level.channels))
      }
    }
    if configuration.middle != nil, let last = levels.last {
      for block in 0..<2 { blocks.append(("mid_block.resnets.\(block)", last.channels)) }
    }
    for (index, level) in levels.reversed().enumerated() {
      for block in 0...configuration.blocksPerLevel {
        blocks.append(("up_blocks.\(index).resnets.\(block)", level.channels))
      }
    }
    let factor = configuration.timeShift == .added ? 1 : 2
    return blocks.map { ("\($0.name).time_emb_proj", factor * $0.channels) }
  }

  /// The pixels of a level.
  private func pixels(_ level: Int) -> Positions {
    .pixels(height: configuration.height >> level, width: configuration.width >> level)
  }

  mutating func write() {
    let levels = configuration.levels
    let samples = writer.samples(pixels(0), channels: configuration.inputChannels)
    var h = convolution("conv_in", samples, level: 0, to: levels[0].channels)
    var skips = [h]
    for (index, level) in levels.enumerated() {
      for block in 0..<configuration.blocksPerLevel {
        let name = "down_blocks.\(index)"
        h = residual("\(name).resnets.\(block)", h, level: index, to: level.channels)
        if level.hasAttentionDown { h = attention("\(name).attentions.\(block)", h, index, configuration.groups) }
        skips.append(h)
      }
      if index < levels.count - 1 {
        h = convolution("down_blocks.\(index).downsamplers.0.conv", h, level: index, to: level.channels, halves: true)
        skips.append(h)
      }
    }
    if let middle = configuration.middle { h = self.middle(middle, h) }
    for (order, index) in levels.indices.reversed().enumerated() {
      let (name, level) = ("up_blocks.\(order)", levels[index])
      for block in 0...configuration.blocksPerLevel {
        h = residual("\(name).resnets.\(block)", h, skips.popLast(), level: index, to: level.channels)
        if level.hasAttentionUp { h = attention("\(name).attentions.\(block)", h, index, configuration.groups) }
      }
      if index > 0 {
        h = convolution("\(name).upsamplers.0.conv", h, level: index, to: level.channels, upsamples: true)
      }
    }
    h = normalized("conv_norm_out", h, groups: configuration.groups, activation: .silu)
    h = convolution("conv_out", h, level: 0, to: configuration.outputChannels)
    writer.answer(h)
  }

  private mutating func convolution(
    _ name: String, _ input: Value, level: Int, to outputs: Int, halves: Bool = false, upsamples: Bool = false
  ) -> Value {
    let output = writer.value(.positions(pixels(halves ? level + 1 : upsamples ? level - 1 : level)), outputs)
    writer.convolution(
      ConvolutionLayer(name: name, inputs: input.channels, outputs: outputs, size: 3, upsamples: upsamples), input,
      stride: halves ? 2 : 1, padding: halves && configuration.downsamplePadding == 0 ? .after : .around, into: output)
    return output
  }

  private mutating func normalized(
    _ name: String, _ input: Value, _ skip: Value? = nil, groups: Int, activation: Activation,
    modulation: ImageColumns? = nil
  ) -> Value {
    let layer = NormalizationLayer(
      name, channels: input.channels + (skip?.channels ?? 0), epsilon: configuration.epsilon)
    return writer.groupNormalized(layer, groups: groups, input, skip, modulation: modulation, activation: activation)
  }

  /// Two convolutions, each after a normalisation, and the input on top: through a 1 × 1 convolution where channels
  /// differ.
  private mutating func residual(
    _ name: String, _ input: Value, _ skip: Value? = nil, level: Int, to outputs: Int, scale: Double = 1
  ) -> Value {
    let inputs = input.channels + (skip?.channels ?? 0)
    let extent = Value.Extent.positions(pixels(level))
    let shortcut: Value?
    if inputs == outputs && skip == nil {
      shortcut = nil
    } else {
      let output = writer.value(extent, outputs)
      writer.convolution(
        ConvolutionLayer(name: "\(name).conv_shortcut", inputs: inputs, outputs: outputs, size: 1), input, skip,
        into: output)
      shortcut = output
    }
    let first = normalized("\(name).norm1", input, skip, groups: configuration.groups, activation: .silu)
    let isAdded = configuration.timeShift == .added
    let time = columns["\(name).time_emb_proj"]
    precondition(time != nil, "a block without a projection of the time")
    let middle = writer.value(extent, outputs)
    writer.convolution(
      ConvolutionLayer(name: "\(name).conv1", inputs: inputs, outputs: outputs, size: 3), first,
      shift: isAdded ? time : nil, into: middle)
    let second = normalized(
      "\(name).norm2", middle, groups: configuration.groups, activation: .silu, modulation: isAdded ? nil : time)
    // Nothing else reads the shortcut: the sum takes its place.
    let output = shortcut ?? writer.value(extent, outputs)
    writer.convolution(
      ConvolutionLayer(name: "\(name).conv2", inputs: outputs, outputs: outputs, size: 3), second,
      residual: shortcut ?? input, scale: 1 / scale, into: output)
    return output
  }

  /// Attention of each pixel to all others of its image. The result takes the input's place: the last convolution reads a
  /// pixel's residual where it writes the pixel, and the value lives on as one that is written later (`BufferPlan`).
  private mutating func attention(
    _ name: String, _ input: Value, _ level: Int, _ groups: Int?, scale: Double = 1
  ) -> Value {
    let (heads, size) = configuration.heads(of: input.channels)
    let inner = heads * size
    var source = input
    if let groups { source = normalized("\(name).group_norm", input, groups: groups, activation: .none) }
    let projected = writer.linear(
      LinearLayer(
        ["to_q", "to_k", "to_v"].map { "\(name).\($0)" }, inputs: input.channels, outputs: [inner, inner, inner]),
      source)
    let attended = writer.attention(projected, among: pixels(level), heads: heads)
    writer.convolution(
      ConvolutionLayer(
        name: "\(name).to_out.0", inputs: inner, outputs: input.channels, size: 1, isLinear: true),
      attended, residual: input, scale: 1 / scale, into: input)
    return input
  }

  private mutating func middle(_ middle: UNetConfiguration.Middle, _ input: Value) -> Value {
    let last = configuration.levels.count - 1
    let scale = middle.scaleFactor
    var h = residual("mid_block.resnets.0", input, level: last, to: input.channels, scale: scale)
    if middle.hasAttention {
      h = attention("mid_block.attentions.0", h, last, middle.attentionGroups, scale: scale)
    }
    return residual("mid_block.resnets.1", h, level: last, to: h.channels, scale: scale)
  }
}

/// Where a diffusers network's files lie.
package struct UNetFiles: Sendable, Hashable {
  /// The directory with the weights.
  package let directory: String
  /// `config.json`.
  package let configuration: String

  private static let weights = "diffusion_pytorch_model"

  /// Finds the network of a pipeline's directory: in its folder `unet`, or, as google/ddpm-* have it, at its root.
  /// - Throws: `ModelFileError` if there is none.
  package init(model directory: String) throws(ModelFileError) {
    guard isDirectory(directory) else {
      throw ModelFileError(
        file: directory, problem: fileExists(directory) ? "is not a directory" : "does not exist")
    }
    let places = [ModelFiles.path(directory, "unet"), directory]
    guard let place = places.first(where: { fileExists(ModelFiles.path($0, "config.json")) }) else {
      throw ModelFileError(
        file: directory,
        problem: "has neither unet/config.json nor config.json: a diffusers directory with a UNet2DModel is expected")
    }
    self.init(network: place)
  }

  /// A network's own directory.
  package init(network directory: String) {
    self.directory = directory
    configuration = ModelFiles.path(directory, "config.json")
  }

  /// The network that the configuration describes.
  /// - Throws: `ModelFileError` naming the field that is missing, out of bounds or unsupported.
  package func graph() throws(ModelFileError) -> ImageGraph {
    .unet2D(try UNetConfiguration(file: configuration))
  }

  /// Checks that the weights are those of a network, without reading them.
  /// - Throws: `ModelFileError` that names the first tensor that is missing, of another shape or too many.
  package func check(_ graph: ImageGraph) throws(ModelFileError) { _ = try weights(of: graph) }

  /// The weights, whole or in several files.
  /// - Throws: `ModelFileError` that names the first tensor that is missing, of another shape or too many.
  fileprivate func weights(of graph: ImageGraph) throws(ModelFileError) -> NamedWeights {
    let weights = NamedWeights(checkpoint: try Checkpoint(directory: directory, baseName: Self.weights))
    try weights.check(graph.graph.tensors, configuration: "config.json")
    return weights
  }
}

extension ImageNetwork {
  /// Reads a diffusers network's weights, whole or in several files.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - files: where they lie.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` for files that cannot be used; `EngineError` if the device has no room.
  package init(_ graph: ImageGraph, files: UNetFiles, on engine: Engine) async throws {
    try await self.init(graph, weights: try files.weights(of: graph), on: engine)
  }
}

/// A checkpoint that also answers to the names that its tensors have had since 2023.
private struct NamedWeights: WeightSource {
  let checkpoint: Checkpoint

  /// What attention's layers were called before.
  private static let oldNames = [
    (".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value."), (".to_out.0.", ".proj_attn."),
  ]

  func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float] {
    try checkpoint.floats(named: stored(name), shape: shape)
  }

  /// The name under which the file has a tensor: today's, or the old one.
  private func stored(_ name: String) -> String {
    guard !checkpoint.contains(name) else { return name }
    for (new, old) in Self.oldNames {
      let other = name.replacing(new, with: old)
      if other != name && checkpoint.contains(other) { return other }
    }
    return name
  }

  /// Checks that the file holds a network's tensors, in their shapes, and no others: before any is read.
  /// - Throws: `ModelFileError` that names the first one at fault.
  func check(_ tensors: [ExpectedTensor], configuration: String) throws(ModelFileError) {
    var expected: Set<String> = []
    for tensor in tensors {
      let name = stored(tensor.name)
      expected.insert(name)
      try checkpoint.check(name, tensor.shape, configuration: configuration)
    }
    let others = checkpoint.names.filter { !expected.contains($0) }
    guard let first = others.first else { return }
    let rest = others.count > 1 ? ", nor are \(others.count - 1) others" : ""
    throw ModelFileError(
      file: checkpoint.path, subject: "tensor \(first.quoted)",
      problem: "is no part of the network that \(configuration) describes\(rest)")
  }
}
