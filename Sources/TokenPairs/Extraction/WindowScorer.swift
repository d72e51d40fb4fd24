internal import Engine
internal import Networks

/// Runs windows through the encoder and the heads.
struct WindowScorer: Sendable {
  let encoder: TextEncoder
  let heads: ModelHeads
  let options: Extractor.Options
  let engine: Engine

  /// Device memory that a window takes while it is scored, in bytes.
  func bytes(forTokens count: Int) -> Int {
    encoder.memory(of: .tokens(count)).pass + heads.bytes(forTokens: count)
  }

  /// Encodes a batch once; all heads read from that.
  func findings(in windows: [[Int32]]) async throws(EngineError) -> [WindowFindings] {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(windows), on: engine, uploadedBy: &submission)
    let hidden = try encoder.encode(tokens, in: &submission)
    return try await heads.findings(hidden: hidden, tokens, options, after: submission, on: engine)
  }
}
