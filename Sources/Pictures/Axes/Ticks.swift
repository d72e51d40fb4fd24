internal import Foundation

/// A marked value of an axis.
struct Tick: Equatable {
  /// What is written at a tick.
  enum Label: Equatable {
    case text(String)
    case powerOfTen(Int)
  }

  var value: Double
  /// Nil for a small tick between two labelled ones.
  var label: Label?
}

extension AxisRange {
  /// Marks at round numbers, from low to high.
  /// - Parameter count: About how many labels are wanted.
  /// - Returns: At least one mark, as long as the range is one that `init` makes.
  func ticks(about count: Int) -> [Tick] {
    switch scale {
    // Below 2 the step may be longer than the range, with no multiple in it.
    case .linear: linearTicks(about: max(2, count))
    case .logarithmic: logarithmicTicks(about: max(2, count))
    }
  }

  /// As many marks as have room beside each other.
  /// - Parameters:
  ///   - count: About how many labels are wanted; fewer come if they are wide.
  ///   - length: The axis' length.
  ///   - width: A label's width, in the same unit, with the space around it.
  /// - Returns: The marks.
  func ticks(about count: Int, along length: Double, width: (Tick.Label) -> Double) -> [Tick] {
    for count in (2...max(2, count)).reversed() {
      let ticks = ticks(about: count)
      if ticks.reduce(0, { $0 + ($1.label.map(width) ?? 0) }) <= length { return ticks }
    }
    return ticks(about: 2)
  }

  /// Multiples of 1, 2 or 5 times a power of ten: of the steps that one that comes closest.
  private func linearTicks(about count: Int) -> [Tick] {
    let wanted = span / Double(count)
    var exponent = Int(log10(wanted).rounded(.down))
    let factor: Int
    switch wanted / DecimalNumber(mantissa: 1, exponent: exponent).value {
    case ..<2.0.squareRoot(): factor = 1
    case ..<10.0.squareRoot(): factor = 2
    case ..<50.0.squareRoot(): factor = 5
    default: (factor, exponent) = (1, exponent + 1)
    }
    let step = DecimalNumber(mantissa: factor, exponent: exponent).value
    // A tick that misses the range by a rounding error belongs to it.
    let numbers = stride(from: (low / step - 1e-6).rounded(.up), through: high / step + 1e-6, by: 1)
      .map { DecimalNumber(mantissa: Int($0) * factor, exponent: exponent) }
    return Self.labelled(numbers)
  }

  /// Powers of ten; within fewer than two of them, 1, 2 and 5 times a power, or linear marks.
  private func logarithmicTicks(about count: Int) -> [Tick] {
    let first = Int((log10(low) - 1e-9).rounded(.up))
    let last = Int((log10(high) + 1e-9).rounded(.down))
    guard last > first else {
      let numbers = (first - 1...first).flatMap { exponent in
        [1, 2, 5].map { DecimalNumber(mantissa: $0, exponent: exponent) }
      }
      let inside = numbers.filter { (low...high).contains($0.value) }
      return inside.count > 1 ? Self.labelled(inside) : linearTicks(about: count)
    }
    let every = (last - first + count) / count
    var ticks: [Tick] = []
    for exponent in first - 1...last {
      let power = DecimalNumber(mantissa: 1, exponent: exponent).value
      let isLabelled = exponent.isMultiple(of: every)
      ticks.append(Tick(value: power, label: isLabelled ? .powerOfTen(exponent) : nil))
      if last - first <= 4 { ticks += (2...9).map { Tick(value: Double($0) * power) } }
    }
    return ticks.filter { $0.value >= low * (1 - 1e-9) && $0.value <= high * (1 + 1e-9) }
  }

  private static func labelled(_ numbers: [DecimalNumber]) -> [Tick] {
    zip(numbers, DecimalNumber.labels(numbers)).map { Tick(value: $0.value, label: .text($1)) }
  }
}
