internal import Engine
internal import Foundation

/// A text and what was found in it.
public struct ExtractedDocument: Sendable, Hashable {
  /// The text's number in the input, from 0.
  public let index: Int
  /// The text.
  public let text: String
  /// The entities, if the model finds those, in reading order: by start, then end, then label.
  public internal(set) var entities: [Entity] = []
  /// The relations, if the model finds those: by subject, predicate, object.
  public internal(set) var relations: [Relation] = []
  /// The events, if the model finds those: by type, then by their arguments in reading order.
  public internal(set) var events: [Event] = []
  /// Tokens the model read, without the marks that frame a window.
  public let tokenCount: Int
  /// Whether the model found more than is looked at, and results may be missing: see `Extractor.Options.maximumSpans`.
  public internal(set) var isTruncated: Bool

  init(index: Int, text: String, tokenCount: Int, isTruncated: Bool) {
    self.index = index
    self.text = text
    self.tokenCount = tokenCount
    self.isTruncated = isTruncated
  }
}

/// A span of text that a model found.
public struct Entity: Sendable, Hashable {
  /// What the span is, in the model's words.
  public let label: String
  /// The span itself.
  public let text: String
  /// Where it is in the document's text.
  public let range: Range<String.Index>
  /// Where it is, in code points (Unicode scalars), end-exclusive.
  public let codePoints: Range<Int>
  /// The raw score; above the threshold.
  public let score: Float

  /// How sure the model is: `sigmoid(2 · score)`, the label at which the ZLPR loss it was trained with is least.
  public var probability: Float { 1 / (1 + expf(-2 * score)) }
}

/// What happens to spans that overlap.
public enum OverlapMode: String, Sendable, Hashable, CaseIterable {
  /// Every span above the threshold is kept: entities can contain one another.
  case nested
  /// Of spans that overlap only the one with the highest score is kept.
  case flat
}

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

/// Something that happens in a text, as a model found it.
public struct Event: Sendable, Hashable {
  /// What happens, in the model's words.
  public let type: String
  /// The spans that take part, the trigger among them, in reading order. A span may take part in several events.
  public let arguments: [EventArgument]

  /// The word that says that it happens; the first, if there are several.
  public var trigger: EventArgument? { arguments.first { $0.role == EventLabel.triggerRole } }
}

/// A span of text that takes part in an event.
public struct EventArgument: Sendable, Hashable {
  /// What the span is to the event, in the model's words.
  public let role: String
  /// The span itself.
  public let text: String
  /// Where it is in the document's text.
  public let range: Range<String.Index>
  /// Where it is, in code points (Unicode scalars), end-exclusive.
  public let codePoints: Range<Int>
  /// The raw score; above the threshold.
  public let score: Float

  /// How sure the model is: `sigmoid(2 · score)`, the label at which the ZLPR loss it was trained with is least.
  public var probability: Float { 1 / (1 + expf(-2 * score)) }
}
