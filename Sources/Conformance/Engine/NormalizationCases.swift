internal import Engine

extension ConformanceFamily {
  static let layerNormalization: ConformanceFamily = "layerNormalization"
  static let groupNormalization: ConformanceFamily = "groupNormalization"
}

/// Layer normalisation of rows of every width, and of rows that are hard to normalise.
extension ConformanceKit {
  static let layerNormalizationCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for width in [1, 3, 15, 16, 17, 63, 64, 65, 255, 256, 257, 384, 385] {
      cases.append(
        normalization("width \(width)", small: [1, 3, 17].contains(width), rows: 5, width: width))
    }
    cases += [
      normalization("one row", rows: 1, width: 384),
      normalization("129 rows", rows: 129, width: 48),
      // Rows without variance: epsilon alone keeps the quotient finite.
      normalization(
        "constant rows", small: true, rows: 3, width: 20, spread: 0, offset: 2.5, epsilon: 1e-5,
        within: 2e-3),
      normalization(
        "constant rows of zeros", rows: 3, width: 385, spread: 0, offset: 0, epsilon: 1e-5),
      // A variance taken from sums of squares would lose every digit here.
      normalization("large offset", small: true, rows: 3, width: 33, offset: 1000, within: 1e-3),
      normalization("large offset, wide", rows: 3, width: 384, offset: -1000, within: 1e-3),
      normalization("larger offset", rows: 3, width: 384, offset: 10_000, within: 1e-2),
      normalization("large values", rows: 3, width: 100, spread: 1e6),
      normalization("tiny values", rows: 3, width: 100, spread: 1e-3, epsilon: 1e-12),
      normalization("epsilon above the variance", rows: 3, width: 100, epsilon: 10),
    ]
    return cases
  }()

  private static func normalization(
    _ title: String, small: Bool = false, rows: Int, width: Int, spread: Float = 1,
    offset: Float = 0, epsilon: Float = 1e-6, within tolerance: Double = 1e-5
  ) -> ConformanceCase {
    ConformanceCase(.layerNormalization, title, small: small, within: Tolerance(absolute: tolerance)) { workspace in
      var generator = SplitMix64(seed: 401 + UInt64(width))
      var input = VectorSet(count: rows, .init(channels: width), .uniform, seed: 1)
      input.fill { _, _, _ in offset + generator.uniform() * spread }
      let gain = Draw.uniform(width, &generator)
      let bias = Draw.uniform(width, &generator)

      let out = try workspace.output(rows, width)
      try workspace.append(
        LayerNormalization(
          try workspace.upload(input).tensor, rows: rows,
          gain: try workspace.upload(gain + Poison.floats(1), width + 1),
          bias: try workspace.upload(bias + Poison.floats(1), width + 1), epsilon: epsilon,
          into: out))
      return [out]
    }
  }
}

/// Group normalisation of images of every size, of one tensor or two.
extension ConformanceKit {
  static let groupNormalizationCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for isModulated in [false, true] {
      for activation in [Activation.none, .silu] {
        cases.append(
          GroupProblem(
            channels: 6, groups: 3, isModulated: isModulated, activation: activation, seed: 1201
          ).conformanceCase(small: true))
      }
    }
    // Groups of one channel, across the tensors' seam, longer than a slice, and as networks have them.
    for (channels, second, groups) in [
      (5, 0, 5), (7, 0, 1), (5, 7, 4), (64, 64, 32), (100, 92, 32), (130, 0, 2), (32, 100, 1), (70, 1, 71),
    ] {
      cases.append(
        GroupProblem(height: 4, width: 3, channels: channels, second: second, groups: groups, seed: 1202)
          .conformanceCase())
    }
    cases.append(GroupProblem(height: 2, channels: 2, second: 4, groups: 3, seed: 1203).conformanceCase(small: true))
    for (height, width) in [(1, 1), (1, 63), (8, 8), (5, 13), (33, 32)] {
      cases.append(
        GroupProblem(height: height, width: width, channels: 24, groups: 4, activation: .silu, seed: 1204)
          .conformanceCase())
    }
    cases += [
      // Without variance, epsilon alone keeps the quotient finite.
      GroupProblem(channels: 4, groups: 2, spread: 0, offset: 2.5, epsilon: 1e-5, tolerance: 2e-3, seed: 1205)
        .conformanceCase(),
      // A variance taken from sums of squares would lose every digit here.
      GroupProblem(height: 16, width: 16, channels: 20, groups: 5, offset: 1000, tolerance: 1e-3, seed: 1206)
        .conformanceCase(),
      GroupProblem(height: 7, width: 7, channels: 20, groups: 5, spread: 1e-3, epsilon: 1e-12, seed: 1207)
        .conformanceCase(),
    ]
    return cases
  }()
}

/// One normalisation.
private struct GroupProblem: Sendable {
  var height = 3
  var width = 3
  var channels: Int
  var second = 0
  var groups: Int
  var isModulated = false
  var activation = Activation.none
  var spread: Float = 1
  var offset: Float = 0
  var epsilon: Float = 1e-6
  var tolerance = 1e-5
  var seed: UInt64

  func conformanceCase(small: Bool = false) -> ConformanceCase {
    var title = "\(height) × \(width) × \(channels)" + (second > 0 ? "+\(second)" : "") + ", \(groups) groups"
    if isModulated { title += ", modulated" }
    if activation != .none { title += ", \(activation)" }
    if offset != 0 { title += ", \(offset) ± \(spread)" } else if spread != 1 { title += ", ± \(spread)" }
    return ConformanceCase(
      .groupNormalization, title, small: small, within: Tolerance(absolute: tolerance)
    ) { workspace in
      [try stage(in: &workspace)]
    }
  }

  private func stage(in workspace: inout Workspace) throws -> Tensor {
    let grid = PixelGrid(images: 2, height: height, width: width)
    let input = PixelSet(grid, channels: channels, and: second, spread: spread, offset: offset, seed: seed)
    let all = channels + second
    var generator = SplitMix64(seed: seed ^ 0x33)
    let gain = Draw.uniform(all, &generator)
    let bias = Draw.uniform(all, &generator)
    let factors = VectorSet(images: 2, channels: all, before: 1, after: 0, seed: seed ^ 0x44)
    let shifts = VectorSet(images: 2, channels: all, before: 0, after: 2, seed: seed ^ 0x66)

    let out = try workspace.output(grid.rows, all)
    var operation = GroupNormalization(
      try input.stage(in: &workspace), grid: grid, groups: groups,
      gain: try workspace.upload(gain + Poison.floats(1), all + 1),
      bias: try workspace.upload(bias + Poison.floats(1), all + 1), epsilon: epsilon, activation: activation,
      partials: try workspace.output(
        grid.images, GroupNormalization.partialWidth(pixels: grid.pixels, groups: groups)), into: out)
    if isModulated {
      operation.modulation = .init(
        factor: try workspace.upload(factors), shift: try workspace.upload(shifts))
    }
    try workspace.append(operation)
    return out
  }
}
