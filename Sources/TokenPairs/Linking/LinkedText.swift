/// Puts a document's text to what was decoded as places and indices. Spans count code points.
struct LinkedText {
  private let text: String
  private let places: CodePointPlaces

  init(_ text: String) {
    self.text = text
    places = CodePointPlaces(text)
  }

  /// A relation in words; `labels` are those of the model's entity head, subject first.
  func relation(
    _ decoded: DecodedRelation, subjects: [LinkSpan], objects: [LinkSpan],
    labels: (subject: String, object: String), predicates: [String]
  ) -> Relation {
    Relation(
      subject: entity(subjects[decoded.subject].range, subjects[decoded.subject].score, labels.subject),
      predicate: predicates[decoded.predicate],
      object: entity(objects[decoded.object].range, objects[decoded.object].score, labels.object), score: decoded.score)
  }

  /// An event in words.
  func event(_ decoded: DecodedEvent, nodes: [EventNode], schema: EventSchema) -> Event {
    let arguments = decoded.nodes.map { index in
      let node = nodes[index]
      let range = places.range(node.span)
      return EventArgument(
        role: schema.roles[node.role], text: String(text[range]), range: range, codePoints: node.span,
        score: node.score)
    }
    return Event(type: schema.types[decoded.type], arguments: arguments)
  }

  /// A labelled span in words.
  func entity(_ span: ScoredSpan, _ label: String) -> Entity { entity(span.range, span.score, label) }

  /// The words at a place.
  func words(_ codePoints: Range<Int>) -> String { String(text[places.range(codePoints)]) }

  private func entity(_ codePoints: Range<Int>, _ score: Float, _ label: String) -> Entity {
    let range = places.range(codePoints)
    return Entity(label: label, text: String(text[range]), range: range, codePoints: codePoints, score: score)
  }
}
