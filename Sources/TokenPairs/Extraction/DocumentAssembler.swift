internal import Engine

/// Makes documents of what was found in their windows.
struct DocumentAssembler: Sendable {
  /// What is made of spans and links.
  private enum Task: Sendable {
    case entities(OverlapMode)
    case relations
    case events(EventDecoder)
  }

  private let task: Task
  private let labels: [String]
  private let links: [String]

  init(_ description: ModelDescription, _ options: Extractor.Options) {
    self.init(
      labels: description.labels, links: description.links, schema: description.eventSchema, options)
  }

  /// - Parameters:
  ///   - labels: what spans are called.
  ///   - links: what pairs of spans are called; none for entities.
  ///   - schema: what the labels mean in a model of events; nil for others.
  ///   - options: how spans are chosen.
  init(labels: [String], links: [String], schema: EventSchema?, _ options: Extractor.Options) {
    self.labels = labels
    self.links = links
    if let schema {
      var decoding = EventDecoder.Options()
      decoding.requiresTrigger = options.requiresTrigger
      decoding.dropsSubsets = options.dropsSubsets
      task = .events(EventDecoder(schema: schema, options: decoding))
    } else {
      task = links.isEmpty ? .entities(options.mode) : .relations
    }
  }

  /// A text's document from the findings of its windows.
  func document(_ tokenized: TokenizedText, index: Int, _ findings: [WindowFindings]) -> ExtractedDocument {
    let spans = PlacedSpans(findings, in: tokenized)
    var document = ExtractedDocument(
      index: index, text: tokenized.text, tokenCount: tokenized.offsets.count,
      isTruncated: findings.contains(where: \.isTruncated))
    let text = LinkedText(tokenized.text)
    switch task {
    case .entities(let mode):
      document.entities = SpanDecoder.decode(spans.spans, mode: mode).map { text.entity($0, labels[$0.label]) }
    case .relations:
      let (relations, isTruncated) = relations(spans, text, windows: findings.count)
      document.relations = relations
      document.isTruncated = document.isTruncated || isTruncated
    case .events(let decoder):
      let (events, isTruncated) = events(spans, text, tokenized.text, decoder, windows: findings.count)
      document.events = events
      document.isTruncated = document.isTruncated || isTruncated
    }
    return document
  }

  private func relations(
    _ spans: PlacedSpans, _ text: LinkedText, windows: Int
  ) -> (relations: [Relation], isTruncated: Bool) {
    // Indices of all spans serve for both ends: a span's label says which it is.
    let ends = spans.spans.map { LinkSpan(range: $0.range, score: $0.score) }
    let decoded = RelationDecoder(windows: windows).decode(spans.links, subjects: ends, objects: ends)
    let relations = decoded.relations.map {
      text.relation(
        $0, subjects: ends, objects: ends, labels: (subject: labels[0], object: labels[1]), predicates: links)
    }
    return (relations, decoded.isTruncated)
  }

  private func events(
    _ spans: PlacedSpans, _ text: LinkedText, _ whole: String, _ decoder: EventDecoder, windows: Int
  ) -> (events: [Event], isTruncated: Bool) {
    let nodes = spans.spans.map { decoder.schema.node(label: $0.label, span: $0.range, score: $0.score) }
    let texts = decoder.options.dropsSubsets ? nodes.map { text.words($0.span) } : nil
    let options = decoder.options.scaled(toWindows: windows)
    let decoded = EventDecoder(schema: decoder.schema, options: options).decode(nodes, hits: spans.links, texts: texts)
    return (decoded.events.map { text.event($0, nodes: nodes, schema: decoder.schema) }, decoded.isTruncated)
  }
}

/// The spans of all windows in the text's own places, and the links among them.
///
/// A span that several windows hold is found if the window that answers for it finds it; a link is found if any window
/// that holds both its spans finds it.
private struct PlacedSpans {
  /// The same span may stand here more than once.
  private(set) var spans: [ScoredSpan] = []
  /// Indices of `spans`.
  private(set) var links: [LinkHit] = []

  private struct Key: Hashable {
    let label: Int
    let tokens: ClosedRange<Int>
  }

  init(_ findings: [WindowFindings], in tokenized: TokenizedText) {
    var indices: [Key: Int] = [:]
    func key(_ cell: PairCell, _ window: Int) -> Key? {
      tokenized.tokens((cell.row, cell.column), window: window).map { Key(label: cell.matrix, tokens: $0) }
    }
    for (window, found) in findings.enumerated() {
      for cell in found.spans {
        guard let key = key(cell, window),
          tokenized.plan.answers(window: window, first: key.tokens.lowerBound, last: key.tokens.upperBound)
        else { continue }
        indices[key] = spans.count
        spans.append(ScoredSpan(label: cell.matrix, range: tokenized.place(of: key.tokens), score: cell.score))
      }
    }
    for (window, found) in findings.enumerated() {
      for link in found.links {
        guard let first = key(found.spans[link.first], window).flatMap({ indices[$0] }),
          let second = key(found.spans[link.second], window).flatMap({ indices[$0] })
        else { continue }
        links.append(LinkHit(first: first, second: second, predicate: link.predicate, score: link.score))
      }
    }
  }
}
