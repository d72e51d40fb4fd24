/// The shape of an unconditional diffusion U-Net, `UNet2DModel` in Hugging Face diffusers.
package struct UNetConfiguration: Hashable, Sendable {
  /// How a block's time embedding acts on its features.
  package enum TimeShift: String, Hashable, Sendable, CaseIterable {
    /// It is added before the second normalisation.
    case added = "default"
    /// It scales and shifts what the second normalisation gives: `y = norm(h) · (1 + s) + b`.
    case scaleAndShift = "scale_shift"
  }

  /// One resolution, on the way down and on the way up.
  package struct Level: Hashable, Sendable {
    /// Channels of its features.
    package let channels: Int
    /// Whether each block on the way down is followed by attention.
    package let hasAttentionDown: Bool
    /// Whether each block on the way up is.
    package let hasAttentionUp: Bool
  }

  /// The two blocks between the ways down and up.
  package struct Middle: Hashable, Sendable {
    /// Whether attention stands between them.
    package let hasAttention: Bool
    /// Groups of the attention's normalisation; nil if it has none.
    package let attentionGroups: Int?
    /// What each block's and the attention's sum with its input is divided by.
    package let scaleFactor: Double
  }

  /// Rows and columns of an image.
  package let height: Int
  package let width: Int
  /// Channels of an image, and of the answer.
  package let inputChannels: Int
  package let outputChannels: Int
  /// From the highest resolution to the lowest; each has half the rows and columns of the one before.
  package let levels: [Level]
  /// Blocks of a level on the way down; there is one more on the way up.
  package let blocksPerLevel: Int
  /// Nil if there is nothing between the two ways.
  package let middle: Middle?
  /// Zeros around the image where its resolution is halved: 1 on all sides, or 0 and one row and column more at the end.
  package let downsamplePadding: Int
  /// Channels of an attention head; all of them if nil.
  package let headSize: Int?
  /// Groups of the normalisations.
  package let groups: Int
  /// Added to the variance by normalisations.
  package let epsilon: Double
  /// How the time embedding acts.
  package let timeShift: TimeShift
  /// Width of the time embedding; sinusoids are as many as the first level's channels.
  package let timeWidth: Int
  /// `freq_shift` of `exp(-ln(10⁴) i / (half - shift))`.
  package let frequencyShift: Double
  /// Whether cosines stand before sines.
  package let startsWithCosine: Bool

  /// Numbers in an image.
  package var imageElements: Int { inputChannels * height * width }

  /// Heads of attention over some channels, and what each of them holds. Channels that no head takes are left out of
  /// queries, keys and values.
  package func heads(of channels: Int) -> (count: Int, size: Int) {
    let size = headSize ?? channels
    return (channels / size, size)
  }
}

extension UNetConfiguration {
  /// google/ddpm-cifar10-32's shape, for measuring without its weights.
  package static let cifar = UNetConfiguration(
    side: 32, channels: [128, 256, 256, 256], attentionLevels: [1])
  /// google/ddpm-celebahq-256's shape.
  package static let celebA = UNetConfiguration(
    side: 256, channels: [128, 128, 256, 256, 512, 512], attentionLevels: [4])

  /// A network for colour images as Ho et al. (2020) have it.
  private init(side: Int, channels: [Int], attentionLevels: Set<Int>) {
    (height, width, inputChannels, outputChannels) = (side, side, 3, 3)
    levels = channels.enumerated().map { index, channels in
      let attends = attentionLevels.contains(index)
      return Level(channels: channels, hasAttentionDown: attends, hasAttentionUp: attends)
    }
    blocksPerLevel = 2
    middle = Middle(hasAttention: true, attentionGroups: 32, scaleFactor: 1)
    downsamplePadding = 0
    headSize = nil
    groups = 32
    epsilon = 1e-6
    timeShift = .added
    timeWidth = 4 * channels[0]
    frequencyShift = 1
    startsWithCosine = false
  }
}

