internal import ModelFiles

/// Writes down a U-Net's steps in their order (Ho et al., 2020, appendix B, in the form of diffusers' `UNet2DModel`).
struct UNetGraphBuilder {
  private typealias Place = UNetGraph.Place

  private let configuration: UNetConfiguration
  private(set) var values: [UNetGraph.Value] = []
  private(set) var steps: [UNetGraph.Step] = []
  private(set) var times: UNetGraph.Place = 0
  /// The embedded time, which every block projects.
  private var embeddedTime: UNetGraph.Place = 0
  /// Columns of the projected time that are taken, and by whom.
  private var projections: [(name: String, outputs: Int)] = []
  private var projectedWidth = 0

  init(_ configuration: UNetConfiguration) { self.configuration = configuration }

  /// Features on their way: a value and its channels.
  private struct Features {
    var place: Place
    var channels: Int
  }

  mutating func build() {
    let levels = configuration.levels
    let first = levels[0].channels
    let afterTime = addTime()
    let samples = value(.pixels(level: 0), configuration.inputChannels)
    steps.append(.readSamples(output: samples))
    var h = convolve(
      "conv_in", Features(place: samples, channels: configuration.inputChannels), level: 0, to: first)
    var skips = [h]
    for (index, level) in levels.enumerated() {
      for block in 0..<configuration.blocksPerLevel {
        let name = "down_blocks.\(index)"
        h = residual("\(name).resnets.\(block)", h, level: index, to: level.channels)
        if level.hasAttentionDown { h = attention("\(name).attentions.\(block)", h, index, configuration.groups) }
        skips.append(h)
      }
      if index < levels.count - 1 {
        h = convolve("down_blocks.\(index).downsamplers.0.conv", h, level: index, to: level.channels, halves: true)
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
        h = convolve("\(name).upsamplers.0.conv", h, level: index, to: level.channels, upsamples: true)
      }
    }
    h = normalize("conv_norm_out", h, nil, level: 0, configuration.groups, activates: true)
    h = convolve("conv_out", h, level: 0, to: configuration.outputChannels)
    steps.append(.writeAnswer(input: h.place))
    projectTimes(at: afterTime)
  }

  private mutating func value(_ extent: UNetGraph.Value.Extent, _ channels: Int) -> Place {
    values.append(UNetGraph.Value(extent: extent, channels: channels))
    return values.count - 1
  }

  /// The embedding of the time, after the activation that each block's projection starts with.
  /// - Returns: where the step that projects it belongs.
  private mutating func addTime() -> Int {
    let (sinusoids, width) = (configuration.levels[0].channels, configuration.timeWidth)
    let embedded = value(.images, sinusoids)
    let hidden = value(.images, width)
    let activated = value(.images, width)
    steps.append(.embedTimes(output: embedded))
    for (name, inputs, input, output) in [
      ("linear_1", sinusoids, embedded, hidden), ("linear_2", width, hidden, activated),
    ] {
      let layer = UNetGraph.Linear(names: ["time_embedding.\(name)"], inputs: inputs, outputs: [width])
      steps.append(.linear(layer, activates: true, input: input, output: output))
    }
    embeddedTime = activated
    // How wide it is, the blocks say.
    times = value(.images, 0)
    return steps.count
  }

  /// All blocks' projections of the time as one product, now that they are known.
  private mutating func projectTimes(at index: Int) {
    values[times] = UNetGraph.Value(extent: .images, channels: projectedWidth)
    let layer = UNetGraph.Linear(
      names: projections.map(\.name), inputs: configuration.timeWidth, outputs: projections.map(\.outputs))
    steps.insert(.linear(layer, activates: false, input: embeddedTime, output: times), at: index)
  }

  private mutating func projection(_ name: String, _ outputs: Int) -> Range<Int> {
    projections.append((name, outputs))
    projectedWidth += outputs
    return projectedWidth - outputs..<projectedWidth
  }

  private mutating func convolve(
    _ name: String, _ input: Features, level: Int, to outputs: Int, halves: Bool = false, upsamples: Bool = false
  ) -> Features {
    let resultLevel = halves ? level + 1 : upsamples ? level - 1 : level
    let output = value(.pixels(level: resultLevel), outputs)
    let window = UNetGraph.Window(
      name: name, inputs: input.channels, outputs: outputs, size: 3, upsamples: upsamples)
    steps.append(
      .convolve(
        UNetGraph.Convolving(window: window, level: level, halves: halves, input: input.place, output: output)))
    return Features(place: output, channels: outputs)
  }

