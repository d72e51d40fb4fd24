/// A text and what is true of it.
public struct TrainingDocument: Sendable, Hashable {
  /// What is true of a text, in code points, end-exclusive.
  public enum Gold: Sendable, Hashable {
    /// Labelled spans.
    case entities(Set<EntityKey>)
    /// Triples of two spans and a predicate.
    case relations(Set<RelationKey>)
    /// Events with their arguments, the trigger among them.
    case events([EventKey])

    /// What a model that learns from this finds.
    public var task: ModelTask {
      switch self {
      case .entities: .entities
      case .relations: .relations
      case .events: .events
      }
    }
  }

  /// The text.
  public let text: String
  /// What is true of it. Labels that the text or its tokens do not bear out are counted and left out, not refused.
  public let gold: Gold
  /// Labels of the text's source that `gold` does not hold because no range can say them, such as reversed ones: they
  /// are counted and left out.
  public let unusableLabels: Int

  /// A text and what is true of it.
  public init(text: String, gold: Gold, unusableLabels: Int = 0) {
    self.text = text
    self.gold = gold
    self.unusableLabels = unusableLabels
  }
}
