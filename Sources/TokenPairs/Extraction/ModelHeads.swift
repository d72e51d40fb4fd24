internal import Engine
internal import ModelFiles
internal import Networks

/// A model's heads on a device.
struct ModelHeads: Sendable {
  /// The two heads that join spans.
  struct Links: Sendable {
    let head: PairHead
    let tail: PairHead
    let rule: LinkRule
  }

  /// Finds spans, a type a label.
  let spans: PairHead
  /// Nil for entities.
  let links: Links?

  init(
    _ description: ModelDescription, _ checkpoint: Checkpoint, hiddenSize: Int, positions: Int, on engine: Engine
  ) async throws {
    let links = description.linkHeads
    let parameters = try [description.spanHead, links?.head, links?.tail].compactMap {
      try $0?.parameters(from: checkpoint, hiddenSize: hiddenSize)
    }
    try await self.init(parameters, rule: LinkRule(description), positions: positions, on: engine)
  }

  /// - Parameters:
  ///   - parameters: the span head, and for a model that links the head and tail heads.
  ///   - rule: which spans can be linked; nil for entities.
  ///   - positions: the longest sequence the heads will meet.
  ///   - engine: the device.
  /// - Throws: `EngineError` if the device has no room.
  init(
    _ parameters: [HeadParameters], rule: LinkRule?, positions: Int, on engine: Engine
  ) async throws(EngineError) {
    precondition(parameters.count == (rule == nil ? 1 : 3))
    spans = try await PairHead(parameters[0], positions: positions, on: engine)
    links =
      if let rule {
        Links(
          head: try await PairHead(parameters[1], positions: positions, on: engine),
          tail: try await PairHead(parameters[2], positions: positions, on: engine), rule: rule)
      } else { nil }
  }

  /// Device memory that a sequence takes while it is scored, in bytes.
  func bytes(forTokens count: Int) -> Int {
    [spans, links?.head, links?.tail].reduce(0) { $0 + ($1?.bytes(forTokens: count) ?? 0) }
  }

  /// Runs `submission` (what makes `hidden`), then the heads on it.
  /// - Parameters:
  ///   - hidden: the encoder's output, `[tokens, hiddenSize]`.
  ///   - tokens: the batch of windows that it is of.
  ///   - options: the threshold, and the spans to look at at most.
  ///   - submission: what is to run first.
  ///   - engine: the device.
  /// - Returns: findings, one a window.
  /// - Throws: `EngineError` if the device has no room.
  func findings(
    hidden: Tensor, _ tokens: DeviceTokens, _ options: Extractor.Options, after submission: Submission,
    on engine: Engine
  ) async throws(EngineError) -> [WindowFindings] {
    var submission = submission
    var query = try spans.query(hidden: hidden, tokens, threshold: options.threshold, in: &submission)
    query.limit = max(1, options.maximumSpans)
    var joined: WindowQuery.Links?
    if let links {
      joined = WindowQuery.Links(
        rule: links.rule,
        query: LinkQuery(
          head: try links.head.linkScores(hidden: hidden, tokens, in: &submission),
          tail: try links.tail.linkScores(hidden: hidden, tokens, in: &submission), scale: links.head.scale,
          threshold: options.threshold))
    }
    return try await WindowQuery(spans: query, labels: spans.parameters.types, links: joined)
      .findings(after: submission, lengths: tokens.segments.segments.lengths, on: engine)
  }
}
