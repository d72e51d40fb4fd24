internal import Foundation

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
