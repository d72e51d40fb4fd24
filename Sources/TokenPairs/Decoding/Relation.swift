/// A relation that a model found between two spans of a text.
public struct Relation: Sendable, Hashable {
  /// What the relation starts from.
  public let subject: Entity
  /// What the relation is, in the model's words.
  public let predicate: String
  /// What the relation leads to.
  public let object: Entity
  /// The lower of the raw scores of the two links, of the spans' heads and of their tails; above the threshold.
  public let score: Float
}
