/// The weights of outputs in one step of UniPC: `x' = (σ'/σ) x - α' φ₁ m0 - α' B Σ ρ_k D_k`, where φ₁ = e^(-h) - 1,
/// `D_k = (m_k - m0) / r_k` and `r_k = (λ_k - λ) / h` (Zhao et al., "UniPC", 2023).
///
/// ρ solves `Σ_k r_k^(i-1) ρ_k = i! φ_{i+1}(-h) · (-h) / B` for i = 1 … p, which makes the step exact for polynomials.
struct UniPCWeights {
  /// Of m0 at the step's start.
  let start: Double
  /// Of the older outputs, newest first.
  let older: [Double]
  /// Of the output at the step's end; 0 in a predictor.
  let end: Double

  /// The weights of one step.
  /// - Parameters:
  ///   - span: The step.
  ///   - older: λ of the outputs before the one at the step's start, newest first.
  ///   - correcting: Whether the output at the step's end is known.
  ///   - variant: What B is.
  init(_ span: LevelSpan, older: [Double], correcting: Bool, variant: UniPC.Variant) {
    let h = span.h
    // A place without signal is infinitely far back; its output counts nothing.
    let places = older.map { ($0 - span.level.lambda) / h }.filter(\.isFinite) + (correcting ? [1] : [])
    let rho = Self.solve(places, h, variant)
    // -α' B ρ_k / r_k
    let factor = -span.next.alpha * variant.factor(h)
    let weights = zip(rho, places).map { factor * $0 / $1 }
    start = span.x0 - weights.reduce(0, +)
    let olderCount = places.count - (correcting ? 1 : 0)
    self.older = Array(weights.prefix(olderCount)) + [Double](repeating: 0, count: older.count - olderCount)
    end = correcting ? weights.last ?? 0 : 0
  }

  private static func solve(_ places: [Double], _ h: Double, _ variant: UniPC.Variant) -> [Double] {
    // For a single slope the paper takes ½, its limit for small h, which keeps the order.
    if places.count <= 1 { return places.map { _ in 0.5 } }
    var factorial = 1.0
    var power = [Double](repeating: 1, count: places.count)
    var rows: [[Double]] = []
    for index in 1...places.count {
      factorial *= Double(index)
      rows.append(power + [-h * ExponentialFunctions.phi(index + 1, -h) * factorial / variant.factor(h)])
      power = zip(power, places).map { $0 * $1 }
    }
    return eliminate(rows)
  }

  /// Solves a small system, given with its right side as the last column.
  private static func eliminate(_ system: [[Double]]) -> [Double] {
    var rows = system
    let count = rows.count
    for pivot in 0..<count {
      let best = (pivot..<count).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
      rows.swapAt(pivot, best)
      for row in 0..<count where row != pivot {
        let ratio = rows[row][pivot] / rows[pivot][pivot]
        for column in pivot...count { rows[row][column] -= ratio * rows[pivot][column] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }
}
