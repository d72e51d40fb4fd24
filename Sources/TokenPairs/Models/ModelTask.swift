/// What a model finds in text. The raw value is the field `task` of its description.
public enum ModelTask: String, Sendable, Hashable, Codable, CaseIterable {
  /// Labelled spans.
  case entities
  /// Triples of two spans and a predicate (GPLinker).
  case relations
  /// Sets of spans that play the roles of one event (GPLinker).
  case events

  /// The file that describes such a model, in its directory.
  package var descriptionFile: String { self == .entities ? "globalpointer.json" : "gplinker.json" }
}
