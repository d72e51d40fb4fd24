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
  /// What is true of it. Labels that do not fit the text or its tokens are counted and left out, not refused.
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

/// What happened to a data set's labels when they were aligned with tokens.
public struct AlignmentReport: Sendable, Hashable {
  /// Texts.
  public var documents = 0
  /// Windows that the texts were cut into.
  public var windows = 0
  /// Tokens of all windows, the marks that frame them included.
  public var tokens = 0
  /// Labelled spans, each once a text: entities, subjects and objects, arguments.
  public var spans = 0
  /// Spans that lie in a window.
  public var placedSpans = 0
  /// Spans that are empty or outside of their text.
  public var spansOutside = 0
  /// Labels that the documents themselves have dropped (``TrainingDocument/unusableLabels``).
  public var unusableLabels = 0
  /// Spans that begin or end within a token.
  public var spansAcrossTokens = 0
  /// Spans that no window holds whole.
  public var spansCut = 0
  /// Links between spans, each once a text: relations, pairs of one event's arguments.
  public var links = 0
  /// Links whose spans lie in one window.
  public var placedLinks = 0
  /// Links whose spans were placed, but not in one window.
  public var linksApart = 0
  /// Labels and predicates that the training data do not have, and how often they occur.
  public var unknownNames: [String: Int] = [:]

  /// Nothing yet.
  public init() {}

  /// Whether a model of the task could be right about anything.
  package func hasAnything(for task: ModelTask) -> Bool { (task == .relations ? placedLinks : placedSpans) > 0 }

  /// What the labels are for, which decides what happens to those that cannot be placed.
  public enum Purpose: Sendable, Hashable {
    /// They are left out.
    case learning
    /// No model can find them: they count as missed.
    case scoring
  }

  /// What a person should know, a line each; empty if every label was placed.
  public func remarks(for purpose: Purpose) -> [String] {
    let (was, were) = purpose == .learning ? ("was left out", "were left out") : ("counts as missed", "count as missed")
    func remark(_ count: Int, _ one: String, _ many: String) -> String? {
      count == 0 ? nil : "\(count) \(count == 1 ? one : many)"
    }
    let unknown = unknownNames.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { "\"\($0.key)\" (\($0.value))" }
    return [
      remark(
        unusableLabels + (purpose == .learning ? spansOutside : 0), "label lies outside of its text and was left out",
        "labels lie outside of their texts and were left out"),
      remark(
        purpose == .scoring ? spansOutside : 0, "label lies outside of its text and counts as missed",
        "labels lie outside of their texts and count as missed"),
      remark(
        spansAcrossTokens, "label begins or ends within a token and \(was)",
        "labels begin or end within a token and \(were)"),
      remark(spansCut, "label fits no window and \(was)", "labels fit no window and \(were)"),
      remark(
        linksApart, "link joins spans that no window holds both and \(was)",
        "links join spans that no window holds both and \(were)"),
      unknown.isEmpty
        ? nil
        : "not in the training data: \(unknown.prefix(10).joined(separator: ", "))"
          + (unknown.count > 10 ? " and \(unknown.count - 10) more" : ""),
    ].compactMap { $0 }
  }
}