  private mutating func normalize(
    _ name: String, _ input: Features, _ skip: Features?, level: Int, _ groups: Int, activates: Bool,
    modulation: Range<Int>? = nil
  ) -> Features {
    let channels = input.channels + (skip?.channels ?? 0)
    let output = value(.pixels(level: level), channels)
    steps.append(
      .normalize(
        UNetGraph.Normalizing(
          name: name, level: level, groups: groups, channels: channels, input: input.place, second: skip?.place,
          modulation: modulation, activates: activates, output: output)))
    return Features(place: output, channels: channels)
  }

  /// Two convolutions, each after a normalisation, and the input on top: through a 1 × 1 convolution where channels
  /// differ.
  private mutating func residual(
    _ name: String, _ input: Features, _ skip: Features? = nil, level: Int, to outputs: Int, scale: Double = 1
  ) -> Features {
    let inputs = input.channels + (skip?.channels ?? 0)
    let shortcut: Place?
    if inputs == outputs && skip == nil {
      shortcut = nil
    } else {
      let place = value(.pixels(level: level), outputs)
      let window = UNetGraph.Window(name: "\(name).conv_shortcut", inputs: inputs, outputs: outputs, size: 1)
      steps.append(
        .convolve(
          UNetGraph.Convolving(
            window: window, level: level, input: input.place, second: skip?.place, output: place)))
      shortcut = place
    }
    let normalized = normalize("\(name).norm1", input, skip, level: level, configuration.groups, activates: true)
    let isAdded = configuration.timeShift == .added
    let columns = projection("\(name).time_emb_proj", isAdded ? outputs : 2 * outputs)
    let middle = value(.pixels(level: level), outputs)
    let first = UNetGraph.Window(name: "\(name).conv1", inputs: inputs, outputs: outputs, size: 3)
    steps.append(
      .convolve(
        UNetGraph.Convolving(
          window: first, level: level, input: normalized.place, shift: isAdded ? columns : nil, output: middle)))
    let second = normalize(
      "\(name).norm2", Features(place: middle, channels: outputs), nil, level: level, configuration.groups,
      activates: true, modulation: isAdded ? nil : columns)
    // The shortcut is nobody else's: the sum takes its place.
    let output = shortcut ?? value(.pixels(level: level), outputs)
    let last = UNetGraph.Window(name: "\(name).conv2", inputs: outputs, outputs: outputs, size: 3)
    steps.append(
      .convolve(
        UNetGraph.Convolving(
          window: last, level: level, input: second.place, residual: shortcut ?? input.place, scale: 1 / scale,
          output: output)))
    return Features(place: output, channels: outputs)
  }

  /// Attention of each pixel to all others of its image. The result takes the input's place: the last convolution reads a
  /// pixel's residual where it writes the pixel, and the value lives on as one that is written later (`BufferPlan`).
  private mutating func attention(
    _ name: String, _ input: Features, _ level: Int, _ groups: Int?, scale: Double = 1
  ) -> Features {
    let (heads, size) = configuration.heads(of: input.channels)
    let inner = heads * size
    var source = input
    if let groups {
      source = normalize("\(name).group_norm", input, nil, level: level, groups, activates: false)
    }
    let layer = UNetGraph.Linear(
      names: ["to_q", "to_k", "to_v"].map { "\(name).\($0)" }, inputs: input.channels,
      outputs: [inner, inner, inner])
    let projected = value(.pixels(level: level), 3 * inner)
    steps.append(.linear(layer, activates: false, input: source.place, output: projected))
    let step = UNetGraph.Attending(
      level: level, heads: heads, size: size, projected: projected,
      keys: value(.keys(level: level, heads: heads), inner), output: value(.pixels(level: level), inner))
    steps += [.packKeys(step), .attend(step)]
    let window = UNetGraph.Window(
      name: "\(name).to_out.0", inputs: inner, outputs: input.channels, size: 1, isLinear: true)
    steps.append(
      .convolve(
        UNetGraph.Convolving(
          window: window, level: level, input: step.output, residual: input.place, scale: 1 / scale,
          output: input.place)))
    return input
  }

  private mutating func middle(_ middle: UNetConfiguration.Middle, _ input: Features) -> Features {
    let last = configuration.levels.count - 1
    let scale = middle.scaleFactor
    var h = residual("mid_block.resnets.0", input, level: last, to: input.channels, scale: scale)
    if middle.hasAttention {
      h = attention("mid_block.attentions.0", h, last, middle.attentionGroups, scale: scale)
    }
    h = residual("mid_block.resnets.1", h, level: last, to: h.channels, scale: scale)
    return h
  }
}
