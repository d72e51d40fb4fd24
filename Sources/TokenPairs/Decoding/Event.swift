internal import Foundation

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
  /// Where it stands in the document's text.
  public let range: Range<String.Index>
  /// Where it stands, in code points (Unicode scalars), end-exclusive.
  public let codePoints: Range<Int>
  /// The raw score; above the threshold.
  public let score: Float

  /// How sure the model is: `sigmoid(2 · score)`, the label at which the ZLPR loss it was trained with is least.
  public var probability: Float { 1 / (1 + expf(-2 * score)) }
}
