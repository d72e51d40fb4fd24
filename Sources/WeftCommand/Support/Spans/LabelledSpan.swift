/// A labelled stretch of a text, in code points, end-exclusive.
struct LabelledSpan: Hashable, Sendable {
  var start: Int
  var end: Int
  var label: String

  /// Whether the two overlap without one holding the other.
  func crosses(_ other: LabelledSpan) -> Bool {
    (start < other.start && other.start < end && end < other.end)
      || (other.start < start && start < other.end && other.end < end)
  }
}
