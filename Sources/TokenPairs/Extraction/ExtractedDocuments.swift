internal import DequeModule
public import Engine

/// The documents of a stream of texts, in its order. Iterating reads the texts and runs the device; a consumer that
/// stops taking documents stops both.
public struct ExtractedDocuments<Texts: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Texts.Element == String {
  /// A document at a time.
  public typealias Element = ExtractedDocument

  let requests: Texts
  let extractor: Extractor

  /// Starts the run.
  public func makeAsyncIterator() -> Iterator {
    Iterator(DocumentOutcomes(texts: requests, extractor: extractor).makeAsyncIterator())
  }

  /// Hands out documents in order.
  public struct Iterator: AsyncIteratorProtocol {
    private var outcomes: DocumentOutcomes<Texts>.Iterator

    init(_ outcomes: DocumentOutcomes<Texts>.Iterator) { self.outcomes = outcomes }

    /// The next document, or nil at the end.
    /// - Throws: `EngineError` if the device failed on this document; what the texts' own sequence threw;
    ///   `CancellationError`.
    public mutating func next() async throws -> ExtractedDocument? {
      try await outcomes.next()?.get()
    }
  }
}

/// As `ExtractedDocuments`, with a document's failure as a value: the documents after it still come.
public struct DocumentOutcomes<Texts: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Texts.Element == String {
  /// A document, or why the device could not read it.
  public typealias Element = Result<ExtractedDocument, EngineError>

  let texts: Texts
  let extractor: Extractor

  init(texts: Texts, extractor: Extractor) {
    self.texts = texts
    self.extractor = extractor
  }

  /// Starts the run.
  public func makeAsyncIterator() -> Iterator {
    let ledger = TextLedger()
    let windows = WindowSource(texts: texts, extractor: extractor, ledger: ledger)
    return Iterator(
      extractor: extractor, ledger: ledger,
      outcomes: extractor.scheduler().outcomes(of: windows).makeAsyncIterator())
  }

  /// Hands out outcomes in order.
  public struct Iterator: AsyncIteratorProtocol {
    let extractor: Extractor
    let ledger: TextLedger
    let outcomes: Scheduler<[Int32], WindowFindings>.Outcomes<WindowSource<Texts>>.Iterator
    var index = 0

    /// The next outcome, or nil at the end.
    /// - Throws: what the texts' own sequence threw; `CancellationError`.
    public mutating func next() async throws -> Element? {
      guard let first = try await outcomes.next(), let text = await ledger.next() else { return nil }
      defer { index += 1 }
      var findings: [WindowFindings] = []
      var failure: EngineError?
      for window in 0..<text.windows.count {
        let outcome = window == 0 ? first : try await outcomes.next()
        switch outcome {
        case .success(let found)?: findings.append(found)
        case .failure(let error)?: failure = failure ?? error
        case nil: throw CancellationError()
        }
      }
      if let failure { return .failure(failure) }
      return .success(extractor.assembler.document(text, index: index, findings))
    }
  }
}

/// The texts whose windows are under way, in order.
actor TextLedger {
  private var texts: Deque<TokenizedText> = []

  func add(_ text: TokenizedText) { texts.append(text) }

  func next() -> TokenizedText? { texts.popFirst() }
}

/// Tokenises texts as they are asked for, and hands out the token ids of their windows.
struct WindowSource<Texts: AsyncSequence & Sendable>: AsyncSequence, Sendable where Texts.Element == String {
  typealias Element = [Int32]

  let texts: Texts
  let extractor: Extractor
  let ledger: TextLedger

  func makeAsyncIterator() -> Iterator {
    Iterator(texts: texts.makeAsyncIterator(), extractor: extractor, ledger: ledger)
  }

  struct Iterator: AsyncIteratorProtocol {
    var texts: Texts.AsyncIterator
    let extractor: Extractor
    let ledger: TextLedger
    var pending: [[Int32]] = []
    var sent = 0

    mutating func next() async throws -> [Int32]? {
      if sent == pending.count {
        guard let text = try await texts.next() else { return nil }
        let tokenized = extractor.reader.read(text)
        await ledger.add(tokenized)
        pending = tokenized.windows
        sent = 0
      }
      defer { sent += 1 }
      return pending[sent]
    }
  }
}

/// A sequence of texts, asynchronously.
public struct AsyncTexts<Texts: Sequence & Sendable>: AsyncSequence, Sendable where Texts.Element == String {
  /// A text at a time.
  public typealias Element = String

  private let texts: Texts

  init(_ texts: Texts) { self.texts = texts }

  /// Starts from the first text.
  public func makeAsyncIterator() -> Iterator { Iterator(texts: texts.makeIterator()) }

  /// Hands out texts in order.
  public struct Iterator: AsyncIteratorProtocol {
    var texts: Texts.Iterator

    /// The next text, or nil at the end.
    public mutating func next() async -> String? { texts.next() }
  }
}
