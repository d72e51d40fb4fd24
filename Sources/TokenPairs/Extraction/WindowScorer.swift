internal import Engine
internal import Networks

/// Runs windows through the encoder and the heads.
struct WindowScorer: Sendable {
  let encoder: BertEncoder
  let heads: ModelHeads
  let options: Extractor.Options
  let engine: Engine

  /// Device memory that a window takes while it is scored, in bytes.
  func bytes(forTokens count: Int) -> Int {
    encoder.bytes(forTokens: count) + heads.bytes(forTokens: count)
  }

  /// Encodes a batch once; all heads read from that.
  func findings(in windows: [[Int32]]) async throws(EngineError) -> [WindowFindings] {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(windows), on: engine, uploadedBy: &submission)
    let hidden = try encoder.encode(tokens, in: &submission)
    var query = try heads.spans.query(hidden: hidden, tokens, threshold: options.threshold, in: &submission)
    query.limit = max(1, options.maximumSpans)
    var links: WindowQuery.Links?
    if let pair = heads.links {
      links = WindowQuery.Links(
        rule: pair.rule,
        query: LinkQuery(
          head: try pair.head.linkScores(hidden: hidden, tokens, in: &submission),
          tail: try pair.tail.linkScores(hidden: hidden, tokens, in: &submission), scale: pair.head.scale,
          threshold: options.threshold))
    }
    return try await WindowQuery(spans: query, labels: heads.spans.parameters.types, links: links)
      .findings(after: submission, lengths: windows.map(\.count), on: engine)
  }
}
