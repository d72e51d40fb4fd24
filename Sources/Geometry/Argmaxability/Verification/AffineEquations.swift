/// The equations `Σ λ_i w_i = w_k` and `Σ λ_i = 1`, one a column of the vectors and a last one of ones.
struct AffineEquations {
  private let classes: OutputClasses
  let members: [Int]
  private let index: Int
  let dimension: Int

  init(_ classes: OutputClasses, _ combination: Combination, of index: Int) {
    self.classes = classes
    members = combination.classes
    self.index = index
    dimension = classes.dimension
  }

  /// The equation of the sum and as many others as make a square system, chosen by elimination with row pivots.
  /// - Returns: nil if they are not certainly independent.
  func squareSystem() -> SquareSystem? {
    let size = members.count
    guard size <= dimension + 1, let pivots = size == dimension + 1 ? Array(0...dimension) : choosePivots() else {
      return nil
    }
    let rows = pivots.map { self.row($0) }
    return SquareSystem(
      matrix: rows.flatMap { $0.dropLast().map(Double.init) }, target: rows.map { Double($0[size]) }, pivots: pivots)
  }

  /// Whether the equations that are not among the pivots hold exactly, given that the pivots do.
  func remainderHolds(_ pivots: [Int]) -> Bool {
    let chosen = Set(pivots)
    guard chosen.contains(dimension) else { return false }
    let rest = (0...dimension).lazy.filter { !chosen.contains($0) }.map { self.row($0) }
    // Where all elements are the same number it is that many times the equation of the sum, which is a pivot.
    let open = rest.filter { row in row.contains { $0 != row[0] } }
    return ExactSpan(pivots: pivots.map { self.row($0) }).contains(Array(open))
  }

  /// Whether `Σ λ_i b_i = b_k` holds exactly, given that the pivots' equations do.
  func biasHolds(_ bias: [Float], _ pivots: [Int]) -> Bool {
    ExactSpan(pivots: pivots.map { self.row($0) }).contains([(members + [index]).map { bias[$0] }])
  }

  /// One equation: an element of each member and, last, of the class itself.
  func row(_ number: Int) -> [Float] {
    guard number < dimension else { return [Float](repeating: 1, count: members.count + 1) }
    return (members + [index]).map { classes.elements[$0 * dimension + number] }
  }

  private func choosePivots() -> [Int]? {
    let size = members.count
    var work = (0...dimension).flatMap { self.row($0).dropLast().map(Double.init) }
    var order = Array(0...dimension)
    for step in 0..<size {
      // The equation of the sum is always the first pivot: the others are decided on the strength of it.
      var best = step == 0 ? dimension : step
      for row in step...dimension
      where step > 0 && abs(work[row * size + step]) > abs(work[best * size + step]) { best = row }
      let pivot = work[best * size + step]
      guard pivot != 0, pivot.isFinite else { return nil }
      if best != step {
        order.swapAt(best, step)
        for column in 0..<size { work.swapAt(best * size + column, step * size + column) }
      }
      for row in step + 1..<dimension + 1 {
        let factor = work[row * size + step] / pivot
        guard factor != 0 else { continue }
        for column in step..<size { work[row * size + column] -= factor * work[step * size + column] }
      }
    }
    return Array(order.prefix(size))
  }
}
