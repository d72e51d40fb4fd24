internal import BigInt

/// A rational number of any size, such as an element of a hidden vector that no floating-point number holds.
///
/// As text it is its numerator and denominator in decimals, such as `-3/7`, or the numerator alone where the
/// denominator is 1.
public struct ExactNumber: Sendable, Hashable, LosslessStringConvertible {
  /// In lowest terms.
  let numerator: BigInt
  /// Above 0.
  let denominator: BigInt

  /// A fraction; the denominator is not 0.
  init(_ numerator: BigInt, over denominator: BigInt) {
    let divisor = numerator.greatestCommonDivisor(with: denominator) * (denominator.sign == .minus ? -1 : 1)
    self.numerator = numerator / divisor
    self.denominator = denominator / divisor
  }

  /// A floating-point number as it is; nil if it is not finite.
  public init?(_ value: Double) {
    guard let (integer, exponent) = value.integerAndExponent else { return nil }
    self.init(integer << max(exponent, 0), over: 1 << max(-exponent, 0))
  }

  /// Characters of a text at most. The numbers of layers that are decided exactly have some thousands; reading takes time
  /// that grows with the square.
  static let longestText = 1 << 16

  /// The number that a text stands for, such as `-3/7`; nil if it is not written so, or longer than 65,536 characters.
  public init?(_ text: String) {
    guard text.utf8.count <= Self.longestText else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    func digits(_ text: Substring) -> BigInt? {
      guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
        return nil
      }
      return BigInt(text, radix: 10)
    }
    let isNegative = text.hasPrefix("-")
    guard let first = parts.first, parts.count <= 2, let magnitude = digits(isNegative ? first.dropFirst() : first),
      let denominator = parts.count == 2 ? digits(parts[1]) : 1, denominator != 0
    else { return nil }
    self.init(isNegative ? -magnitude : magnitude, over: denominator)
  }

  /// The number as a text, such as `-3/7`.
  public var description: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }

  /// The number in double precision, right to the last bits; infinite or 0 if it is out of range.
  public var rounded: Double {
    guard numerator != 0 else { return 0 }
    // A quotient of 64 to 66 bits.
    let exponent = numerator.magnitude.bitWidth - denominator.magnitude.bitWidth - 64
    let quotient = (numerator.magnitude << max(-exponent, 0)) / (denominator.magnitude << max(exponent, 0))
    let magnitude = Double(sign: .plus, exponent: exponent, significand: Double(quotient))
    return numerator.sign == .minus ? -magnitude : magnitude
  }
}

extension BinaryFloatingPoint {
  /// The number as an integer times a power of two; nil if it is not finite.
  var integerAndExponent: (integer: BigInt, exponent: Int)? {
    guard isFinite else { return nil }
    guard self != 0 else { return (0, 0) }
    // The significand has its last bit at this exponent.
    let exponent = Int(self.exponent) - significandWidth
    let scaled = significand * Self(sign: .plus, exponent: Self.Exponent(significandWidth), significand: 1)
    return (BigInt(Int64(scaled)) * (sign == .minus ? -1 : 1), exponent)
  }
}
