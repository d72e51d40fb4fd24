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
    /// What becomes of entities that overlap.
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
  private let scorer: WindowScorer

  /// Loads a model directory: the Hugging Face files (`config.json`, `model.safetensors`, `tokenizer.json` or
  /// `vocab.txt`) and `globalpointer.json` (entities) or `gplinker.json` (relations, events).
  /// - Throws: `ModelFileError` that names file and tensor or field; `EngineError` if the device has no room.
  public init(model directory: String, on engine: Engine, options: Options = Options()) async throws {
    let description = try ModelDescription(directory: directory)
    let files = try EncoderFiles(directory: directory)
    let (configuration, checkpoint) = (files.configuration, files.checkpoint)
    let encoder = try await TextEncoder(
      files.graph, weights: checkpoint, prefix: description.encoderPrefix, on: engine)
    let heads = try await ModelHeads(
      description, checkpoint, hiddenSize: configuration.hiddenSize, positions: configuration.maximumPositions,
      on: engine)
    task = description.task
    labels = description.labels
    links = description.links
    assembler = DocumentAssembler(description, options)
    reader = WindowReader(
      tokenizer: files.tokenizer, capacity: files.windowCapacity, overlap: options.windowOverlap)
    scorer = WindowScorer(encoder: encoder, heads: heads, options: options, engine: engine)
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

  /// Runs windows in batches made for this device.
  func scheduler() -> Scheduler<TokenWindow, WindowFindings> {
    let scorer = scorer
    return Scheduler(
      limits: options.limits(on: engine.device),
      weigh: { ($0.ids.count, scorer.bytes(forTokens: $0.ids.count)) },
      execute: { (windows) throws(EngineError) in try await scorer.findings(in: windows.map(\.ids)) })
  }
}
