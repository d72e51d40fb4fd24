internal import CVectorSums

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
    vectors.withUnsafeBufferPointer { vectors in
      [Double](unsafeUninitializedCapacity: vectors.count) { distances, count in
        self(to: vectors, into: distances)
        count = vectors.count
      }
    }
  }

  /// The distances to some vectors, one after the other.
  func callAsFunction(
    to vectors: UnsafeBufferPointer<UnsafePointer<Float>>, into distances: UnsafeMutableBufferPointer<Double>
  ) {
    query.withUnsafeBufferPointer { query in
      switch metric {
      case .squaredEuclidean: sums(query, vectors, distances, weft_sums_of_squares) { $0 + ($1 - $2) * ($1 - $2) }
      case .euclidean:
        sums(query, vectors, distances, weft_sums_of_squares) { $0 + ($1 - $2) * ($1 - $2) }
        for at in vectors.indices { distances[at] = distances[at].squareRoot() }
      case .innerProduct:
        sums(query, vectors, distances, weft_sums_of_products) { $0 + $1 * $2 }
        for at in vectors.indices { distances[at] = -distances[at] }
      case .cosine: for at in vectors.indices { distances[at] = cosine(query, vectors[at]) }
      }
    }
  }

  private static let hasVectorSums = weft_has_vector_sums() != 0

  private typealias VectorSums = (
    UnsafePointer<Double>?, UnsafePointer<UnsafePointer<Float>?>?, Int, UnsafeMutablePointer<Double>?
  ) -> Void

  /// Sums of eight vectors at a time where the processor can, the same to the bit as those of `step`.
  @inline(__always)
  private func sums(
    _ query: UnsafeBufferPointer<Double>, _ vectors: UnsafeBufferPointer<UnsafePointer<Float>>,
    _ sums: UnsafeMutableBufferPointer<Double>, _ eight: VectorSums,
    _ step: (_ sum: Double, _ x: Double, _ y: Double) -> Double
  ) {
    guard Self.hasVectorSums, vectors.count >= 4 else { return inFours(query, vectors, sums, step) }
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: 8) { some in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 8) { found in
        for first in stride(from: 0, to: vectors.count, by: 8) {
          let count = min(8, vectors.count - first)
          for at in 0..<8 { some.initializeElement(at: at, to: vectors[first + min(at, count - 1)]) }
          eight(query.baseAddress, some.baseAddress, query.count, found.baseAddress)
          for at in 0..<count { sums[first + at] = found[at] }
        }
      }
    }
  }

  /// Four chains of additions at a time, each in the order of the channels.
  @inline(__always)
  private func inFours(
    _ query: UnsafeBufferPointer<Double>, _ vectors: UnsafeBufferPointer<UnsafePointer<Float>>,
    _ sums: UnsafeMutableBufferPointer<Double>, _ step: (_ sum: Double, _ x: Double, _ y: Double) -> Double
  ) {
    let last = vectors.count - 1
    for first in stride(from: 0, to: vectors.count, by: 4) {
      let (a, b) = (vectors[first], vectors[min(first + 1, last)])
      let (c, d) = (vectors[min(first + 2, last)], vectors[min(first + 3, last)])
      var (sumA, sumB, sumC, sumD) = (0.0, 0.0, 0.0, 0.0)
      for (channel, x) in query.enumerated() {
        sumA = step(sumA, x, Double(a[channel]))
        sumB = step(sumB, x, Double(b[channel]))
        sumC = step(sumC, x, Double(c[channel]))
        sumD = step(sumD, x, Double(d[channel]))
      }
      sums[first] = sumA
      if first < last { sums[first + 1] = sumB }
      if first + 1 < last { sums[first + 2] = sumC }
      if first + 2 < last { sums[first + 3] = sumD }
    }
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
