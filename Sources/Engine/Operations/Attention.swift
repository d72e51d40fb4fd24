internal import Foundation

/// Multi-head attention over ragged sequences (Vaswani et al., 2017), without the matrix of weights:
/// `out[i, h] = Σ_j softmax_j(scale · <q[i, h], k[j, h]>) · v[j, h]`.
package struct Attention: DeviceOperation {
  package var queries: HeadSlices
  /// The keys, as panels.
  package var keys: Panels
  package var values: HeadSlices
  package var segments: SegmentTable
  package var scale: Float
  /// `[rows, heads · channels]`
  package var out: Tensor

  package init(
    queries: HeadSlices, keys: Panels, values: HeadSlices, segments: SegmentTable, scale: Float, into out: Tensor
  ) {
    self.queries = queries
    self.keys = keys
    self.values = values
    self.segments = segments
    self.scale = scale
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "attention"
    let rows = segments.segments.rowCount
    try queries.validate(name, rows: rows)
    try values.validate(name, rows: rows)
    try require(
      queries.heads == keys.heads && queries.channels == keys.channels && values.heads == keys.heads
        && values.channels == keys.channels, name, "queries, keys and values differ in heads or channels")
    try require(
      keys.heads == 1 || (queries.headStride == queries.channels && values.headStride == values.channels), name,
      "heads must lie side by side")
    try require(keys.channels <= 512, name, "heads have at most 512 channels, not \(keys.channels)")
    try keys.requirePanels(of: .ragged(segments), name)
    try require(out, holds: rows * queries.heads * queries.channels, name, "the result")
    try require(scale.isFinite, name, "the scale must be finite")
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let queryVectors = try memory.vectors(queries)
    let keyVectors = try memory.vectors(keys)
    let valueVectors = try memory.vectors(values)
    let result = try memory.floats(out)
    let (heads, channels) = (keys.heads, keys.channels)
    for segment in Extent.ragged(segments).segmentBounds(panelWidth: keys.width) {
      for head in 0..<heads {
        let segmentKeys = (0..<segment.count).map {
          keyVectors.vector(start: segment.firstPanel, index: $0, head: head, channels: channels)
        }
        let segmentValues = (0..<segment.count).map {
          valueVectors.vector(start: segment.firstRow, index: $0, head: head, channels: channels)
        }
        for i in 0..<segment.count {
          let query = queryVectors.vector(start: segment.firstRow, index: i, head: head, channels: channels)
          let scores = segmentKeys.map { Double(scale) * dot(query, $0) }
          let largest = scores.reduce(-.infinity, max)
          let weights = scores.map { exp($0 - largest) }
          let total = weights.reduce(0, +)
          for c in 0..<channels {
            var sum = 0.0
            for j in 0..<segment.count { sum += weights[j] * segmentValues[j][c] }
            result[((segment.firstRow + i) * heads + head) * channels + c] = Float(sum / total)
          }
        }
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    let queryTiles = ceilingDivide(segments.segments.longest, groupQueries(tiles))
    return [
      KernelLaunch(
        source(tiles), "attention", tiles,
        defines: ["AT_CHANNELS": "\(keys.channels)"].merging(tiles.precisionDefines) { $1 }
          .merging(tiles.choice.macros) { $1 },
        arguments: queries.singleHeadArguments("queries", prefix: "query_")
          + ["keys": .tensor(keys.tensor)] + values.singleHeadArguments("values", prefix: "value_")
          + [
            "out": .tensor(out), "heads": .int(keys.heads), "scale": .float(scale),
            "segments": .tensor(segments.tensor), "query_tiles": .int(queryTiles),
          ],
        groups: [segments.segments.count * keys.heads * queryTiles], groupSize: tiles.rowGroup)
    ]
  }

  package func tuning(_ tiles: TileShape) -> TuningSpace? {
    guard tiles.units == .float32 else { return nil }
    let vectors = ceilingDivide(keys.channels, 16)
    let knobs: [TuningSpace.Knob] =
      switch tiles.variant {
      // Both divide what they are a part of. What is the default depends on the compiler's target.
      case .cpu:
        [
          TuningSpace.Knob("AT_ROWS", [2, 4, 8]),
          TuningSpace.Knob("AT_BLOCK", [1, 2, 3, 4].filter { vectors % $0 == 0 }),
          TuningSpace.Knob("PW_BLOCKED", [0, 1]),
        ]
      case .gpu: [TuningSpace.Knob("AT_QUERIES", [64, 32, 16].filter { $0 < groupQueries(tiles) })]
      }
    return TuningSpace(
      "attention \(keys.heads) x \(keys.channels), rows \(TuningSpace.bucket(segments.segments.rowCount)) of "
        + "up to \(TuningSpace.bucket(segments.segments.longest))", knobs: knobs)
  }

  private func source(_ tiles: TileShape) -> KernelSource {
    switch (tiles.variant, tiles.usesFragments) {
    case (.cpu, _): "network/attention_cpu.cl"
    case (.gpu, false): "network/attention_gpu.cl"
    case (.gpu, true): "network/attention_matrix_gpu.cl"
    }
  }

  /// Queries of a work-group: PW_ROWS on a CPU device, AT_QUERIES on a GPU, which holds fewer of wider heads.
  private func groupQueries(_ tiles: TileShape) -> Int {
    if tiles.variant == .gpu, let chosen = tiles.choice["AT_QUERIES"] { return chosen }
    return switch (tiles.variant, keys.channels) {
    case (.cpu, _): TileShape.registerRows
    case (.gpu, ...64): 64
    case (.gpu, ...128): 32
    case (.gpu, _): 16
    }
  }
}
