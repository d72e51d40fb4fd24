/// Whether other classes' convex combination scores at least as much as a class, whatever the hidden vector.
///
/// Rounded weights satisfy `Σ λ_i w_i = w_k` only nearly, which is no proof: a vector just outside a hull is a vertex. So
/// the weights of a combination are only a starting point. The proof, for a class k, m other classes S and
/// vectors of dimension d:
///
/// 1. For unknowns λ_i, i in S, there are d + 1 equations: `Σ λ_i = 1`, and `Σ λ_i w_ij = w_kj` for each column j.
/// 2. The equation of the sum and m - 1 of the others are a square system. It is regular, so that exactly one λ* solves
///    it, and λ* is within a radius of the computed λ̃ (``SquareSystem``).
/// 3. Every λ̃_i is larger than the radius, so every λ*_i is positive.
/// 4. Each equation that is left over follows from the system's, which is decided in integers (``ExactSpan``); one whose
///    coefficients and right side are all the same number is a multiple of the equation of the sum. So λ* solves all.
/// 5. `Σ λ*_i b_i ≥ b_k`: by λ̃ and the radius or, where that is too close to tell, by integers again.
/// 6. So for every h `<w_k, h> + b_k ≤ Σ λ*_i (<w_i, h> + b_i)`, an average that is no larger than the largest score in S.
///
/// In a box steps 1 to 5 may be replaced by one inequality, see `isBelow`. Weights that come as exact numbers are λ* itself,
/// and both are checked in integers (``ExactCheck``).
struct CertificateCheck {
  private let checker: ProofChecker
  private var classes: OutputClasses { checker.classes }

  /// Weights may miss the sum 1, and the combination the vector (relative to its largest element), by this much: enough
  /// for any rounding. Weights further off belong to another vector.
  static let tolerance = 1e-6

  init(_ checker: ProofChecker) { self.checker = checker }

  /// - Throws: why the combination is no proof.
  func check(_ combination: Combination, of index: Int) throws(Rejection) {
    try checkMembers(combination, of: index)
    if let weights = combination.exactWeights {
      return try ExactCheck(classes).check(combination.classes, weights, of: index, box: checker.box)
    }
    try checkWeights(combination)
    // In a box either proof will do.
    if let box = checker.box, classes.decidingBias != nil, isBelow(combination, of: index, within: box) { return }
    try checkNearness(combination, of: index)
    let equations = AffineEquations(classes, combination, of: index)
    guard let system = equations.squareSystem() else {
      throw Rejection("the classes of the combination are not affinely independent, as far as can be told")
    }
    let solution = system.enclosure(near: combination.weights)
    guard let least = solution.values.min(), least > solution.radius else {
      throw Rejection("the weights are not certainly positive")
    }
    guard equations.remainderHolds(system.pivots) else {
      throw Rejection("the vector is not exactly in the affine hull of the combination's classes")
    }
    guard let bias = classes.decidingBias, !combination.classes.allSatisfy({ bias[$0] >= bias[index] }) else { return }
    let margin = biasMargin(combination.classes, solution, of: index, bias)
    if margin.value > margin.error { return }
    guard margin.value >= -margin.error, equations.biasHolds(bias, system.pivots) else {
      throw Rejection("the combination's bias is not certainly as large as the class's")
    }
  }

  /// An upper bound on how far any hidden vector `h` puts the class above all others: in a box with biases as it is, else
  /// for `‖h‖ = 1`, or `‖(h, 1)‖ = 1` where there are biases; nil if it is no convex combination.
  func bound(_ combination: Combination, of index: Int) -> Double? {
    guard isConvex(combination, of: index) else { return nil }
    // The least of the differences is at most any average of them, with the weights as they are.
    let parts = (0..<classes.dimension).map { shortfall(combination, of: index, $0).magnitudeBound }
    let bias = biasShortfall(combination, of: index)
    let total = combination.weights.reduce(0, +)
    let slack = 1 + Double(classes.dimension + combination.weights.count + 16) * 0x1p-52
    let bound: Double
    if let box = checker.box, classes.decidingBias != nil {
      bound = max((parts.reduce(0, +) * box * slack + bias.value + bias.errorBound) / total, 0) * slack
    } else {
      // Relative to the largest: what falls below the least Double is lost in the slack.
      let all = parts + [max(bias.value + bias.errorBound, 0)]
      let largest = all.reduce(0, max)
      let squares = largest > 0 ? all.reduce(0) { $0 + ($1 / largest) * ($1 / largest) } : 0
      bound = largest * squares.squareRoot() / total * slack
    }
    return bound.isFinite ? bound : nil
  }

