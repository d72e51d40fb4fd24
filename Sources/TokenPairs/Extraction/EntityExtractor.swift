public import Engine
internal import ModelFiles
internal import Networks

/// Finds entities in text: an encoder and a token-pair head, loaded onto a device.
///
/// A sentence's result is the same, bit for bit, whatever batch it travels in. Safe to use from many tasks.
public struct EntityExtractor: Sendable {
  /// How spans are chosen and batches formed.
  public struct Options: Sendable, Hashable {
    /// A span is found if its score is greater.
    public var threshold: Float
    /// What becomes of spans that overlap.
    public var mode: OverlapMode
    /// Tokens in a batch; chosen for the device if nil.
    public var batchTokens: Int?
    /// Tokens that neighbouring windows of a long text share: entities up to this length are never cut. At most half a
    /// window is shared, or a long text would be read many times over.
    public var windowOverlap: Int

    /// Options with the usual values.
    public init(
      threshold: Float = 0, mode: OverlapMode = .nested, batchTokens: Int? = nil, windowOverlap: Int = 128
    ) {
      self.threshold = threshold
      self.mode = mode
      self.batchTokens = batchTokens
      self.windowOverlap = windowOverlap
    }
  }

  /// The labels that the model knows.
  public let labels: [String]
  /// How spans are chosen and batches formed.
  public let options: Options
  /// The device that computes.
  public let engine: Engine

  private let tokenizer: WordPieceTokenizer
  private let encoder: BertEncoder
  private let head: PairHead

  /// Loads a model directory: the Hugging Face files (`config.json`, `model.safetensors`, `tokenizer.json` or
  /// `vocab.txt`) and `globalpointer.json`.
  /// - Throws: `ModelFileError` that names file and tensor or field; `EngineError` if the device has no room.
  public init(model directory: String, on engine: Engine, options: Options = Options()) async throws {
    let description = try ModelDescription(directory: directory)
    try description.check(task: .entities)
    let configuration = try BertConfiguration(directory: directory)
    let checkpoint = try Checkpoint(directory: directory)
    let tokenizer = try WordPieceTokenizer(directory: directory)
    guard tokenizer.vocabularySize <= configuration.vocabularySize else {
      throw ModelFileError(
        file: directory,
        problem:
          "the tokenizer knows \(tokenizer.vocabularySize) tokens, the encoder embeds \(configuration.vocabularySize)")
    }
    guard configuration.maximumPositions > 2 else {
      throw ModelFileError(
        file: directory + "/config.json", subject: "field 'max_position_embeddings'",
        problem: "\(configuration.maximumPositions) positions hold no more than the marks that frame a text")
    }
    let parameters = try description.spanHead.parameters(
      from: checkpoint, hiddenSize: configuration.hiddenSize)
    encoder = try await BertEncoder(
      configuration, weights: checkpoint, prefix: description.encoderPrefix, on: engine)
    head = try await PairHead(parameters, positions: configuration.maximumPositions, on: engine)
    labels = description.labels
    self.tokenizer = tokenizer
    self.engine = engine
    self.options = options
  }

  /// Finds the entities of each text, in the order of the texts. Texts are read as results are taken, not all at once.
  public func entities<Texts: AsyncSequence & Sendable>(in texts: Texts) -> ExtractedDocuments<Texts>
  where Texts.Element == String {
    ExtractedDocuments(requests: texts, extractor: self)
  }

  /// As `entities(in:)`, with a document's failure as a value: the documents after it still come.
  public func outcomes<Texts: AsyncSequence & Sendable>(in texts: Texts) -> DocumentOutcomes<Texts>
  where Texts.Element == String {
    DocumentOutcomes(texts: texts, extractor: self)
  }

  /// Finds the entities of each text, in the order of the texts.
  public func entities<Texts: Sequence & Sendable>(in texts: Texts) -> ExtractedDocuments<AsyncTexts<Texts>>
  where Texts.Element == String {
    entities(in: AsyncTexts(texts))
  }
}

extension EntityExtractor {
  /// Content tokens of a window: two positions are for CLS and SEP.
  var windowCapacity: Int { encoder.configuration.maximumPositions - 2 }

