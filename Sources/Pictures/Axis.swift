internal import Foundation

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

/// A point in a plot's own coordinates.
package struct PlotPoint: Hashable, Sendable {
  /// Along the horizontal axis, to the right.
  package var x: Double
  /// Along the vertical axis, upwards.
  package var y: Double

  /// A point.
  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }

  /// Points from an array of shape `[N, 2]`.
  /// - Parameter pairs: x and y of each point in turn; an even number of values.
  /// - Returns: As many points as pairs.
  package static func points(_ pairs: [Float]) -> [PlotPoint] {
    precondition(pairs.count.isMultiple(of: 2))
    return stride(from: 0, to: pairs.count, by: 2)
      .map { PlotPoint(x: Double(pairs[$0]), y: Double(pairs[$0 + 1])) }
  }
}

/// The values an axis spans, with `low` less than `high`.
struct AxisRange: Equatable {
  /// Larger magnitudes are refused, and those below the inverse count as zero: powers of ten and
  /// their quotients then stay far from the ends of Double.
  static let magnitudeLimit = 1e200
  /// The span is at least this part of the values' magnitude: ticks closer than that could not be
  /// told apart by their labels.
  static let narrowest = 1e-9

  var low: Double
  var high: Double
  var scale = AxisScale.linear

  /// The range of values that the scale accepts, with a margin at both ends; nil without values.
  /// - Parameters:
  ///   - values: The values.
  ///   - scale: The axis' scale.
  ///   - margin: What to add at each end, as a part of the span.
  init?(covering values: some Sequence<Double>, scale: AxisScale, margin: Double = 0.04) {
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values { (low, high) = (min(low, value), max(high, value)) }
    guard low <= high else { return nil }
    switch scale {
    case .linear:
      let magnitude = max(abs(low), abs(high))
      if magnitude < 1 / Self.magnitudeLimit {  // all zero
        (low, high) = (-0.5, 0.5)
      } else if high - low < magnitude * Self.narrowest {  // all the same
        (low, high) = (low - magnitude / 2, high + magnitude / 2)
      } else {
        let extra = (high - low) * margin
        (low, high) = (low - extra, high + extra)
      }
    case .logarithmic:
      let length = log(high) - log(low)  // the quotient itself may be too large
      let factor = length < Self.narrowest ? 10.0.squareRoot() : exp(length * margin)
      (low, high) = (low / factor, high * factor)
    }
    self.init(low: low, high: high, scale: scale)
  }

  init(low: Double, high: Double, scale: AxisScale = .linear) {
    (self.low, self.high, self.scale) = (low, high, scale)
  }

  var span: Double { high - low }

  /// Where a value lies: 0 at the low end, 1 at the high end.
  func place(of value: Double) -> Double {
    switch scale {
    case .linear: (value - low) / span
    case .logarithmic: (log(value) - log(low)) / (log(high) - log(low))
    }
  }

  /// Ranges of one span, for axes with equal scales.
  /// - Parameter points: Points that a linear axis accepts.
  /// - Returns: Ranges that hold all points, 4 % of the span left free at both ends; nil without points.
  static func square(around points: [PlotPoint]) -> (x: AxisRange, y: AxisRange)? {
    guard let x = AxisRange(covering: points.lazy.map { $0.x }, scale: .linear, margin: 0),
      let y = AxisRange(covering: points.lazy.map { $0.y }, scale: .linear, margin: 0)
    else { return nil }
    let length = max(extent(of: points.lazy.map { $0.x }), extent(of: points.lazy.map { $0.y }))
    let magnitude = max(abs(x.low), abs(x.high), abs(y.low), abs(y.high))
    // Where all values of an axis are the same, its span says nothing about them. Such a span counts only if both axes
    // are so: points on a vertical line keep their height.
    let isWide = length > 0 && length >= magnitude * narrowest
    let span = isWide ? length * 1.08 : max(x.span, y.span)
    return (x.widened(to: span), y.widened(to: span))
  }

  private static func extent(of values: some Collection<Double>) -> Double {
    (values.max() ?? 0) - (values.min() ?? 0)
  }

  /// A range of another span about the same middle.
  private func widened(to span: Double) -> AxisRange {
    let middle = low + self.span / 2
    return AxisRange(low: middle - span / 2, high: middle + span / 2, scale: scale)
  }
}
