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

/// Counts of predicted, gold and matching items, and what follows from them.
public struct MatchCounts: Sendable, Hashable {
  /// Items that the model gave.
  public var predicted = 0
  /// Items that should have been given.
  public var gold = 0
  /// Items in both.
  public var correct = 0

  /// Zero of everything.
  public init() {}

  /// The share of predicted items that are right; 0 if there are none.
  public var precision: Double { predicted == 0 ? 0 : Double(correct) / Double(predicted) }
  /// The share of gold items that were found; 0 if there are none.
  public var recall: Double { gold == 0 ? 0 : Double(correct) / Double(gold) }
  /// `2 · correct / (predicted + gold)`; 0 if there are none of either.
  public var f1: Double { predicted + gold == 0 ? 0 : 2 * Double(correct) / Double(predicted + gold) }
}

/// Counts over all items and for each name that an item bears.
struct NamedCounts: Sendable, Hashable {
  private(set) var total = MatchCounts()
  private(set) var perName: [String: MatchCounts] = [:]

  /// Adds a document's items.
  mutating func add<Item: Hashable>(predicted: Set<Item>, gold: Set<Item>, name: (Item) -> String) {
    for item in predicted { count(name(item)) { $0.predicted += 1 } }
    for item in gold { count(name(item)) { $0.gold += 1 } }
    for item in predicted.intersection(gold) { count(name(item)) { $0.correct += 1 } }
  }

  private mutating func count(_ name: String, _ change: (inout MatchCounts) -> Void) {
    change(&total)
    change(&perName[name, default: MatchCounts()])
  }
}

/// An entity as far as a metric looks at it: place and label.
public struct EntityKey: Sendable, Hashable {
  /// Code points, end-exclusive.
  public let range: Range<Int>
  /// What the span is.
  public let label: String

  /// A place and a label.
  public init(range: Range<Int>, label: String) {
    self.range = range
    self.label = label
  }
}

/// Micro-averaged entity scores over documents: an entity is right if start, end and label are.
///
/// Gold entities count whether or not the model could have seen them: nothing is left out for lying past a window.
public struct EntityMetrics: Sendable, Hashable {
  private var counts = NamedCounts()

  /// Over all labels.
  public var micro: MatchCounts { counts.total }
  /// For each label that was predicted or is gold.
  public var perLabel: [String: MatchCounts] { counts.perName }

  /// No documents yet.
  public init() {}

  /// Adds a document; an item given twice counts once.
  public mutating func add(predicted: Set<EntityKey>, gold: Set<EntityKey>) {
    counts.add(predicted: predicted, gold: gold, name: \.label)
  }
}

/// A relation as far as a metric looks at it: the places of both ends and the predicate.
public struct RelationKey: Sendable, Hashable {
  /// Code points, end-exclusive.
  public let subject: Range<Int>
  /// What the relation is.
  public let predicate: String
  /// Code points, end-exclusive.
  public let object: Range<Int>

  /// A triple.
  public init(subject: Range<Int>, predicate: String, object: Range<Int>) {
    self.subject = subject
    self.predicate = predicate
    self.object = object
  }
}

/// Micro-averaged relation scores over documents: a triple is right if both spans and the predicate are.
///
/// Gold triples count whether or not the model could have seen them: nothing is left out for lying past a window.
public struct RelationMetrics: Sendable, Hashable {
  private var counts = NamedCounts()

  /// Over all predicates.
  public var micro: MatchCounts { counts.total }
  /// For each predicate that was predicted or is gold.
  public var perPredicate: [String: MatchCounts] { counts.perName }

  /// No documents yet.
  public init() {}

  /// Adds a document; a triple given twice counts once.
  public mutating func add(predicted: Set<RelationKey>, gold: Set<RelationKey>) {
    counts.add(predicted: predicted, gold: gold, name: \.predicate)
  }
}
