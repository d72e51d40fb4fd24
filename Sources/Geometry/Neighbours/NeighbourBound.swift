/// What float32 arithmetic on the device can be off by.
private enum Float32Rounding {
  /// `u = 2⁻²⁴`, and a little for terms of higher order and for rounding in Double.
  static let unit = 0x1p-24 * 1.01
  /// What numbers too small for float32 can lose in a channel: one below the least normal number, 2⁻¹²⁶, may become 0,
  /// and twice that covers rounding on the way.
  static let least = 0x1p-125

  /// The relative error of a chain of `dimension` fused multiply-adds and two more steps, `(d + 2) u` with all terms of
  /// higher order; infinite where that is no bound.
  static func chain(_ dimension: Double) -> Double {
    let steps = (dimension + 2) * unit
    return steps < 0.5 ? steps / (1 - steps) : .infinity
  }
}

/// Proves that no vector that was not listed is among the nearest.
///
/// What is not listed has a value on the device of at most that of the last listed, `a`. With `u = 2⁻²⁴`, a product of
/// d channels that is one chain of fused multiply-adds is within `d u |w_i| |w_j|` of the exact one (Higham, *Accuracy
/// and Stability of Numerical Algorithms*, 3.1), and terms, their addition and the elements of w are rounded once each.
/// So its exact value is at most `a + E`, and its distance at least what follows from that: if this is more than the
/// distance of the last neighbour, the list was long enough.
struct NeighbourBound: Sendable {
  private let metric: Metric
  private let dimension: Double
  private let scale: Double
  private let centerNorm: Double
  private let isExact: Bool
  /// The greatest `|w_j|`.
  private let reach: Double

  private let chain: Double

  /// - Parameters:
  ///   - centred: how the vectors are brought to the device.
  ///   - queryReach: the greatest `|w_i|` of the queries.
  ///   - reach: the greatest `|w_j|` of those they are compared with, without vectors that are candidates anyway.
  ///   - longest: the greatest of all.
  init(_ centred: CentredVectors, queryReach: Double, reach: Double, longest: Double) {
    metric = centred.metric
    dimension = Double(centred.dimension)
    scale = centred.scale
    centerNorm = centred.centerNorm
    self.reach = reach
    // Multiples of 1/2 up to 2²³ are float32 numbers, and so are all partial sums.
    let largest = longest * (queryReach + (metric == .innerProduct ? centerNorm : longest / 2))
    isExact = centred.isIntegral && largest < 0x1p23 * 0.999
    chain = Float32Rounding.chain(dimension)
  }

  /// Whether the list of a query is long enough.
  ///
  /// - Parameters:
  ///   - norm: `|w_i|`.
  ///   - centerProduct: `<s c, w_i>`; inner product only.
  ///   - last: the least value of the list.
  ///   - farthest: the distance of the last neighbour found in it.
  /// - Returns: true only if it is proven.
  func holds(norm: Double, centerProduct: Double, last: Float, farthest: Double) -> Bool {
    // A query that is not on the device.
    guard norm.isFinite else { return false }
    // Exact values tie where distances do, and of equal columns the first are listed.
    if isExact { return true }
    return metric == .innerProduct
      ? productHolds(norm, centerProduct, last: Double(last), farthest)
      : distanceHolds(norm, last: Double(last), farthest)
  }

  private func distanceHolds(_ norm: Double, last: Double, _ farthest: Double) -> Bool {
    let straight =
      switch metric {
      case .euclidean: farthest
      case .cosine: (2 * farthest).squareRoot()
      case .squaredEuclidean, .innerProduct: farthest.squareRoot()
      }
    let distance = scale * straight
    // What lies further out than this is further away: outliers do not spoil the bound. Lengths and distances are off by
    // u of both for their elements, 2⁻²³, and by less than 2⁻²⁰ for d 2⁻⁵⁰ in Double, d below 2³⁰: 2⁻¹⁹ in all. And by
    // `lost` for each of the two vectors; eight times that leaves room for all that is rounded besides.
    let absolute = lost
    let reach = min(reach, (norm + distance) * (1 + 0x1p-19) + 8 * absolute)
    // The chain's d steps, and one for the product's part in adding the term; u / 2 of |w_j|² for the term's rounding and
    // u / 2 for its part in the addition; and d + 2 results that may be too small for float32.
    let error = chain * norm * reach + Float32Rounding.unit * reach * reach + (dimension + 4) * Float32Rounding.least
    // |w|² is a sum of d squares in Double, its root and the root's square: less than (d + 4) 2⁻⁵³, taken four times.
    let square = norm * norm * (1 - (dimension + 8) * 0x1p-51) - 2 * (last + error)
    guard square > 0 else { return false }
    // What the elements' rounding moves both vectors by.
    let least = square.squareRoot() - Float32Rounding.unit * (norm + reach) - 2 * absolute
    // Distances in Double are rounded, too: of both, the last neighbour's and that of one not listed, by less than
    // (d + 4) 2⁻⁵³ each, taken eight times. A cosine's absolute error or what it takes for 0, (d + 8) 2⁻⁵² of an angle,
    // is less than 2 `lost`.
    return least > distance * (1 + (dimension + 16) * 0x1p-50) + 8 * absolute
  }

  private func productHolds(_ norm: Double, _ centerProduct: Double, last: Double, _ farthest: Double) -> Bool {
    let term = centerNorm * reach
    let error = chain * (norm * reach + term) + (dimension + 4) * Float32Rounding.least
    // The elements' own rounding, against the whole of the other vector.
    let (mine, theirs) = (Float32Rounding.unit * norm + lost, Float32Rounding.unit * reach + lost)
    let rounding = mine * (reach + centerNorm + theirs) + theirs * (norm + centerNorm)
    // Sums in Double, here and in the distance: four of them, each off by less than (d + 2) 2⁻⁵³.
    let sums = (dimension + 8) * 0x1p-51 * (norm + centerNorm) * (reach + centerNorm)
    let most = last + error + rounding + sums + centerProduct + centerNorm * centerNorm
    return -farthest * scale * scale > most
  }

  /// What an element-wise operation in Double, or a number too small for float32, can cost a vector.
  private var lost: Double {
    dimension.squareRoot() * Float32Rounding.least + (metric == .cosine ? (dimension + 8) * 0x1p-51 : 0)
  }
}

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
    let chain = Float32Rounding.chain(dimension)
    guard chain.isFinite else { return false }
    let product = norm * reach
    let error =
      chain * product + 2 * Float32Rounding.unit * (product + 2 * term) + (dimension + 4) * Float32Rounding.least
    let margin = norm * norm * (1 - (dimension + 8) * 0x1p-51) - 2 * (last + error)
    let moved = Float32Rounding.unit * (norm + reach) + 2 * dimension.squareRoot() * Float32Rounding.least
    // Radii and distances in Double are rounded, too.
    let rounded = radius * radius * (dimension + 16) * 0x1p-49
    return margin > 2 * radius * moved + moved * moved + rounded
  }
}
