/// Makes of a program's multipliers a combination that can be proven: affinely independent classes, with weights that
/// are right to the last digits.
struct CertificateRefinement {
  private let checker: ProofChecker

  init(_ checker: ProofChecker) { self.checker = checker }

  /// Drops classes until the rest are affinely independent and their exact weights positive, and computes these anew.
  /// - Returns: a combination that passes the check; nil if none was found.
  func proven(_ combination: Combination, of index: Int) -> Combination? {
    let check = CertificateCheck(checker)
    // In a box no equation need hold, and the multipliers may do as they are.
    if checker.box != nil, (try? check.check(combination, of: index)) != nil { return combination }
    var refined = combination
    for _ in 0..<8 {
      let equations = AffineEquations(checker.classes, refined, of: index)
      guard let system = equations.squareSystem() else {
        guard let smaller = reduced(refined, of: index) else { return nil }
        refined = smaller
        continue
      }
      let solution = system.enclosure(near: refined.weights)
      // A class whose weight is 0 but for rounding is left out, and the others have to do without it.
      let limit = max(solution.radius, SearchTolerance.weight)
      let kept = refined.classes.indices.filter { solution.values[$0] > limit }
      guard !kept.isEmpty else { return nil }
      refined = Combination(classes: kept.map { refined.classes[$0] }, weights: kept.map { solution.values[$0] })
      guard kept.count == solution.values.count else { continue }
      return (try? check.check(refined, of: index)) != nil ? refined : nil
    }
    return nil
  }

  /// Carathéodory's step: moves the weights along an affine dependency of the classes, the way that raises the
  /// combination's bias, until one of them is 0.
  private func reduced(_ combination: Combination, of index: Int) -> Combination? {
    let classes = checker.classes
    guard let dependency = AffineEquations(classes, combination, of: index).dependency() else { return nil }
    let rise = zip(combination.classes, dependency).reduce(0) { $0 + Double(classes.bias?[$1.0] ?? 0) * $1.1 }
    // Without a rise any way will do, as long as it lowers a weight.
    let isTurned = rise < 0 || (rise == 0 && !dependency.contains { $0 < 0 })
    let way = isTurned ? dependency.map { -$0 } : dependency
    var (length, last) = (Double.infinity, -1)
    for (place, step) in way.enumerated() where step < 0 {
      let possible = combination.weights[place] / -step
      if possible < length { (length, last) = (possible, place) }
    }
    guard last >= 0 else { return nil }
    let weights = zip(combination.weights, way).map { $0 + length * $1 }
    let kept = weights.indices.filter { $0 != last && weights[$0] > 0 }
    let total = kept.reduce(0) { $0 + weights[$1] }
    guard total > 0 else { return nil }
    return Combination(classes: kept.map { combination.classes[$0] }, weights: kept.map { weights[$0] / total })
  }
}

extension AffineEquations {
  /// Factors μ, not all 0, with `Σ μ_i = 0` and `Σ μ_i w_i = 0` up to rounding; nil if there are none.
  fileprivate func dependency() -> [Double]? {
    let size = members.count
    var work = (0...dimension).map { self.row($0).dropLast().map(Double.init) }
    let largest = work.reduce(0) { $1.reduce($0) { max($0, abs($1)) } }
    var pivotColumns: [Int] = []
    for column in 0..<size {
      let step = pivotColumns.count
      let best = (step..<work.count).max { abs(work[$0][column]) < abs(work[$1][column]) }
      guard let best, abs(work[best][column]) > SearchTolerance.pivot * largest else {
        // This column depends on those before it: back substitution says how.
        var factors = [Double](repeating: 0, count: size)
        factors[column] = 1
        for row in (0..<step).reversed() {
          var sum = 0.0
          for other in pivotColumns[row] + 1..<column + 1 { sum += work[row][other] * factors[other] }
          factors[pivotColumns[row]] = -sum / work[row][pivotColumns[row]]
        }
        return factors
      }
      work.swapAt(step, best)
      let pivot = work[step]
      for row in step + 1..<work.count {
        let factor = work[row][column] / pivot[column]
        guard factor != 0 else { continue }
        for other in column..<size { work[row][other] -= factor * pivot[other] }
      }
      pivotColumns.append(column)
    }
    return nil
  }
}
