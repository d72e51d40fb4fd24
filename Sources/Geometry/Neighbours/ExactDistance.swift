/// Distances in Double, each a sum over the channels in their order.
///
///     euclidean, squared   Σ (x - y)²       differences first, so near duplicates keep their digits
///     inner product        -Σ x y
///     cosine               1 - P / √(A B) = (A B - P²) / (√(A B) (√(A B) + P))     P = Σ x y, A = Σ x², B = Σ y²
///
/// The cosine is computed in pairs of Doubles to the end, and rounded once: 1 - cos near 0 would otherwise be
/// rounding error alone, and equal cosines of vectors of different lengths would differ in their last bits. A B - P² is taken
/// for 0 where it is less than the pairs can tell, at most `(d + 8)² 2⁻¹⁰⁴ A B`: directions nearer than `(d + 8) 2⁻⁵²` are
/// the same.
struct ExactDistance {
  private let metric: Metric
  private let query: [Double]
  /// A.
  private let square: DoublePair

  init(_ metric: Metric, from query: UnsafePointer<Float>, dimension: Int) {
    self.metric = metric
    self.query = (0..<dimension).map { Double(query[$0]) }
    var sum = DoublePair()
    if metric == .cosine { for x in self.query { sum.add(x * x) } }
    square = sum.normalized
  }

  /// The distances to some vectors.
  func callAsFunction(to vectors: [UnsafePointer<Float>]) -> [Double] {
    query.withUnsafeBufferPointer { query in
      switch metric {
      case .squaredEuclidean: inFours(vectors) { $0 + ($1 - $2) * ($1 - $2) }
      case .euclidean: inFours(vectors) { $0 + ($1 - $2) * ($1 - $2) }.map { $0.squareRoot() }
      case .innerProduct: inFours(vectors) { $0 + $1 * $2 }.map { -$0 }
      case .cosine: vectors.map { cosine(query, $0) }
      }
    }
  }

  /// Four chains of additions at a time, each in the order of the channels.
  @inline(__always)
  private func inFours(
    _ vectors: [UnsafePointer<Float>], _ step: (_ sum: Double, _ x: Double, _ y: Double) -> Double
  ) -> [Double] {
    var sums: [Double] = []
    sums.reserveCapacity(vectors.count + 3)
    guard let last = vectors.last else { return [] }
    for first in stride(from: 0, to: vectors.count, by: 4) {
      func vector(_ index: Int) -> UnsafePointer<Float> { index < vectors.count ? vectors[index] : last }
      let (a, b, c, d) = (vector(first), vector(first + 1), vector(first + 2), vector(first + 3))
      var (sumA, sumB, sumC, sumD) = (0.0, 0.0, 0.0, 0.0)
      for (channel, x) in query.enumerated() {
        sumA = step(sumA, x, Double(a[channel]))
        sumB = step(sumB, x, Double(b[channel]))
        sumC = step(sumC, x, Double(c[channel]))
        sumD = step(sumD, x, Double(d[channel]))
      }
      sums += [sumA, sumB, sumC, sumD]
    }
    sums.removeLast(sums.count - vectors.count)
    return sums
  }

  private func cosine(_ query: UnsafeBufferPointer<Double>, _ vector: UnsafePointer<Float>) -> Double {
    var (product, other) = (DoublePair(), DoublePair())
    for (channel, x) in query.enumerated() {
      let y = Double(vector[channel])
      product.add(x * y)
      other.add(y * y)
    }
    let (p, b) = (product.normalized, other.normalized)
    let squares = square.times(b)
    let root = squares.squareRoot
    guard p.high > 0 else { return root.minus(p).divided(by: root) }
    let rest = squares.minus(p.times(p))
    // Each sum of d errs by at most d² 2⁻¹⁰⁶ √(A B): twice the low part's d roundings of at most d 2⁻⁵³ of it.
    let steps = Double(query.count + 8)
    guard rest.high > steps * steps * 0x1p-104 * squares.high else { return 0 }
    return rest.divided(by: root.times(root.plus(p)))
  }
}
