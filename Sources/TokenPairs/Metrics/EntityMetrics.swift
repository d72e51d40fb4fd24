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
  /// Over all labels.
  public private(set) var micro = MatchCounts()
  /// For each label that was predicted or is gold.
  public private(set) var perLabel: [String: MatchCounts] = [:]

  /// No documents yet.
  public init() {}

  /// Adds a document; an item given twice counts once.
  public mutating func add(predicted: Set<EntityKey>, gold: Set<EntityKey>) {
    for key in predicted { count(key.label) { $0.predicted += 1 } }
    for key in gold { count(key.label) { $0.gold += 1 } }
    for key in predicted.intersection(gold) { count(key.label) { $0.correct += 1 } }
  }

  private mutating func count(_ label: String, _ change: (inout MatchCounts) -> Void) {
    change(&micro)
    change(&perLabel[label, default: MatchCounts()])
  }
}
