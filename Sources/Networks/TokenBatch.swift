package import Engine

/// Token ids of several sequences, one after the other without padding.
package struct TokenBatch: Sendable {
  package let ids: [Int32]
  package let segments: Segments

  /// - Parameter sequences: at least one, none empty.
  package init(_ sequences: [[Int32]]) {
    ids = sequences.flatMap { $0 }
    segments = Segments(lengths: sequences.map(\.count))
  }
}

/// A batch's ids, positions and segments on a device.
package struct DeviceTokens: Sendable {
  package let segments: SegmentTable
  package let ids: Tensor
  /// Each token's position within its sequence.
  package let positions: Tensor

  package var count: Int { segments.segments.rowCount }

  /// Makes room for a batch and adds its uploads.
  package init(_ batch: TokenBatch, on engine: Engine, uploadedBy submission: inout Submission) throws(EngineError) {
    segments = try engine.makeSegmentTable(batch.segments, uploadedBy: &submission)
    ids = try engine.makeTensor(.int32, batch.ids.count)
    positions = try engine.makeTensor(.int32, batch.ids.count)
    try submission.upload(.int32(batch.ids), to: ids)
    try submission.upload(.int32(batch.segments.positions), to: positions)
  }
}
