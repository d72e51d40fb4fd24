/// Makes documents of what was found in their windows.
struct DocumentAssembler: Sendable {
  /// What is made of spans and links.
  private enum Goal: Sendable {
    case entities(OverlapMode)
    case relations
    case events(EventDecoder)
  }

  private let goal: Goal
  private let labels: [String]
  private let links: [String]

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
      goal = .events(EventDecoder(schema: schema, options: decoding))
    } else {
      goal = links.isEmpty ? .entities(options.mode) : .relations
    }
  }

  /// A text's document from the findings of its windows.
  func document(_ tokenized: TokenizedText, index: Int, _ findings: [WindowFindings]) -> ExtractedDocument {
    let spans = PlacedSpans(findings, in: tokenized)
    var document = ExtractedDocument(
      index: index, text: tokenized.text, tokenCount: tokenized.offsets.count,
      isTruncated: findings.contains(where: \.isTruncated))
    let text = LinkedText(tokenized.text)
    switch goal {
    case .entities(let mode):
      document.entities = SpanDecoder.decode(spans.spans, mode: mode).map { text.entity($0, labels[$0.label]) }
    case .relations:
      let (relations, isTruncated) = relations(spans, text, windows: findings.count)
      document.relations = relations
      document.isTruncated = document.isTruncated || isTruncated
    case .events(let decoder):
      let (events, isTruncated) = events(spans, text, decoder, windows: findings.count)
      document.events = events
      document.isTruncated = document.isTruncated || isTruncated
    }
    return document
  }

  private func relations(
    _ spans: PlacedSpans, _ text: LinkedText, windows: Int
  ) -> (relations: [Relation], isTruncated: Bool) {
    // Indices of all spans serve for both ends: a span's label says which it is.
    let decoded = RelationDecoder(windows: windows).decode(spans.links, subjects: spans.spans, objects: spans.spans)
    let relations = decoded.relations.map { text.relation($0, among: spans.spans, labels: labels, predicates: links) }
    return (relations, decoded.isTruncated)
  }

  private func events(
    _ spans: PlacedSpans, _ text: LinkedText, _ decoder: EventDecoder, windows: Int
  ) -> (events: [Event], isTruncated: Bool) {
    let texts = decoder.options.dropsSubsets ? spans.spans.map { text.words($0.range) } : nil
    let decoded = decoder.decode(spans.spans, links: spans.links, texts: texts, windows: windows)
    return (decoded.events.map { text.event($0, among: spans.spans, decoder.schema) }, decoded.isTruncated)
  }
}

/// The spans of all windows at their places in the text, and the links among them.
///
/// A span that several windows hold is found if the window that decides on it finds it; a link is found if any window
/// that holds both its spans finds it.
private struct PlacedSpans {
  /// In code points. The same span may be listed more than once.
  private(set) var spans: [LabelledSpan] = []
  /// Indices of `spans`.
  private(set) var links: [SpanLink] = []

  private struct Key: Hashable {
    let label: Int
    let tokens: Range<Int>
  }

  init(_ findings: [WindowFindings], in tokenized: TokenizedText) {
    var indices: [Key: Int] = [:]
    func key(_ span: LabelledSpan, _ window: Int) -> Key {
      Key(label: span.label, tokens: tokenized.contentTokens(span.range, window: window))
    }
    for (window, found) in findings.enumerated() {
      for span in found.spans {
        let key = key(span, window)
        guard tokenized.plan.answers(window: window, first: key.tokens.lowerBound, last: key.tokens.upperBound - 1)
        else { continue }
        indices[key] = spans.count
        spans.append(
          LabelledSpan(label: span.label, range: tokenized.codePoints(of: key.tokens), score: span.score))
      }
    }
    for (window, found) in findings.enumerated() where !found.links.isEmpty {
      let places = found.spans.map { indices[key($0, window)] }
      for link in found.links {
        guard let first = places[link.first], let second = places[link.second] else { continue }
        links.append(SpanLink(first: first, second: second, predicate: link.predicate, score: link.score))
      }
    }
  }
}

/// Turns spans into what a reader wants: in reading order, none twice, overlaps resolved if asked for.
enum SpanDecoder {
  static func decode(_ spans: [LabelledSpan], mode: OverlapMode) -> [LabelledSpan] {
    let distinct = withoutRepeats(spans)
    switch mode {
    case .nested: return distinct
    case .flat: return withoutOverlaps(distinct)
    }
  }

  /// Several tokens can stand for the same characters; of equal spans the highest score stays.
  private static func withoutRepeats(_ spans: [LabelledSpan]) -> [LabelledSpan] {
    var result: [LabelledSpan] = []
    for span in spans.sorted(by: LabelledSpan.precedes) {
      if let last = result.last, last.label == span.label, last.range == span.range {
        if span.score > last.score { result[result.count - 1] = span }
      } else {
        result.append(span)
      }
    }
    return result
  }

  /// Greedy by score; of equal scores the first in reading order.
  private static func withoutOverlaps(_ spans: [LabelledSpan]) -> [LabelledSpan] {
    var kept: [LabelledSpan] = []
    let byScore = spans.sorted { $0.score != $1.score ? $0.score > $1.score : LabelledSpan.precedes($0, $1) }
    for span in byScore where !kept.contains(where: { $0.range.overlaps(span.range) }) { kept.append(span) }
    return kept.sorted(by: LabelledSpan.precedes)
  }
}

/// Puts a document's text to what was decoded as places and indices. Spans count code points.
struct LinkedText {
  private let text: String
  private let indices: CodePointIndices

  init(_ text: String) {
    self.text = text
    indices = CodePointIndices(text)
  }

  /// A relation in words; `labels` are those of the model's entity head, subject first.
  func relation(
    _ link: SpanLink, among spans: [LabelledSpan], labels: [String], predicates: [String]
  ) -> Relation {
    Relation(
      subject: entity(spans[link.first], labels[0]), predicate: predicates[link.predicate],
      object: entity(spans[link.second], labels[1]), score: link.score)
  }

  /// An event in words.
  func event(_ decoded: DecodedEvent, among spans: [LabelledSpan], _ schema: EventSchema) -> Event {
    let arguments = decoded.nodes.map { node in
      let span = spans[node]
      let range = indices.range(span.range)
      return EventArgument(
        role: schema.roles[schema.labels[span.label].role], text: String(text[range]), range: range,
        codePoints: span.range, score: span.score)
    }
    return Event(type: schema.types[decoded.type], arguments: arguments)
  }

  /// A labelled span in words.
  func entity(_ span: LabelledSpan, _ label: String) -> Entity {
    let range = indices.range(span.range)
    return Entity(label: label, text: String(text[range]), range: range, codePoints: span.range, score: span.score)
  }

  /// The words at a place.
  func words(_ codePoints: Range<Int>) -> String { String(text[indices.range(codePoints)]) }
}