extension UNetConfiguration {
  /// Reads `config.json` of a `UNet2DModel`. A field that is absent has diffusers' default; one that asks for what Weft
  /// does not do is refused by its name, also one it does not know.
  /// - Throws: `ModelFileError` naming the field that is missing, out of bounds or unsupported.
  package init(file: String) throws(ModelFileError) {
    let fields = try JSONFields(file: file)
    try Self.checkKind(fields)
    try Self.checkFixed(fields)
    (height, width) = try Self.imageSize(fields)
    inputChannels = try fields.integer("in_channels", in: 1...4_096) ?? 3
    outputChannels = try fields.integer("out_channels", in: 1...4_096) ?? 3
    levels = try Self.levels(fields)
    blocksPerLevel = try fields.integer("layers_per_block", in: 1...64) ?? 2
    downsamplePadding = try fields.integer("downsample_padding", in: 0...1) ?? 1
    // Null is one head; 8 is diffusers' default.
    headSize = fields.has("attention_head_dim") ? try fields.integer("attention_head_dim", in: 1...65_536) : 8
    groups = try fields.whole("norm_num_groups", in: 1...65_536, default: 32)
    epsilon = try fields.number("norm_eps") ?? 1e-5
    timeShift = try Self.timeShift(fields)
    timeWidth = try fields.integer("time_embedding_dim", in: 1...1_048_576) ?? 4 * levels[0].channels
    frequencyShift = try fields.number("freq_shift") ?? 0
    startsWithCosine = try fields.bool("flip_sin_to_cos") ?? true
    middle = try Self.middle(fields, groups: groups, timeShift: timeShift)
    try checkNumbers(fields)
  }

  /// The class, where the file says it.
  private static func checkKind(_ fields: JSONFields) throws(ModelFileError) {
    guard let name = try fields.string("_class_name") else {
      guard fields["architectures"] != nil else { return }
      throw fields.error("architectures", "is not of a UNet2DModel: this is another kind of model")
    }
    guard name != "UNet2DModel" else { return }
    throw fields.error("_class_name", "\(name.quoted) is not supported; the network must be a UNet2DModel")
  }

  /// Fields of which one value is supported, and fields that are not known.
  private static func checkFixed(_ fields: JSONFields) throws(ModelFileError) {
    for (name, value) in [
      ("time_embedding_type", "positional"), ("downsample_type", "conv"), ("upsample_type", "conv"), ("act_fn", "silu"),
    ] {
      guard let found = try fields.string(name), found != value, !(name == "act_fn" && found == "swish") else {
        continue
      }
      throw fields.error(name, "\(found.quoted) is not supported; it must be \(value.quoted)")
    }
    if try fields.bool("center_input_sample") == true {
      throw fields.error("center_input_sample", "true is not supported: the network would take images from 0 to 1")
    }
    for name in ["class_embed_type", "num_class_embeds"] where fields[name] != nil {
      throw fields.error(name, "a network that is told a class is not supported; it must be null")
    }
    if let dropout = try fields.number("dropout"), !(0...1).contains(dropout) {
      throw fields.error("dropout", "\(dropout) is not between 0 and 1")
    }
    for member in fields.members where !known.contains(member.name) && !member.name.hasPrefix("_") {
      // What is not there, or not wanted, changes nothing.
      switch member.value {
      case .null, .bool(false): continue
      default: throw fields.error(member.name, "is not a setting of UNet2DModel that is known here")
      }
    }
  }

  /// All fields of the class. What `num_train_timesteps` counts only learned time embeddings have.
  private static let known: Set<String> = [
    "sample_size", "in_channels", "out_channels", "center_input_sample", "time_embedding_type", "time_embedding_dim",
    "freq_shift", "flip_sin_to_cos", "down_block_types", "mid_block_type", "up_block_types", "block_out_channels",
    "layers_per_block", "mid_block_scale_factor", "downsample_padding", "downsample_type", "upsample_type", "dropout",
    "act_fn", "attention_head_dim", "norm_num_groups", "attn_norm_num_groups", "norm_eps", "resnet_time_scale_shift",
    "add_attention", "class_embed_type", "num_class_embeds", "num_train_timesteps",
  ]

  private static func imageSize(_ fields: JSONFields) throws(ModelFileError) -> (Int, Int) {
    let limit = 1...65_536
    guard case .array(let sides)? = fields["sample_size"] else {
      guard let side = try fields.integer("sample_size", in: limit) else {
        throw fields.error("sample_size", "is missing: it says how large the network's images are")
      }
      return (side, side)
    }
    guard sides.count == 2, case .integer(let height) = sides[0], case .integer(let width) = sides[1],
      limit.contains(height), limit.contains(width)
    else { throw fields.error("sample_size", "an integer expected, or two: height and width") }
    return (height, width)
  }

  private static func levels(_ fields: JSONFields) throws(ModelFileError) -> [Level] {
    let channels = try fields.integers("block_out_channels", in: 1...65_536) ?? [224, 448, 672, 896]
    let down = try attends(
      fields, "down_block_types", plain: "DownBlock2D", attention: "AttnDownBlock2D",
      default: [false, true, true, true])
    let up = try attends(
      fields, "up_block_types", plain: "UpBlock2D", attention: "AttnUpBlock2D", default: [true, true, true, false])
    guard (1...32).contains(channels.count) else {
      throw fields.error("block_out_channels", "\(channels.count) levels, where 1 to 32 are expected")
    }
    for (name, count) in [("down_block_types", down.count), ("up_block_types", up.count)] {
      guard count == channels.count else {
        throw fields.error(name, "\(count) blocks, but block_out_channels has \(channels.count)")
      }
    }
    return channels.indices.map { index in
      Level(
        channels: channels[index], hasAttentionDown: down[index], hasAttentionUp: up[channels.count - 1 - index])
    }
  }

