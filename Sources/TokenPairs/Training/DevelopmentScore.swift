internal import Engine
internal import Networks

/// How well heads do on development data: their features are there already, so only the heads are computed.
struct DevelopmentScore: Sendable {
  private let texts: [TokenizedText]
  private let gold: [TrainingDocument.Gold]
  private let ids: [[Int32]]
  private let features: any FeatureSource
  private let task: ModelTask
  private let assembler: DocumentAssembler
  private let rule: LinkRule?
  private let options: Extractor.Options
  private let positions: Int
  private let engine: Engine

  /// - Parameters:
  ///   - documents: the development data.
  ///   - reader: cuts them into windows.
  ///   - features: of those windows, in their order.
  ///   - inventory: what the heads' matrices are called.
  ///   - positions: the longest window.
  ///   - engine: the device.
  /// - Throws: `TrainingError` for labels that no model of events can have.
  init(
    _ documents: [TrainingDocument], reader: WindowReader, features: any FeatureSource, inventory: LabelInventory,
    positions: Int, on engine: Engine
  ) throws(TrainingError) {
    texts = documents.map { reader.read($0.text) }
    gold = documents.map(\.gold)
    ids = texts.flatMap(\.windows)
    self.features = features
    self.positions = positions
    self.engine = engine
    task = inventory.task
    // As in `weft evaluate`: the arguments of events without a trigger count.
    options = Extractor.Options(requiresTrigger: false)
    var schema: EventSchema?
    if task == .events {
      do { schema = try EventSchema(labels: inventory.labels) } catch { throw TrainingError(error.description) }
    }
    rule = LinkRule(links: inventory.links, schema: schema, triangular: false)
    assembler = DocumentAssembler(labels: inventory.labels, links: inventory.links, schema: schema, options)
  }

  /// Scores heads.
  /// - Parameters:
  ///   - parameters: the span head, then the head and tail heads of links.
  ///   - batchTokens: tokens of a batch.
  /// - Returns: the metrics over all documents.
  /// - Throws: `EngineError` if the device failed or has no room.
  func evaluate(_ parameters: [HeadParameters], batchTokens: Int) async throws -> Evaluation {
    let heads = try await ModelHeads(parameters, rule: rule, positions: positions, on: engine)
    let scheduler = Scheduler<Int, WindowFindings>(
      limits: BatchPolicy.Limits(tokens: batchTokens, bytes: max(1, engine.device.memoryBytes / 2)),
      weigh: { window in
        let tokens = ids[window].count
        return (tokens, 4 * tokens * features.hiddenSize + heads.bytes(forTokens: tokens))
      },
      execute: { (windows) throws(EngineError) in try await findings(heads, windows) })
    let windows = AsyncStream<Int> { continuation in
      for window in ids.indices { continuation.yield(window) }
      continuation.finish()
    }
    var evaluation = Evaluation(task)
    let outcomes = scheduler.outcomes(of: windows).makeAsyncIterator()
    for (index, text) in texts.enumerated() {
      var found: [WindowFindings] = []
      for _ in text.windows {
        guard let outcome = try await outcomes.next() else { throw CancellationError() }
        found.append(try outcome.get())
      }
      evaluation.add(assembler.document(text, index: index, found), gold: gold[index])
    }
    return evaluation
  }

  private func findings(_ heads: ModelHeads, _ windows: [Int]) async throws(EngineError) -> [WindowFindings] {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(windows.map { ids[$0] }), on: engine, uploadedBy: &submission)
    let hidden = try engine.makeTensor(.float32, tokens.count, features.hiddenSize)
    try submission.upload(.float32(try features.rows(of: windows)), to: hidden)
    return try await heads.findings(hidden: hidden, tokens, options, after: submission, on: engine)
  }
}
