internal import Engine

/// The features of a batch on the device, mixed if the batch says so.
struct BatchFeatures: Sendable {
  let rows: Int
  let segments: SegmentTable
  /// `[rows]` int32: each row's place in its window.
  let positions: Tensor
  /// `[rows, hiddenSize]`
  let hidden: Tensor
  /// The same as `PackTransposed` lays it out.
  let transposed: Panels

  /// Adds the uploads, and what mixes them.
  init(
    _ batch: TrainingBatch, of features: any FeatureSource, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) {
    let width = features.hiddenSize
    rows = batch.tokens
    let segments = Segments(lengths: batch.windows.map(\.length))
    self.segments = try engine.makeSegmentTable(segments, uploadedBy: &submission)
    positions = try engine.makeTensor(.int32, rows)
    try submission.upload(.int32(segments.positions), to: positions)

    let sources = batch.windows.flatMap { [$0.index] + ($0.partner.map { [$0] } ?? []) }
    let read = Self.read(sources, of: features)
    let uploaded = try engine.makeTensor(.float32, read.count / width, width)
    try submission.upload(.float32(read), to: uploaded)
    if batch.windows.contains(where: { $0.partner != nil || $0.length != features.lengths[$0.index] }) {
      hidden = try engine.makeTensor(.float32, rows, width)
      let blend = Self.blend(batch, lengths: features.lengths)
      let indices = try engine.makeTensor(.int32, rows, 2)
      let weights = try engine.makeTensor(.float32, rows)
      try submission.upload(.int32(blend.indices), to: indices)
      try submission.upload(.float32(blend.weights), to: weights)
      try submission.append(
        BlendRows(of: uploaded, indices: indices, weights: weights, rows: rows, into: hidden))
    } else {
      hidden = uploaded
    }
    transposed = try engine.makePanels(for: .whole(width), channels: rows)
    try submission.append(
      PackTransposed(HeadSlices(hidden, channels: width), rows: rows, into: transposed))
  }

  private static func read(_ windows: [Int], of features: any FeatureSource) -> [Float] {
    let width = features.hiddenSize
    let count = windows.reduce(0) { $0 + features.lengths[$1] } * width
    return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      for window in windows {
        let size = features.lengths[window] * width
        features.copyRows(
          of: window, into: UnsafeMutableBufferPointer(rebasing: buffer[initialized..<initialized + size]))
        initialized += size
      }
    }
  }

  /// Which uploaded rows each row is made of; those that the shorter window lacks are zeros.
  private static func blend(_ batch: TrainingBatch, lengths: [Int]) -> (indices: [Int32], weights: [Float]) {
    var indices: [Int32] = []
    var weights: [Float] = []
    var first = 0
    for window in batch.windows {
      let own = lengths[window.index]
      let other = window.partner.map { lengths[$0] } ?? 0
      for position in 0..<window.length {
        indices.append(position < own ? Int32(first + position) : -1)
        indices.append(position < other ? Int32(first + own + position) : -1)
        weights.append(window.weight)
      }
      first += own + other
    }
    return (indices, weights)
  }
}
