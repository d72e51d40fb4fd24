public import Engine
internal import ModelFiles
internal import Networks

/// Finds entities, relations or events in text, whichever its model was trained for: an encoder and its token-pair heads,
/// loaded onto a device.
///
/// A sentence's result is the same, bit for bit, whatever batch it travels in. Safe to use from many tasks.
public struct Extractor: Sendable {
  /// How spans are chosen and batches formed.
  public struct Options: Sendable, Hashable {
    /// A span or a link is found if its score is greater.
    public var threshold: Float
    /// What happens to entities that overlap.
    public var mode: OverlapMode
    /// Tokens in a batch; chosen for the device if nil.
    public var batchTokens: Int?
    /// Tokens that neighbouring windows of a long text share: entities up to this length are never cut, nor links over
    /// that distance missed. At most half a window is shared, or a long text would be read many times over.
    public var windowOverlap: Int
    /// Spans of a window to look at at most, the strongest. An untrained model finds most of the n² there are; a
    /// document that had more says so in `isTruncated`.
    public var maximumSpans: Int
    /// Leaves out events without a trigger, of types that have triggers.
    public var requiresTrigger: Bool
    /// Leaves out events that say nothing another event of their type does not.
    public var dropsSubsets: Bool

    /// Options with the usual values.
    public init(
      threshold: Float = 0, mode: OverlapMode = .nested, batchTokens: Int? = nil, windowOverlap: Int = 128,
      maximumSpans: Int = 2048, requiresTrigger: Bool = true, dropsSubsets: Bool = false
    ) {
      self.threshold = threshold
      self.mode = mode
      self.batchTokens = batchTokens
      self.windowOverlap = windowOverlap
      self.maximumSpans = maximumSpans
      self.requiresTrigger = requiresTrigger
      self.dropsSubsets = dropsSubsets
    }
  }

  /// What the model finds.
  public let task: ModelTask
  /// What the model calls spans: entity types; `subject` and `object`; or `TYPE/ROLE` for each role of each event type.
  public let labels: [String]
  /// What the model calls pairs of spans: predicates for relations, one `link` for events, none for entities.
  public let links: [String]
  /// How spans are chosen and batches formed.
  public let options: Options
  /// The device that computes.
  public let engine: Engine

  let reader: WindowReader
  let assembler: DocumentAssembler
  private let encoder: TextEncoder
  private let heads: ModelHeads

  /// Loads a model directory: the Hugging Face files (`config.json`, `model.safetensors`, `tokenizer.json` or
  /// `vocab.txt`) and `globalpointer.json` (entities) or `gplinker.json` (relations, events).
  /// - Throws: `ModelFileError` that names file and tensor or field; `EngineError` if the device has no room.
  public init(model directory: String, on engine: Engine, options: Options = Options()) async throws {
    let description = try ModelDescription(directory: directory)
    let files = try EncoderFiles(directory: directory)
    let (configuration, checkpoint) = (files.configuration, files.checkpoint)
    encoder = try await TextEncoder(
      files.graph, weights: checkpoint, prefix: description.encoderPrefix, on: engine)
    heads = try await ModelHeads(
      try description.heads.map { try $0.parameters(from: checkpoint, hiddenSize: configuration.hiddenSize) },
      rule: LinkRule(
        links: description.links, schema: description.eventSchema,
        triangular: description.linkHeads?.head.shape.triangular ?? false),
      positions: configuration.maximumPositions, on: engine)
    task = description.task
    labels = description.labels
    links = description.links
    assembler = DocumentAssembler(
      labels: description.labels, links: description.links, schema: description.eventSchema, options)
    reader = WindowReader(
      tokenizer: files.tokenizer, capacity: files.windowCapacity, overlap: options.windowOverlap)
    self.engine = engine
    self.options = options
  }

  /// Reads each text, in the order of the texts. Texts are read as results are taken, not all at once.
  public func documents<Texts: AsyncSequence & Sendable>(in texts: Texts) -> ExtractedDocuments<Texts>
  where Texts.Element == String {
    ExtractedDocuments(requests: texts, extractor: self)
  }

  /// As `documents(in:)`, with a document's failure as a value: the documents after it still come.
  public func outcomes<Texts: AsyncSequence & Sendable>(in texts: Texts) -> DocumentOutcomes<Texts>
  where Texts.Element == String {
    DocumentOutcomes(texts: texts, extractor: self)
  }

  /// Reads each text, in the order of the texts.
  public func documents<Texts: Sequence & Sendable>(in texts: Texts) -> ExtractedDocuments<AsyncTexts<Texts>>
  where Texts.Element == String {
    documents(in: AsyncTexts(texts))
  }

  /// Runs windows, given as token ids, in batches made for this device.
  func scheduler() -> Scheduler<[Int32], WindowFindings> {
    Scheduler(
      limits: options.limits(on: engine.device),
      weigh: { [self] in ($0.count, bytes(forTokens: $0.count)) },
      execute: { [self] (windows) throws(EngineError) in try await findings(in: windows) })
  }

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
          tail: try links.tail.linkScores(hidden: hidden, tokens, in: &submission), scale: links.head.shape.scale,
          threshold: options.threshold))
    }
    return try await WindowQuery(spans: query, labels: spans.shape.types, links: joined)
      .findings(after: submission, lengths: tokens.segments.segments.lengths, on: engine)
  }
}
