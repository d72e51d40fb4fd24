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

/// `mantissa · 10^exponent`, exactly: a tick's value, from which its label is made without rounding.
struct DecimalNumber: Equatable {
  var mantissa: Int
  var exponent: Int

  /// The nearest Double: one rounding, so that 3 · 10^-1 is 0.3 and not 3 · 0.1.
  var value: Double {
    exponent < 0
      ? Double(mantissa) / pow(10, Double(-exponent)) : Double(mantissa) * pow(10, Double(exponent))
  }

  /// With as many decimals as the exponent says: `0.50`, `1200`. The minus sign is U+2212.
  var plain: String {
    let sign = mantissa < 0 ? "−" : ""
    var digits = String(mantissa.magnitude)
    guard exponent < 0 else {
      return sign + digits + (mantissa == 0 ? "" : String(repeating: "0", count: exponent))
    }
    digits = String(repeating: "0", count: max(0, 1 - exponent - digits.count)) + digits
    return sign + digits.dropLast(-exponent) + "." + digits.suffix(-exponent)
  }

  /// With a power of ten: `1.5e7`, `−2e−9`.
  var scientific: String {
    guard mantissa != 0 else { return "0" }
    var digits = String(mantissa.magnitude)
    let power = exponent + digits.count - 1
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
    return (mantissa < 0 ? "−" : "") + digits.prefix(1) + fraction + "e"
      + (power < 0 ? "−" : "") + String(abs(power))
  }

  /// Texts for the numbers of one axis: all in the one form or all in the other.
  static func labels(_ numbers: [DecimalNumber]) -> [String] {
    let largest = numbers.map { abs($0.value) }.max() ?? 0
    let isPlain = largest == 0 || (1e-4..<1e6).contains(largest)
    return numbers.map { isPlain ? $0.plain : $0.scientific }
  }
}
