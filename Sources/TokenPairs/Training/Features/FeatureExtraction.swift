internal import Engine
internal import ModelFiles
internal import Networks

/// Encodes windows and writes what the encoder gave, each window once and in order.
///
/// A window's rows are the same bits whatever batch they were computed in.
struct FeatureExtraction {
  private typealias Windows = AsyncStream<[Int32]>

  /// Windows written so far.
  private(set) var windows = 0
  /// Their tokens.
  private(set) var tokens = 0
  private let layout: FeatureLayout
  private let writer: FeatureWriter
  private let outcomes: Scheduler<[Int32], [Float]>.Outcomes<Windows>.Iterator

  /// Starts the file; the device begins to compute.
  /// - Parameters:
  ///   - windows: token ids, framed by CLS and SEP.
  ///   - encoder: what encodes them.
  ///   - layout: what the file is to say about them.
  ///   - path: the file.
  ///   - batchTokens: tokens of a batch.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` if the file cannot be written.
  init(
    _ windows: [[Int32]], encoder: TextEncoder, layout: FeatureLayout, to path: String, batchTokens: Int,
    on engine: Engine
  ) throws(ModelFileError) {
    self.layout = layout
    writer = try FeatureWriter(path, layout)
    let mean = layout.lengths.reduce(0, +) / max(1, windows.count)
    let scheduler = Scheduler<[Int32], [Float]>(
      limits: BatchPolicy.Limits(tokens: batchTokens, bytes: max(1, engine.device.memoryBytes / 2)),
      // Finished rows wait in memory for their turn: a few batches of them, however many windows that is.
      window: max(16, 4 * min(batchTokens, 1 << 32) / max(1, mean)),
      weigh: { ($0.count, encoder.memory(of: .tokens($0.count)).pass) },
      execute: { (windows) throws(EngineError) in try await Self.rows(of: windows, encoder, on: engine) })
    let stream = Windows { continuation in
      for window in windows { continuation.yield(window) }
      continuation.finish()
    }
    outcomes = scheduler.outcomes(of: stream).makeAsyncIterator()
  }

  /// Writes the next window's rows, and completes the file after the last.
  /// - Returns: false if there was none left.
  /// - Throws: `EngineError` if the device failed; `ModelFileError` if the file cannot be written; `TrainingError` for
  ///   rows that are not finite.
  mutating func next() async throws -> Bool {
    guard let outcome = try await outcomes.next() else {
      try writer.finish()
      return false
    }
    let rows = try outcome.get()
    // What rounds to infinity in float16 begins at 65,520.
    let limit: Float = layout.precision == .float32 ? .infinity : 65_520
    guard rows.allSatisfy({ abs($0) < limit }) else {
      throw TrainingError(
        "the encoder's output for window \(windows + 1) has numbers that \(layout.precision.rawValue) cannot hold")
    }
    try writer.add(rows)
    windows += 1
    tokens += rows.count / layout.hiddenSize
    return true
  }

  private static func rows(
    of windows: [[Int32]], _ encoder: TextEncoder, on engine: Engine
  ) async throws(EngineError) -> [[Float]] {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(windows), on: engine, uploadedBy: &submission)
    let hidden = try encoder.encode(tokens, in: &submission)
    let place = try submission.download(hidden)
    let values = try await engine.run(submission)[place].floats
    var start = 0
    return windows.map { window in
      let end = start + window.count * encoder.width
      defer { start = end }
      return Array(values[start..<end])
    }
  }
}
