internal import Engine

extension SquareSum {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(
        source: "training/square_sum.cl", entry: "square_sum",
        defines: shape.defines.merging(["TR_PART": Self.part]) { $1 }),
      arguments: [.tensor(source), .int(source.count), .tensor(sums), .int(slot)],
      groups: [Self.slots(for: source), 1, 1], groupSize: shape.rowGroup)
  }
}

extension AdamWStep {
  func launch(_ shape: TileShape) -> KernelLaunch {
    // Elements of a group: TR_GROUP · TR_RUN vectors.
    let elements = shape.variant == .cpu ? 64 * 16 : shape.rowGroup * 4
    return KernelLaunch(
      spec: KernelSpec(source: "training/adamw.cl", entry: "adamw", defines: shape.defines),
      arguments: [
        .tensor(parameter), .tensor(firstMoment), .tensor(secondMoment), .tensor(gradient), .int(parameter.count),
        .tensor(squares), .int(squares.count), .float(Float(settings.maximumNorm)),
        .float(Float(1 - settings.learningRate * settings.weightDecay)), .float(Float(settings.stepSize)),
        .float(Float(settings.rootScale)), .float(Float(1 - settings.beta1)), .float(Float(settings.beta2)),
        .float(Float(1 - settings.beta2)), .float(Float(settings.epsilon)),
      ],
      groups: [ceilingDivide(parameter.count, elements), 1, 1], groupSize: shape.rowGroup)
  }
}

extension BlendRows {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "training/blend_rows.cl", entry: "blend_rows", defines: shape.defines),
      arguments: [.tensor(source), .tensor(indices), .tensor(weights), .tensor(out), .int(source.width)],
      groups: [1, rows, 1], groupSize: shape.rowGroup)
  }
}
