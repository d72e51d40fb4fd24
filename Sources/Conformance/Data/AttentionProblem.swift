internal import Engine
internal import Foundation

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
  func stage(in workspace: inout Workspace) throws -> Guarded {
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
        into: out.part))
    return out
  }

  /// `[rows, heads, channels]`
  func expected() -> [Double?] {
    var result = [Double?](repeating: nil, count: rows * part)
    var first = 0
    for length in lengths {
      for head in 0..<heads {
        let keyVectors = (0..<length).map { keys.vector(first + $0, head: head) }
        let valueVectors = (0..<length).map { values.vector(first + $0, head: head) }
        for i in 0..<length {
          let query = queries.vector(first + i, head: head)
          let scores = keyVectors.map { Double(scale) * innerProduct(query, $0) }
          let largest = scores.reduce(-Double.infinity, max)
          var total = 0.0
          var sums = [Double](repeating: 0, count: channels)
          for (j, score) in scores.enumerated() {
            let weight = exp(score - largest)
            total += weight
            for c in 0..<channels { sums[c] += weight * valueVectors[j][c] }
          }
          let start = ((first + i) * heads + head) * channels
          for c in 0..<channels { result[start + c] = sums[c] / total }
        }
      }
      first += length
    }
    return result
  }

  func check(on backend: any Backend, within tolerance: Tolerance) async throws {
    var workspace = Workspace(backend)
    let out = try stage(in: &workspace)
    let result = try await workspace.run(reading: out)
    try compare(result, with: expected(), shape: [rows, heads, channels], within: tolerance)
  }
}
