import TokenPairs
import Weft

/// The metrics of a model's task, document by document.
enum Evaluation {
  case entities(EntityMetrics)
  case relations(RelationMetrics)
  case events(EventMetrics)

  init(_ task: ModelTask) {
    switch task {
    case .entities: self = .entities(EntityMetrics())
    case .relations: self = .relations(RelationMetrics())
    case .events: self = .events(EventMetrics())
    }
  }

  /// Adds a document and its line, which says what is true of it.
  /// - Throws: `LineFailure` if the line does not say it, or says what cannot be.
  mutating func add(_ document: ExtractedDocument, _ line: JSONLine) throws {
    switch self {
    case .entities(var metrics):
      let found = document.entities.map { EntityKey(range: $0.codePoints, label: $0.label) }
      metrics.add(predicted: Set(found), gold: try GoldLine(line).entities())
      self = .entities(metrics)
    case .relations(var metrics):
      let found = document.relations.map {
        RelationKey(subject: $0.subject.codePoints, predicate: $0.predicate, object: $0.object.codePoints)
      }
      metrics.add(predicted: Set(found), gold: try GoldLine(line).relations())
      self = .relations(metrics)
    case .events(var metrics):
      let found = document.events.map { event in
        EventKey(
          type: event.type,
          arguments: event.arguments.map { EventArgumentKey(role: $0.role, range: $0.codePoints, text: $0.text) })
      }
      metrics.add(predicted: found, gold: try GoldLine(line).events())
      self = .events(metrics)
    }
  }
}