  /// Whether each block of a list attends.
  private static func attends(
    _ fields: JSONFields, _ name: String, plain: String, attention: String, default usual: [Bool]
  ) throws(ModelFileError) -> [Bool] {
    guard let types = try fields.strings(name) else { return usual }
    var result: [Bool] = []
    for type in types {
      // The blocks' names until 2022.
      let type = type.hasPrefix("UNetRes") ? String(type.dropFirst("UNetRes".count)) : type
      guard type == plain || type == attention else {
        throw fields.error(name, "\(type.quoted) is not supported; \(plain) and \(attention) are")
      }
      result.append(type == attention)
    }
    return result
  }

  private static func timeShift(_ fields: JSONFields) throws(ModelFileError) -> TimeShift {
    let name = "resnet_time_scale_shift"
    guard let text = try fields.string(name) else { return .added }
    guard let shift = TimeShift(rawValue: text) else {
      throw fields.error(name, "\(text.quoted) is not supported; default and scale_shift are")
    }
    return shift
  }

  private static func middle(
    _ fields: JSONFields, groups: Int, timeShift: TimeShift
  ) throws(ModelFileError) -> Middle? {
    // Absent it is there; null means that it is not.
    guard !fields.has("mid_block_type") || fields["mid_block_type"] != nil else { return nil }
    if let type = try fields.string("mid_block_type"), type != "UNetMidBlock2D" {
      throw fields.error("mid_block_type", "\(type.quoted) is not supported; UNetMidBlock2D and null are")
    }
    let scale = try fields.number("mid_block_scale_factor") ?? 1
    guard scale >= 1e-6, scale <= 1e6 else {
      throw fields.error("mid_block_scale_factor", "\(scale) is not between 1e-6 and 1e6")
    }
    // diffusers leaves the normalisation out where features are scaled and shifted, unless it is asked for.
    let own = try fields.integer("attn_norm_num_groups", in: 1...65_536)
    return Middle(
      hasAttention: try fields.bool("add_attention") ?? true,
      attentionGroups: own ?? (timeShift == .added ? groups : nil), scaleFactor: scale)
  }

  /// What fields must be to each other.
  private func checkNumbers(_ fields: JSONFields) throws(ModelFileError) {
    guard epsilon > 0, epsilon < 1 else { throw fields.error("norm_eps", "\(epsilon) is not between 0 and 1") }
    for level in levels where !level.channels.isMultiple(of: groups) {
      throw fields.error(
        "norm_num_groups", "\(groups) groups do not divide the \(level.channels) channels of block_out_channels")
    }
    if let own = middle?.attentionGroups, let last = levels.last, !last.channels.isMultiple(of: own) {
      throw fields.error("attn_norm_num_groups", "\(own) groups do not divide the middle's \(last.channels) channels")
    }
    let attending = levels.filter { $0.hasAttentionDown || $0.hasAttentionUp }.map(\.channels)
    let middle = middle?.hasAttention == true ? levels.suffix(1).map(\.channels) : []
    if let headSize, let least = (attending + middle).min(), headSize > least {
      throw fields.error("attention_head_dim", "a head of \(headSize) channels does not fit a block of \(least)")
    }
    let half = levels[0].channels / 2
    guard half > 0, frequencyShift >= 0, frequencyShift < Double(half) else {
      throw fields.error(
        "freq_shift", "\(frequencyShift) is not at least 0 and below \(half), half of the first block's channels")
    }
    let factor = 1 << (levels.count - 1)
    guard height.isMultiple(of: factor), width.isMultiple(of: factor) else {
      throw fields.error(
        "sample_size", "\(height) × \(width) cannot be halved \(levels.count - 1) times, as the blocks do")
    }
  }
}

extension JSONFields {
  /// Whether a field is there, if only as null.
  func has(_ name: String) -> Bool { members.contains { $0.name == name } }

  /// An integer that may be absent, but not null.
  func whole(_ name: String, in range: ClosedRange<Int>, default value: Int) throws(ModelFileError) -> Int {
    guard has(name) else { return value }
    guard let found = try integer(name, in: range) else { throw error(name, "null is not supported") }
    return found
  }
}
