import Testing

@testable import ModelFiles

/// config.json of a U-Net: diffusers' defaults, and refusals that name the field.
@Suite struct UNetConfigurationTests {
  private func read(_ fields: String) throws -> UNetConfiguration {
    let scratch = try Scratch()
    defer { withExtendedLifetime(scratch) {} }
    return try UNetConfiguration(file: try scratch.write("config.json", "{\(fields)}"))
  }

  /// A small one; what is in `fields` comes first and would be refused twice.
  private static let small = #"""
    "sample_size": 8, "block_out_channels": [8, 16], "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "norm_num_groups": 4, "attention_head_dim": 4
    """#

  /// Of diffusers 0.42.1.
  @Test func absentFieldsHaveTheDefaults() throws {
    let shape = try read(#""sample_size": 64"#)
    #expect(shape.height == 64 && shape.width == 64)
    #expect(shape.inputChannels == 3 && shape.outputChannels == 3)
    #expect(shape.levels.map(\.channels) == [224, 448, 672, 896])
    #expect(shape.levels.map(\.hasAttentionDown) == [false, true, true, true])
    #expect(shape.levels.map(\.hasAttentionUp) == [false, true, true, true])
    #expect(shape.blocksPerLevel == 2 && shape.downsamplePadding == 1 && shape.headSize == 8)
    #expect(shape.groups == 32 && shape.epsilon == 1e-5 && shape.timeShift == .added)
    #expect(shape.timeWidth == 896 && shape.frequencyShift == 0 && shape.startsWithCosine)
    #expect(shape.middle == .init(hasAttention: true, attentionGroups: 32, scaleFactor: 1))
  }

  @Test func fieldsAreRead() throws {
    let shape = try read(
      Self.small + #"""
        , "_class_name": "UNet2DModel", "_diffusers_version": "0.1", "in_channels": 1, "out_channels": 2,
        "layers_per_block": 3, "downsample_padding": 0, "norm_eps": 1e-6, "freq_shift": 1, "flip_sin_to_cos": false,
        "time_embedding_dim": 12, "resnet_time_scale_shift": "scale_shift", "mid_block_scale_factor": 1.5,
        "add_attention": false, "dropout": 0.1, "act_fn": "swish", "num_train_timesteps": 1000, "class_embed_type": null
        """#)
    #expect(shape.inputChannels == 1 && shape.outputChannels == 2 && shape.blocksPerLevel == 3)
    #expect(shape.downsamplePadding == 0 && shape.epsilon == 1e-6 && shape.frequencyShift == 1)
    #expect(!shape.startsWithCosine && shape.timeWidth == 12 && shape.timeShift == .scaleAndShift)
    #expect(shape.middle == .init(hasAttention: false, attentionGroups: nil, scaleFactor: 1.5))
    #expect(shape.heads(of: 16) == (4, 4))
  }

  /// Null is not the default where it means something else.
  @Test func nullHasItsOwnMeaning() throws {
    let shape = try read(
      #""sample_size": [8, 16], "block_out_channels": [8], "down_block_types": ["UNetResDownBlock2D"], "#
        + #""up_block_types": ["UNetResUpBlock2D"], "norm_num_groups": 8, "attention_head_dim": null, "#
        + #""mid_block_type": null"#)
    #expect(shape.height == 8 && shape.width == 16 && shape.middle == nil && shape.headSize == nil)
    #expect(shape.heads(of: 8) == (1, 8))
  }

  static let refused: [(String, [String])] = [
    (small + #", "_class_name": "UNet2DConditionModel""#, ["_class_name", "UNet2DModel"]),
    (small + #", "time_embedding_type": "fourier""#, ["time_embedding_type", "'fourier'", "positional"]),
    (small + #", "downsample_type": "resnet""#, ["downsample_type", "conv"]),
    (small + #", "upsample_type": "resnet""#, ["upsample_type"]),
    (small + #", "act_fn": "gelu""#, ["act_fn", "silu"]),
    (small + #", "center_input_sample": true"#, ["center_input_sample"]),
    (small + #", "class_embed_type": "timestep""#, ["class_embed_type"]),
    (small + #", "num_class_embeds": 10"#, ["num_class_embeds"]),
    (small + #", "mid_block_type": "UNetMidBlock2DCrossAttn""#, ["mid_block_type"]),
    (small + #", "mid_block_scale_factor": 0"#, ["mid_block_scale_factor"]),
    (small + #", "resnet_time_scale_shift": "ada_group""#, ["resnet_time_scale_shift", "scale_shift"]),
    (small + #", "downsample_padding": 2"#, ["downsample_padding"]),
    (small + #", "norm_eps": 0"#, ["norm_eps"]),
    (small + #", "freq_shift": 4"#, ["freq_shift"]),
    (small + #", "attn_norm_num_groups": 3"#, ["attn_norm_num_groups"]),
    (small + #", "layers_per_block": 0"#, ["layers_per_block"]),
    (small + #", "in_channels": "three""#, ["in_channels", "integer"]),
    (small + #", "skip_time_act": true"#, ["skip_time_act"]),
    (small.replacing("AttnDownBlock2D", with: "SkipDownBlock2D"), ["down_block_types", "'SkipDownBlock2D'"]),
    (small.replacing("AttnUpBlock2D", with: "KUpBlock2D"), ["up_block_types", "'KUpBlock2D'"]),
    (small.replacing("[8, 16]", with: "[8, 16, 32]"), ["down_block_types", "block_out_channels"]),
    (small.replacing("[8, 16]", with: "[8, 18]"), ["norm_num_groups", "18"]),
    (small.replacing("[8, 16]", with: "[]"), ["block_out_channels"]),
    (small.replacing("\"attention_head_dim\": 4", with: "\"attention_head_dim\": 32"), ["attention_head_dim", "32"]),
    (small.replacing("\"norm_num_groups\": 4", with: "\"norm_num_groups\": null"), ["norm_num_groups", "null"]),
    (small.replacing("\"sample_size\": 8", with: "\"sample_size\": 9"), ["sample_size", "halved"]),
    (small.replacing("\"sample_size\": 8", with: "\"sample_size\": null"), ["sample_size", "missing"]),
    (small.replacing("\"sample_size\": 8", with: "\"sample_size\": [8]"), ["sample_size", "height and width"]),
  ]

  @Test(arguments: refused) func unusualValuesAreRefused(fields: String, words: [String]) throws {
    let error = try #require(failure(of: { try read(fields) }))
    for word in words { #expect(error.description.contains(word), "\(error)") }
  }
}