  /// The largest number of double precision, for a convex combination without a bound below it; nil if it is no convex
  /// combination.
  func noBound(_ combination: Combination, of index: Int) -> Double? {
    isConvex(combination, of: index) ? .greatestFiniteMagnitude : nil
  }

  // MARK: Parts

  private func isConvex(_ combination: Combination, of index: Int) -> Bool {
    do throws(Rejection) {
      try checkMembers(combination, of: index)
      try checkWeights(combination)
      try checkSum(combination)
      return true
    } catch {
      return false
    }
  }

  private func checkMembers(_ combination: Combination, of index: Int) throws(Rejection) {
    let (members, weights) = (combination.classes, combination.weights)
    guard !members.isEmpty, members.count == weights.count else {
      throw Rejection("\(members.count) classes and \(weights.count) weights are no combination")
    }
    guard members.allSatisfy({ (0..<classes.count).contains($0) && $0 != index }), Set(members).count == members.count
    else { throw Rejection("the classes of the combination must be different from each other and from the class") }
  }

  private func checkWeights(_ combination: Combination) throws(Rejection) {
    guard combination.weights.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw Rejection("the weights must be positive")
    }
  }

  /// `Σ λ_i (w_k - w_i)` at a column.
  private func shortfall(_ combination: Combination, of index: Int, _ column: Int) -> CompensatedSum {
    let own = classes.element(index, column)
    var sum = CompensatedSum()
    for (member, weight) in zip(combination.classes, combination.weights) {
      sum.add(weight, times: own)
      sum.add(-weight, times: classes.element(member, column))
    }
    return sum
  }

  /// `Σ λ_i (b_k - b_i)`.
  private func biasShortfall(_ combination: Combination, of index: Int) -> CompensatedSum {
    var sum = CompensatedSum()
    guard let bias = classes.bias else { return sum }
    for (member, weight) in zip(combination.classes, combination.weights) {
      sum.add(weight, times: bias[index])
      sum.add(-weight, times: bias[member])
    }
    return sum
  }

  /// Whether `max over the box of Σ λ_i (<w_k - w_i, h> + b_k - b_i)` is certainly at most 0. The weights are taken as
  /// they are: the sign does not depend on their sum.
  private func isBelow(_ combination: Combination, of index: Int, within box: Double) -> Bool {
    var reach = 0.0
    for column in 0..<classes.dimension { reach += shortfall(combination, of: index, column).magnitudeBound }
    reach *= box * (1 + Double(classes.dimension + 8) * 0x1p-52)
    let bias = biasShortfall(combination, of: index)
    return reach < -(bias.value + bias.errorBound) * (1 - 0x1p-50)
  }

  private func checkSum(_ combination: Combination) throws(Rejection) {
    let total = combination.weights.reduce(0, +)
    guard abs(total - 1) <= Self.tolerance else { throw Rejection("the weights add up to \(total), not to 1") }
  }

  private func checkNearness(_ combination: Combination, of index: Int) throws(Rejection) {
    try checkSum(combination)
    let largest = ([index] + combination.classes).reduce(0.0) { largest, member in
      classes.row(member).reduce(largest) { max($0, abs($1)) }
    }
    for column in 0..<classes.dimension {
      let difference = abs(shortfall(combination, of: index, column).value)
      guard difference <= Self.tolerance * largest else {
        throw Rejection("the combination misses the vector by \(difference) at \(column)")
      }
    }
  }

  /// `Σ λ*_i b_i - b_k` and how far off the value may be.
  private func biasMargin(
    _ members: [Int], _ solution: (values: [Double], radius: Double), of index: Int, _ bias: [Double]
  ) -> (value: Double, error: Double) {
    var margin = CompensatedSum()
    var reach = 0.0
    for (member, weight) in zip(members, solution.values) {
      margin.add(weight, times: bias[member])
      margin.add(-weight, times: bias[index])
      reach += abs(bias[member] - bias[index])
    }
    // Σ λ*_i = 1 exactly, so that Σ λ_i (b_i - b_k) differs by the enclosure's radius alone.
    return (margin.value, margin.errorBound + solution.radius * reach * (1 + Double(members.count + 8) * 0x1p-52))
  }
}

