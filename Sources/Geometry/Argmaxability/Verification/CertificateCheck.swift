/// Whether other classes' convex combination scores at least as much as a class, whatever the hidden vector.
///
/// Rounded weights satisfy `Σ λ_i w_i = w_k` only nearly, and nearly is no proof: a vector just outside a hull is a
/// vertex. So the weights of a combination are only where to look. The proof, for a class k, m other classes S and
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
/// In a box steps 1 to 5 may be replaced by one inequality, see `isBelow`.
struct CertificateCheck {
  private let checker: ProofChecker
  private var classes: OutputClasses { checker.classes }

  /// Weights may miss the sum 1, and the combination the vector (relative to its largest element), by this much: enough
  /// for any rounding, and weights further off belong to another vector.
  static let tolerance = 1e-6

  init(_ checker: ProofChecker) { self.checker = checker }

  /// - Throws: why the combination proves nothing.
  func check(_ combination: Combination, of index: Int) throws(Rejection) {
    try checkForm(combination, of: index)
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
  /// for `‖h‖ = 1`, or `‖(h, 1)‖ = 1` where there are biases; nil if the combination is none.
  func bound(_ combination: Combination, of index: Int) -> Double? {
    guard (try? checkForm(combination, of: index)) != nil, (try? checkSum(combination)) != nil else { return nil }
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

  // MARK: Parts

  private func checkForm(_ combination: Combination, of index: Int) throws(Rejection) {
    let (members, weights) = (combination.classes, combination.weights)
    guard !members.isEmpty, members.count == weights.count else {
      throw Rejection("\(members.count) classes and \(weights.count) weights are no combination")
    }
    guard members.allSatisfy({ (0..<classes.count).contains($0) && $0 != index }), Set(members).count == members.count
    else { throw Rejection("the classes of the combination must be different from each other and from the class") }
    guard weights.allSatisfy({ $0 > 0 && $0.isFinite }) else { throw Rejection("the weights must be positive") }
  }

  /// `Σ λ_i (w_k - w_i)` at a column.
  private func shortfall(_ combination: Combination, of index: Int, _ column: Int) -> CompensatedSum {
    let elements = classes.elements
    let dimension = classes.dimension
    let own = Double(elements[index * dimension + column])
    var sum = CompensatedSum()
    for (member, weight) in zip(combination.classes, combination.weights) {
      sum.add(weight, times: own)
      sum.add(-weight, times: Double(elements[member * dimension + column]))
    }
    return sum
  }

  /// `Σ λ_i (b_k - b_i)`.
  private func biasShortfall(_ combination: Combination, of index: Int) -> CompensatedSum {
    var sum = CompensatedSum()
    guard let bias = classes.bias else { return sum }
    for (member, weight) in zip(combination.classes, combination.weights) {
      sum.add(weight, times: Double(bias[index]))
      sum.add(-weight, times: Double(bias[member]))
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
    let largest = ([index] + combination.classes).reduce(Float(0)) { largest, member in
      classes.row(member).reduce(largest) { max($0, abs($1)) }
    }
    for column in 0..<classes.dimension {
      let difference = abs(shortfall(combination, of: index, column).value)
      guard difference <= Self.tolerance * Double(largest) else {
        throw Rejection("the combination misses the vector by \(difference) at \(column)")
      }
    }
  }

  /// `Σ λ*_i b_i - b_k` and how far off the value may be.
  private func biasMargin(
    _ members: [Int], _ solution: (values: [Double], radius: Double), of index: Int, _ bias: [Float]
  ) -> (value: Double, error: Double) {
    var margin = CompensatedSum()
    var reach = 0.0
    for (member, weight) in zip(members, solution.values) {
      margin.add(weight, times: Double(bias[member]))
      margin.add(-weight, times: Double(bias[index]))
      reach += abs(Double(bias[member]) - Double(bias[index]))
    }
    // Σ λ*_i = 1 exactly, so that Σ λ_i (b_i - b_k) differs by the enclosure's radius alone.
    return (margin.value, margin.errorBound + solution.radius * reach * (1 + Double(members.count + 8) * 0x1p-52))
  }
}