  /// Cuts a text into windows, at least one.
  func read(_ text: String) -> TokenizedText {
    let encoding = tokenizer.encode(text)
    let content = Array(zip(encoding.ids, encoding.offsets).dropFirst().dropLast())
    let offsets = content.map(\.1)
    let plan = WindowPlan(
      count: content.count, capacity: windowCapacity, overlap: min(max(0, options.windowOverlap), windowCapacity / 2)
    ) { $0 == 0 || offsets[$0].lowerBound > offsets[$0 - 1].upperBound }
    let windows = plan.windows.map { [tokenizer.clsID] + content[$0].map(\.0) + [tokenizer.sepID] }
    return TokenizedText(text: text, offsets: offsets, plan: plan, windows: windows)
  }

  /// Scores windows in one pass over the device.
  /// - Returns: for each window its cells, tokens counted with CLS as 0.
  func cells(of windows: [[Int32]]) async throws(EngineError) -> [[PairCell]] {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(windows), on: engine, uploadedBy: &submission)
    let hidden = try encoder.encode(tokens, in: &submission)
    let query = try head.query(hidden: hidden, tokens, threshold: options.threshold, in: &submission)
    var result = [[PairCell]](repeating: [], count: windows.count)
    // Real text has a few entities a sentence; a list this long is read back in one go.
    let capacity = max(256, tokens.count)
    for cell in try await engine.cells(query, after: submission, capacity: capacity) {
      result[cell.matrix / labels.count].append(cell)
    }
    return result
  }

  /// A text's entities from the cells of its windows.
  func document(_ tokenized: TokenizedText, index: Int, cells: [[PairCell]]) -> ExtractedDocument {
    var spans: [ScoredSpan] = []
    for (window, cells) in cells.enumerated() {
      let offset = tokenized.plan.windows[window].lowerBound
      for cell in cells {
        let (first, last) = (offset + cell.row - 1, offset + cell.column - 1)
        // A head without a triangle also scores spans that end before they begin: no text answers to those.
        guard first <= last, tokenized.plan.answers(window: window, first: first, last: last) else { continue }
        let start = tokenized.offsets[first].lowerBound
        let range = start..<max(start, tokenized.offsets[last].upperBound)
        spans.append(ScoredSpan(label: cell.matrix % labels.count, range: range, score: cell.score))
      }
    }
    let places = CodePointPlaces(tokenized.text)
    let entities = SpanDecoder.decode(spans, mode: options.mode).map { span in
      let range = places.range(span.range)
      return Entity(
        label: labels[span.label], text: String(tokenized.text[range]), range: range, codePoints: span.range,
        score: span.score)
    }
    return ExtractedDocument(
      index: index, text: tokenized.text, entities: entities, tokenCount: tokenized.offsets.count)
  }

  /// Runs windows in batches made for this device.
  func scheduler() -> Scheduler<TokenWindow, [PairCell]> {
    let tokens = options.batchTokens ?? (engine.device.kind == .gpu ? 16_384 : 2_048)
    let (encoder, head) = (encoder, head)
    return Scheduler(
      limits: BatchPolicy.Limits(tokens: max(1, tokens), bytes: max(1, engine.device.memoryBytes / 2)),
      weigh: { ($0.ids.count, encoder.bytes(forTokens: $0.ids.count) + head.bytes(forTokens: $0.ids.count)) },
      execute: { (windows) throws(EngineError) in try await cells(of: windows.map(\.ids)) })
  }
}

/// A text as tokens, cut into windows.
struct TokenizedText: Sendable {
  let text: String
  /// The content tokens' places in the text, in code points.
  let offsets: [Range<Int>]
  let plan: WindowPlan
  /// Each window's ids, framed by CLS and SEP.
  let windows: [[Int32]]
}

/// One window on its way through the scheduler.
struct TokenWindow: Sendable {
  let ids: [Int32]
}

/// Finds the string indices of code points.
struct CodePointPlaces {
  private let indices: [String.Index]
  private let end: String.Index

  init(_ text: String) {
    indices = Array(text.unicodeScalars.indices)
    end = text.endIndex
  }

  func range(_ codePoints: Range<Int>) -> Range<String.Index> {
    place(codePoints.lowerBound)..<place(codePoints.upperBound)
  }

  private func place(_ codePoint: Int) -> String.Index {
    indices.indices.contains(codePoint) ? indices[codePoint] : end
  }
}