/// The equations `Σ λ_i w_i = w_k` and `Σ λ_i = 1`: one per column of the vectors, and a last one of ones.
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
    return SquareSystem(matrix: rows.flatMap { $0.dropLast() }, target: rows.map { $0[size] }, pivots: pivots)
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
  func biasHolds(_ bias: [Double], _ pivots: [Int]) -> Bool {
    ExactSpan(pivots: pivots.map { self.row($0) }).contains([(members + [index]).map { bias[$0] }])
  }

  /// One equation: an element of each member and, last, of the class itself.
  func row(_ number: Int) -> [Double] {
    guard number < dimension else { return [Double](repeating: 1, count: members.count + 1) }
    return (members + [index]).map { classes.element($0, number) }
  }

  private func choosePivots() -> [Int]? {
    let size = members.count
    var work = (0...dimension).flatMap { self.row($0).dropLast() }
    var order = Array(0...dimension)
    for step in 0..<size {
      // The equation of the sum is always the first pivot: the decisions about the others use it.
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

/// A square linear system whose solution is enclosed between rigorous bounds.
///
/// With an approximate inverse R and `δ ≥ ‖I - R·P‖∞ < 1` the matrix P is regular, and for any x̃ the exact solution of
/// `P·x = t` satisfies `‖x - x̃‖∞ ≤ ‖R·(t - P·x̃)‖∞ / (1 - δ)` (Rump, "Verification methods", 2010, section 10).
struct SquareSystem {
  /// Which equations of a larger system these are.
  let pivots: [Int]
  private let target: [Double]
  private let size: Int
  /// `[size, size]`, row major; exact.
  private let matrix: [Double]
  private let inverse: [Double]
  /// No less than δ.
  private let defect: Double

  /// A system; nil if the matrix cannot be told from a singular one.
  init?(matrix: [Double], target: [Double], pivots: [Int]) {
    size = target.count
    guard let inverse = Self.approximateInverse(of: matrix, size: size) else { return nil }
    let defect = Self.defect(matrix, inverse, size: size)
    guard defect < 0.1 else { return nil }
    (self.pivots, self.target, self.matrix, self.inverse, self.defect) = (pivots, target, matrix, inverse, defect)
  }

  /// The solution, from a start close to it: each exact element is within `radius` of its value.
  func enclosure(near start: [Double]) -> (values: [Double], radius: Double) {
    var values = start
    var residual = [Double](repeating: 0, count: size)
    var errors = residual
    for step in 0...3 {
      for row in 0..<size {
        var sum = CompensatedSum()
        sum.add(target[row], times: 1)
        for column in 0..<size { sum.add(-matrix[row * size + column], times: values[column]) }
        residual[row] = sum.value
        errors[row] = sum.magnitudeBound
      }
      guard step < 3 else { break }
      for row in 0..<size {
        var change = 0.0
        for column in 0..<size { change += inverse[row * size + column] * residual[column] }
        values[row] += change
      }
    }
    var radius = 0.0
    for row in 0..<size {
      var sum = 0.0
      for column in 0..<size { sum += abs(inverse[row * size + column]) * errors[column] }
      guard sum.isFinite else { return (values, .infinity) }
      radius = max(radius, sum)
    }
    return (values, radius / (1 - defect) * (1 + Double(size + 16) * 0x1p-52) + .leastNormalMagnitude)
  }

  /// Row `row` of the approximate inverse.
  func inverseRow(_ row: Int) -> ArraySlice<Double> { inverse[row * size..<(row + 1) * size] }

  /// Gauss and Jordan's elimination in place, with row pivots, a panel of columns after the other: what a panel does to
  /// the other columns is a product of matrices, which reads them once instead of once a column.
  private static func approximateInverse(of matrix: [Double], size: Int) -> [Double]? {
    var work = matrix
    var order = Array(0..<size)
    var panel: [Double] = []
    for first in stride(from: 0, to: size, by: panelWidth) {
      let width = min(panelWidth, size - first)
      panel = (0..<size).flatMap { work[$0 * size + first..<$0 * size + first + width] }
      guard eliminate(&panel, width, from: first, swapping: &order, &work, size: size) else { return nil }
      // A row is its own multiple of the pivots' rows more, and a pivot's row only that.
      let pivots = Array(work[first * size..<(first + width) * size])
      for place in first * size..<(first + width) * size { work[place] = 0 }
      for row in 0..<size {
        addProducts(panel[row * width..<(row + 1) * width], pivots[...], to: &work, at: row * size, size: size)
        for column in 0..<width { work[row * size + first + column] = panel[row * width + column] }
      }
    }
    // The rows were permuted, so the inverse's columns are.
    var inverse = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0..<size { inverse[row * size + order[column]] = work[row * size + column] }
    }
    return inverse
  }

  private static let panelWidth = 16

  /// Eliminates within a panel `[size, width]` of columns. Its pivots' rows are swapped to `first` and on, there and in
  /// the rest of the matrix.
  /// - Returns: whether all pivots were numbers other than 0.
  private static func eliminate(
    _ panel: inout [Double], _ width: Int, from first: Int, swapping order: inout [Int], _ matrix: inout [Double],
    size: Int
  ) -> Bool {
    for step in 0..<width {
      let row = first + step
      var best = row
      for other in row..<size where abs(panel[other * width + step]) > abs(panel[best * width + step]) { best = other }
      let pivot = panel[best * width + step]
      guard pivot != 0, pivot.isFinite else { return false }
      if best != row {
        order.swapAt(best, row)
        for column in 0..<size { matrix.swapAt(best * size + column, row * size + column) }
        for column in 0..<width { panel.swapAt(best * width + column, row * width + column) }
      }
      panel[row * width + step] = 1
      for column in 0..<width { panel[row * width + column] /= pivot }
      panel.withUnsafeMutableBufferPointer { panel in
        for other in 0..<size where other != row {
          let factor = panel[other * width + step]
          guard factor != 0 else { continue }
          panel[other * width + step] = 0
          for column in 0..<width { panel[other * width + column] -= factor * panel[row * width + column] }
        }
      }
    }
    return true
  }

  /// Adds `Σ factors[p] · rows[p]` to the row of a matrix at `place`; rows have `size` elements.
  private static func addProducts(
    _ factors: ArraySlice<Double>, _ rows: ArraySlice<Double>, to matrix: inout [Double], at place: Int, size: Int
  ) {
    factors.withUnsafeBufferPointer { factors in
      rows.withUnsafeBufferPointer { rows in
        matrix.withUnsafeMutableBufferPointer { matrix in
          guard let base = rows.baseAddress, let target = matrix.baseAddress.map({ $0 + place }) else { return }
          var row = 0
          // Four at a time: the target is read and written a quarter as often.
          while row + 4 <= factors.count {
            let (first, second, third, fourth) = (factors[row], factors[row + 1], factors[row + 2], factors[row + 3])
            let source = base + row * size
            for column in 0..<size {
              target[column] +=
                (first * source[column] + second * source[size + column])
                + (third * source[2 * size + column] + fourth * source[3 * size + column])
            }
            row += 4
          }
          while row < factors.count {
            for column in 0..<size { target[column] += factors[row] * base[row * size + column] }
            row += 1
          }
        }
      }
    }
  }

  /// No less than `‖I - R·P‖∞`: the computed product, and for each of its elements γ·(|R|·|P| + 1).
  private static func defect(_ matrix: [Double], _ inverse: [Double], size: Int) -> Double {
    let rowSums = (0..<size).map { row in matrix[row * size..<(row + 1) * size].reduce(0) { $0 + abs($1) } }
    let gamma = Double(size + 8) * 0x1p-53 * 1.01
    // R·P - I, whatever the order of its sums.
    var product = [Double](repeating: 0, count: size * size)
    for row in 0..<size { product[row * size + row] = -1 }
    for first in stride(from: 0, to: size, by: panelWidth) {
      let end = min(first + panelWidth, size)
      for row in 0..<size {
        addProducts(
          inverse[row * size + first..<row * size + end], matrix[first * size..<end * size], to: &product,
          at: row * size, size: size)
      }
    }
    var largest = 0.0
    for row in 0..<size {
      let reach = (0..<size).reduce(1.0) { $0 + abs(inverse[row * size + $1]) * rowSums[$1] }
      let sum = product[row * size..<(row + 1) * size].reduce(0) { $0 + abs($1) } + gamma * reach
      guard sum.isFinite else { return .infinity }
      largest = max(largest, sum)
    }
    return largest * (1 + Double(size + 16) * 0x1p-52)
  }
}
