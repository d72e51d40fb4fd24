/// The metrics of a model's task, document by document.
package enum Evaluation: Sendable, Hashable {
  case entities(EntityMetrics)
  case relations(RelationMetrics)
  case events(EventMetrics)

  /// No documents yet.
  package init(_ task: ModelTask) {
    switch task {
    case .entities: self = .entities(EntityMetrics())
    case .relations: self = .relations(RelationMetrics())
    case .events: self = .events(EventMetrics())
    }
  }

  /// Adds a document and what is true of it, which is of the same task.
  package mutating func add(_ document: ExtractedDocument, gold: TrainingDocument.Gold) {
    switch (self, gold) {
    case (.entities(var metrics), .entities(let gold)):
      let found = document.entities.map { EntityKey(range: $0.codePoints, label: $0.label) }
      metrics.add(predicted: Set(found), gold: gold)
      self = .entities(metrics)
    case (.relations(var metrics), .relations(let gold)):
      let found = document.relations.map {
        RelationKey(subject: $0.subject.codePoints, predicate: $0.predicate, object: $0.object.codePoints)
      }
      metrics.add(predicted: Set(found), gold: gold)
      self = .relations(metrics)
    case (.events(var metrics), .events(let gold)):
      let found = document.events.map { event in
        EventKey(
          type: event.type,
          arguments: event.arguments.map { EventArgumentKey(role: $0.role, range: $0.codePoints, text: $0.text) })
      }
      metrics.add(predicted: found, gold: gold)
      self = .events(metrics)
    default: preconditionFailure("gold of another task")
    }
  }

  /// What a training is steered by: entities, relations, or the arguments of events.
  package var total: MatchCounts {
    switch self {
    case .entities(let metrics): metrics.micro
    case .relations(let metrics): metrics.micro
    case .events(let metrics): metrics.arguments
    }
  }
}
