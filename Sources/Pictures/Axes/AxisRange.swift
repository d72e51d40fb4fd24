internal import Foundation

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
}
