/// Proves that no ball that was not listed holds a point.
///
/// What is not listed has a value on the device of at most that of the last listed, `a`. With `u = 2⁻²⁴` the product's
/// chain of d fused multiply-adds errs by at most `d u |w| |w_j|` (Higham, *Accuracy and Stability of Numerical
/// Algorithms*, 3.1), the term and its addition by `u` each of what they are. So `|w - w_j|² - (s r_j)²` is at least
/// `m = |w|² - 2 (a + E)`, and the point lies outside of all those balls if that is more than what the rounding of the
/// vectors' elements, at most `δ` in distance, can bring back: `m > 2 s r δ + δ²`.
struct BallBound: Sendable {
  private let dimension: Double
  /// The greatest `|w_j|`, `s r_j` and term.
  private let reach: Double
  private let radius: Double
  private let term: Double

  /// `u`, and a little for what is of higher order, or rounded in Double.
  private static let unit = 0x1p-24 * 1.01
  /// What is lost where numbers are too small for float32, channel by channel.
  private static let least = 0x1p-125

  init(dimension: Int, reach: Double, radius: Double, term: Double) {
    self.dimension = Double(dimension)
    self.reach = reach
    self.radius = radius
    self.term = term
  }

  /// Whether no ball but those listed can hold a point.
  ///
  /// - Parameters:
  ///   - norm: the point's `|w|`.
  ///   - last: the least value listed.
  /// - Returns: true only if it is proven.
  func excludes(norm: Double, last: Double) -> Bool {
    let steps = (dimension + 2) * Self.unit
    guard steps < 0.5 else { return false }
    let product = norm * reach
    let error = steps / (1 - steps) * product + 2 * Self.unit * (product + 2 * term) + (dimension + 4) * Self.least
    let margin = norm * norm * (1 - (dimension + 8) * 0x1p-51) - 2 * (last + error)
    let moved = Self.unit * (norm + reach) + 2 * dimension.squareRoot() * Self.least
    // Radii and distances in Double are rounded, too.
    let rounded = radius * radius * (dimension + 16) * 0x1p-49
    return margin > 2 * radius * moved + moved * moved + rounded
  }
}
