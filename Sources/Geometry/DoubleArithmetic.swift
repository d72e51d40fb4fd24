/// A sum and the error of its rounding: together the exact sum, unless it overflows (Knuth).
@inline(__always)
func exactSum(_ x: Double, _ y: Double) -> (value: Double, error: Double) {
  let sum = x + y
  let part = sum - x
  return (sum, (x - (sum - part)) + (y - part))
}

/// A product and the error of its rounding: together the exact product, unless it overflows or underflows.
@inline(__always)
func exactProduct(_ x: Double, _ y: Double) -> (value: Double, error: Double) {
  let product = x * y
  return (product, (-product).addingProduct(x, y))
}

/// A sum of products as exact as if computed with twice the digits, with a bound on the remaining error.
///
/// Ogita, Rump and Oishi, "Accurate sum and dot product" (2005), algorithm 5.3: |value - exact| ≤ u·|exact| +
/// γ_n²·Σ|x·y| with u = 2⁻⁵³ and γ_n = n·u / (1 - n·u).
struct CompensatedSum {
  private var sum = 0.0
  private var correction = 0.0
  private var magnitude = 0.0
  private var terms = 0

  @inline(__always)
  mutating func add(_ x: Double, times y: Double) {
    let (product, productError) = exactProduct(x, y)
    let (next, sumError) = exactSum(sum, product)
    sum = next
    correction += productError + sumError
    magnitude += abs(product)
    terms += 1
  }

  var value: Double { sum + correction }

  /// No less than |value - exact|; infinite or NaN if the sum is. Rounding in the bound itself, and products that
  /// underflow, are covered by the factors of 2 and the last term.
  var errorBound: Double {
    let gamma = Double(terms + 4) * 0x1p-53 * 1.01
    return 0x1p-52 * abs(value) + 2 * gamma * gamma * magnitude + Double(terms + 4) * .leastNormalMagnitude
  }

  /// Whether the exact sum is certainly above 0.
  var isCertainlyPositive: Bool { value > errorBound }
  /// Whether the exact sum is certainly below 0.
  var isCertainlyNegative: Bool { value < -errorBound }

  /// No less than |exact|.
  var magnitudeBound: Double { (abs(value) + errorBound) * (1 + 0x1p-50) }
}

/// A number as an unevaluated sum of two Doubles (Dekker, 1971).
struct DoublePair {
  private(set) var high = 0.0
  private(set) var low = 0.0

  /// Adds a number; rounding errors are gathered in `low`.
  @inline(__always)
  mutating func add(_ x: Double) {
    let (sum, error) = exactSum(high, x)
    low += error
    high = sum
  }

  /// The same number, with the Double nearest to it in `high`.
  var normalized: DoublePair {
    let sum = high + low
    return DoublePair(high: sum, low: low - (sum - high))
  }

  private init(high: Double, low: Double) {
    self.high = high
    self.low = low
  }

  init() {}

  func times(_ other: DoublePair) -> DoublePair {
    let (product, rest) = exactProduct(high, other.high)
    return DoublePair(high: product, low: rest + (high * other.low + low * other.high)).normalized
  }

  func plus(_ other: DoublePair) -> DoublePair {
    let (sum, rest) = exactSum(high, other.high)
    return DoublePair(high: sum, low: rest + (low + other.low)).normalized
  }

  func minus(_ other: DoublePair) -> DoublePair { plus(DoublePair(high: -other.high, low: -other.low)) }

  /// The root of a positive number, with one step of Newton's method.
  var squareRoot: DoublePair {
    let root = high.squareRoot()
    return DoublePair(high: root, low: (high.addingProduct(-root, root) + low) / (2 * root)).normalized
  }

  /// The quotient, rounded.
  func divided(by other: DoublePair) -> Double {
    let quotient = high / other.high
    return quotient + (high.addingProduct(-quotient, other.high) + (low - quotient * other.low)) / other.high
  }
}
