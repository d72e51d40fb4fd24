/// A sum of products as exact as if computed with twice the digits, with a bound on what is left of the error.
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
    let product = x * y
    let productError = (-product).addingProduct(x, y)
    let next = sum + product
    let part = next - sum
    let sumError = (sum - (next - part)) + (product - part)
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

  /// No less than |exact|.
  var magnitudeBound: Double { (abs(value) + errorBound) * (1 + 0x1p-50) }
}
