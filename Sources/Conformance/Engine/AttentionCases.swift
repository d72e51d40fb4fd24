internal import Engine

extension ConformanceFamily { static let attention: ConformanceFamily = "attention" }

/// Attention for every head size, over sequences that straddle the tiles, and with scores whose naive
/// exponential overflows.
extension ConformanceKit {
  static let attentionCases: [ConformanceCase] = {
    var cases = [
      attention(
        "one token", small: true, .init(lengths: [1], heads: 1, channels: 4, scale: 1, seed: 801)),
      attention(
        "ragged", small: true,
        .init(lengths: [3, 1, 5], heads: 2, channels: 4, scale: 0.5, before: 3, seed: 802)),
      attention(
        "two panels", small: true,
        .init(lengths: [66], heads: 1, channels: 4, scale: 0.5, seed: 803)),
      attention(
        "scale 0 takes the mean", .init(lengths: [50, 3], heads: 2, channels: 20, scale: 0, seed: 804)),
      attention(
        "negative scale", .init(lengths: [50, 3], heads: 2, channels: 20, scale: -1, seed: 805)),
    ]
    // Small ones of every way through the GPU's tiles: channels that are no multiple of 4, several slabs of them, and fewer
    // queries a group for long heads.
    for (channels, seed) in [(33, 818), (72, 819), (132, 820)] {
      cases.append(
        attention(
          "small, head size \(channels)", small: true,
          .init(
            lengths: [5, 18], heads: 1, channels: channels, scale: 1 / Float(channels).squareRoot(), seed: UInt64(seed))
        ))
    }
    for channels in [1, 4, 16, 17, 20, 32, 33, 48, 64, 128, 256, 300, 512] {
      cases.append(
        attention(
          "head size \(channels)",
          .init(
            lengths: [1, 65, 49], heads: 2, channels: channels,
            scale: 1 / Float(channels).squareRoot(), before: 5, seed: 810)))
    }
    for channels in [4, 20, 32, 64] {
      cases.append(
        attention(
          "lengths straddling tiles, head size \(channels)",
          .init(
            lengths: [1, 47, 48, 49, 63, 64, 65, 97], heads: 3, channels: channels,
            scale: 1 / Float(channels).squareRoot(), seed: 811)))
    }
    cases += [
      attention(
        "127, 128, 129 tokens",
        .init(lengths: [127, 128, 129], heads: 1, channels: 32, scale: 0.2, seed: 812)),
      // Scores reach ±500: their exponentials are infinite in float32. An error of one part in 2^23
      // of a score of 500 changes a weight by 6e-5.
      attention(
        "large scores", small: true, within: 4e-4,
        .init(lengths: [3, 5], heads: 1, channels: 4, scale: 300, seed: 813)),
      attention(
        "large scores, many keys", within: 4e-4,
        .init(lengths: [97, 130], heads: 2, channels: 32, scale: 60, seed: 814)),
      attention(
        "scores rise to the last key", within: 4e-4,
        ramp(length: 130, rising: true, steepness: 2, seed: 815)),
      attention(
        "scores fall from the first key", within: 4e-4,
        ramp(length: 130, rising: false, steepness: 2, seed: 816)),
      attention(
        "scores all near -400", within: 4e-4,
        ramp(length: 70, rising: true, steepness: 0.001, level: -400, seed: 817)),
    ]
    return cases
  }()

  private static func attention(
    _ title: String, small: Bool = false, within tolerance: Double = 3e-6,
    _ problem: AttentionProblem
  ) -> ConformanceCase {
    ConformanceCase(.attention, title, small: small, within: Tolerance(absolute: tolerance)) { workspace in
      [try problem.stage(in: &workspace)]
    }
  }

  /// Scores that rise or fall from key to key: the running maximum changes at every panel, or never.
  private static func ramp(
    length: Int, rising: Bool, steepness: Float, level: Float = 0, seed: UInt64
  ) -> AttentionProblem {
    var problem = AttentionProblem(
      lengths: [length], heads: 1, channels: 4, scale: 1, seed: seed)
    problem.queries.fill { _, _, channel in channel == 0 ? 1 : 0 }
    problem.keys.fill { row, _, channel in
      channel == 0 ? level + steepness * Float(rising ? row : length - 1 - row) : 0
    }
    return problem
  }
}

/// Attention over ragged sequences whose queries, keys and values lie in one tensor
/// `[rows, before + 3 · heads · channels]`, as a fused projection leaves them.
struct AttentionProblem: Sendable {
  let lengths: [Int]
  let heads: Int
  let channels: Int
  let scale: Float
  /// Poisoned channels at the start of each row.
  let before: Int
  /// Queries, keys and values, each `[rows, heads, channels]`.
  var queries: VectorSet
  var keys: VectorSet
  var values: VectorSet

  init(
    lengths: [Int], heads: Int, channels: Int, scale: Float, before: Int = 0, seed: UInt64
  ) {
    self.lengths = lengths
    self.heads = heads
    self.channels = channels
    self.scale = scale
    self.before = before
    let rows = lengths.reduce(0, +)
    let layout = VectorSet.Layout(heads: heads, channels: channels)
    queries = VectorSet(count: rows, layout, .uniform, seed: seed)
    keys = VectorSet(count: rows, layout, .uniform, seed: seed ^ 0x10)
    values = VectorSet(count: rows, layout, .uniform, seed: seed ^ 0x20)
  }

  var rows: Int { lengths.reduce(0, +) }
  private var part: Int { heads * channels }

  /// Brings the fused tensor to the device and adds the operations.
  func stage(in workspace: inout Workspace) throws -> Tensor {
    var fused: [Float] = []
    for row in 0...rows {
      fused += Poison.floats(before)
      for set in [queries, keys, values] {
        fused += set.elements[row * part..<(row + 1) * part]
      }
    }
    let tensor = try workspace.upload(fused, rows + 1, before + 3 * part)
    func slices(_ index: Int) -> HeadSlices {
      HeadSlices(
        tensor, offset: before + index * part, headStride: channels, heads: heads,
        channels: channels)
    }
    let segments = try workspace.segments(lengths)
    let panels = try workspace.pack(slices(1), extent: .ragged(segments))
    let out = try workspace.output(rows, part)
    try workspace.append(
      Attention(
        queries: slices(0), keys: panels, values: slices(2), segments: segments, scale: scale,
        into: out))
    return out
  }
}
