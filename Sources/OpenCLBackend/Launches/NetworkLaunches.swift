internal import Engine

extension LayerNormalization {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "network/layer_norm.cl", entry: "layer_norm", defines: shape.defines),
      arguments: [
        .tensor(input), .tensor(out), .tensor(gain), .tensor(bias), .int(input.width), .float(epsilon),
      ],
      groups: [1, rows, 1], groupSize: shape.rowGroup)
  }
}

extension EmbeddingSum {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "network/embedding_sum.cl", entry: "embedding_sum", defines: shape.defines),
      arguments: [
        .tensor(ids), .tensor(tokenPositions), .tensor(words), .tensor(positions), .tensor(types), .tensor(out),
        .int(words.width),
      ],
      groups: [1, rows, 1], groupSize: shape.rowGroup)
  }
}

extension RotateRows {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "network/rotate.cl", entry: "rotate_rows", defines: shape.defines),
      arguments: source.arguments + [
        .int(source.heads), .int(source.channels), .tensor(rotary.tensor), .tensor(positions),
      ] + out.arguments,
      groups: [1, rows, 1], groupSize: shape.rowGroup)
  }
}

extension Attention {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(
        source: shape.variant == .cpu ? "network/attention_cpu.cl" : "network/attention_gpu.cl", entry: "attention",
        defines: shape.defines.merging(["AT_CHANNELS": keys.channels]) { $1 }),
      arguments: [
        .tensor(queries.tensor), .int(queries.tensor.width), .int(queries.offset), .tensor(keys.tensor),
        .tensor(values.tensor), .int(values.tensor.width), .int(values.offset), .tensor(out), .int(keys.heads),
        .float(scale), .tensor(segments.tensor),
      ],
      groups: [
        ceilingDivide(segments.segments.longest, shape.attentionQueries), keys.heads, segments.segments.count,
      ],
      groupSize: shape.attentionGroup)
  }
}
