internal import Engine

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

/// One normalisation and its exact result.
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
    return ConformanceCase(.groupNormalization, title, small: small) { backend in try await check(on: backend) }
  }

  private func check(on backend: any Backend) async throws {
    let grid = PixelGrid(images: 2, height: height, width: width)
    let input = ImageProblem(grid, channels: channels, and: second, spread: spread, offset: offset, seed: seed)
    let all = input.allChannels
    var generator = SplitMix64(seed: seed ^ 0x33)
    let gain = Draw.uniform(all, &generator)
    let bias = Draw.uniform(all, &generator)
    let factors = ImageNumbers(images: 2, channels: all, before: 1, after: 0, seed: seed ^ 0x44)
    let shifts = ImageNumbers(images: 2, channels: all, before: 0, after: 2, seed: seed ^ 0x66)

    var workspace = Workspace(backend)
    let out = try workspace.output(grid.rows, all)
    var operation = GroupNormalization(
      try input.stage(in: &workspace), grid: grid, groups: groups,
      gain: try workspace.upload(gain + Poison.floats(1), all + 1),
      bias: try workspace.upload(bias + Poison.floats(1), all + 1), epsilon: epsilon, activation: activation,
      into: out.part)
    if isModulated {
      operation.modulation = .init(
        factor: try factors.stage(in: &workspace), shift: try shifts.stage(in: &workspace))
    }
    try workspace.append(operation)
    let got = try await workspace.run(reading: out)

    var expected = [Double?](repeating: nil, count: grid.rows * all)
    let size = all / groups
    for (image, planes) in input.planes.enumerated() {
      for group in 0..<groups {
        let members = group * size..<(group + 1) * size
        let values = members.flatMap { planes[$0].flatMap { $0 } }
        let mean = values.reduce(0) { $0 + $1 / Double(values.count) }
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / Double(values.count) }
        for c in members {
          for (pixel, value) in planes[c].flatMap({ $0 }).enumerated() {
            var y = (value - mean) / (variance + Double(epsilon)).squareRoot() * Double(gain[c]) + Double(bias[c])
            if isModulated { y = y * (1 + factors.set.vector(image)[c]) + shifts.set.vector(image)[c] }
            expected[(image * grid.pixels + pixel) * all + c] = activation == .silu ? silu(y) : y
          }
        }
      }
    }
    try compare(got, with: expected, shape: [grid.rows, all], within: Tolerance(absolute: tolerance))
  }
}
