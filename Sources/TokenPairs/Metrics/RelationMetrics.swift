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
  /// Over all predicates.
  public private(set) var micro = MatchCounts()
  /// For each predicate that was predicted or is gold.
  public private(set) var perPredicate: [String: MatchCounts] = [:]

  /// No documents yet.
  public init() {}

  /// Adds a document; a triple given twice counts once.
  public mutating func add(predicted: Set<RelationKey>, gold: Set<RelationKey>) {
    for key in predicted { count(key.predicate) { $0.predicted += 1 } }
    for key in gold { count(key.predicate) { $0.gold += 1 } }
    for key in predicted.intersection(gold) { count(key.predicate) { $0.correct += 1 } }
  }

  private mutating func count(_ predicate: String, _ change: (inout MatchCounts) -> Void) {
    change(&micro)
    change(&perPredicate[predicate, default: MatchCounts()])
  }
}
