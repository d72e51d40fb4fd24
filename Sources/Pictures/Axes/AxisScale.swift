/// How values are laid out along an axis.
package enum AxisScale: Hashable, Sendable {
  /// Equal differences take equal lengths.
  case linear
  /// Equal ratios take equal lengths; values are positive.
  case logarithmic

  /// What is wrong with a value on such an axis; nil if nothing is.
  func complaint(about value: Double) -> String? {
    if !value.isFinite { return "is \(value), where a finite number is expected" }
    // Room for differences and for a margin.
    if abs(value) > AxisRange.magnitudeLimit { return "is \(value), too large to draw" }
    guard self == .logarithmic else { return nil }
    return value < 1 / AxisRange.magnitudeLimit
      ? "is \(value), which has no place on a logarithmic axis" : nil
  }
}
