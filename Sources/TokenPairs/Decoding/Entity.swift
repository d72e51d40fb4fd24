internal import Foundation

/// A span of text that a model found.
public struct Entity: Sendable, Hashable {
  /// What the span is, in the model's words.
  public let label: String
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

/// What becomes of spans that overlap.
public enum OverlapMode: String, Sendable, Hashable, CaseIterable {
  /// Every span above the threshold is kept: entities lie inside one another.
  case nested
  /// Of spans that overlap only the one with the highest score is kept.
  case flat
}
