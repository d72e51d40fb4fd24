/// What of a document is shown.
struct ShowSelection: Sendable {
  enum Kind: String, CaseIterable, Sendable { case entities, relations, events }

  /// Nothing but these; nil shows all kinds.
  var only: Kind?
  /// Leaves out what has a lower score. What has none, as true answers, stays.
  var minimumScore: Double?

  func apply(to document: ShownDocument) -> ShownDocument {
    var document = document
    document.entities = only ?? .entities == .entities ? document.entities.filter { passes($0.score) } : []
    document.relations = only ?? .relations == .relations ? document.relations.filter { passes($0.score) } : []
    document.events = only ?? .events == .events ? document.events.compactMap(apply) : []
    return document
  }

  /// Whether a document has any of the kind that was asked for.
  func concerns(_ document: ShownDocument) -> Bool {
    switch only {
    case .entities: !document.entities.isEmpty
    case .relations: !document.relations.isEmpty
    case .events: !document.events.isEmpty
    case nil: true
    }
  }

  private func apply(_ event: ShownDocument.Event) -> ShownDocument.Event? {
    guard passes(event.score) else { return nil }
    var passing = event
    passing.arguments = event.arguments.filter { passes($0.score) }
    return passing.arguments.isEmpty && !event.arguments.isEmpty ? nil : passing
  }

  private func passes(_ score: Double?) -> Bool {
    guard let minimumScore, let score else { return true }
    return score >= minimumScore
  }
}
