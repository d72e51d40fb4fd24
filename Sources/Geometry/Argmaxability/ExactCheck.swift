internal import BigInt

/// Checks without any rounding, in integers: what doubles with bounds on their errors leave open, and proofs whose
/// numbers no double holds.
///
/// Every float32 number times 2¹⁴⁹ is an integer, and every float64 number times 2¹⁰⁷⁴. Comparisons with 0 do not depend
/// on the factor.
struct ExactCheck {
  private let classes: OutputClasses

  init(_ classes: OutputClasses) { self.classes = classes }

  /// A hidden vector over one denominator: `h_j = numerators[j] / denominator`, the denominator being positive.
  struct Hidden: Sendable {
    let numerators: [BigInt]
    let denominator: BigInt

    init(_ numbers: [ExactNumber]) {
      let common = numbers.reduce(BigInt(1)) { common, number in
        common * (number.denominator / common.greatestCommonDivisor(with: number.denominator))
      }
      numerators = numbers.map { $0.numerator * (common / $0.denominator) }
      denominator = common
    }

    /// Finite numbers, as they are.
    init?(_ numbers: [Double]) {
      let parts = numbers.compactMap(\.integerAndExponent)
      guard parts.count == numbers.count else { return nil }
      let least = min(parts.reduce(0) { min($0, $1.exponent) }, 0)
      numerators = parts.map { $0.integer << ($0.exponent - least) }
      denominator = 1 << -least
    }

    /// The first element outside of a box, if there is one.
    func firstOutside(_ box: Double) -> Int? {
      guard let (integer, exponent) = box.integerAndExponent else { return nil }
      let limit = (integer << max(exponent, 0)) * denominator
      return numerators.firstIndex { BigInt($0.magnitude) << max(-exponent, 0) > limit }
    }
  }

  /// Whether a hidden vector puts a class above another.
  func isAbove(_ index: Int, _ other: Int, at hidden: Hidden) -> Bool {
    var margin = BigInt(0)
    for (column, numerator) in hidden.numerators.enumerated() where numerator != 0 {
      let difference = difference(index, other, column)
      if difference != 0 { margin += difference * numerator }
    }
    if let bias = classes.bias, bias[index] != bias[other] {
      margin += (integer(bias[index]) - integer(bias[other])) * hidden.denominator
    }
    return margin > 0
  }

  /// Proves that a combination with exact weights scores at least as much as a class:
  ///
  /// - `Σ λ_i (w_k - w_i) = 0` and `Σ λ_i (b_k - b_i) ≤ 0`, or
  /// - in a box `B·‖Σ λ_i (w_k - w_i)‖₁ + Σ λ_i (b_k - b_i) ≤ 0`, the largest value of the left side in the box.
  ///
  /// - Throws: why it is no proof.
  func check(
    _ members: [Int], _ weights: [ExactNumber], of index: Int, box: Double?
  ) throws(Rejection) {
    guard weights.allSatisfy({ $0.numerator > 0 }) else { throw Rejection("the weights must be positive") }
    let common = Hidden(weights)
    guard common.numerators.reduce(0, +) == common.denominator else {
      throw Rejection("the weights do not add up to 1")
    }
    var reach = BigInt(0)
    for column in 0..<classes.dimension {
      var sum = BigInt(0)
      for (member, weight) in zip(members, common.numerators) { sum += weight * difference(index, member, column) }
      if box == nil, sum != 0 { throw Rejection("the combination misses the vector at \(column)") }
      reach += BigInt(sum.magnitude)
    }
    var rest = BigInt(0)
    if let bias = classes.bias {
      for (member, weight) in zip(members, common.numerators) {
        rest += weight * (integer(bias[index]) - integer(bias[member]))
      }
    }
    if let box, let (integer, exponent) = box.integerAndExponent {
      reach *= integer << max(exponent, 0)
      rest <<= max(-exponent, 0)
    }
    guard reach + rest <= 0 else {
      throw Rejection(
        box == nil || reach == 0
          ? "the combination's bias is not as large as the class's"
          : "the class can score more than the combination inside the box")
    }
  }

  /// `w_k - w_i` at a column, as an integer.
  private func difference(_ index: Int, _ other: Int, _ column: Int) -> BigInt {
    let (own, rival) = (classes.element(index, column), classes.element(other, column))
    return own == rival ? 0 : integer(own) - integer(rival)
  }

  /// A number of the layer times 2¹⁴⁹ or 2¹⁰⁷⁴.
  private func integer(_ x: Double) -> BigInt {
    guard let (integer, exponent) = x.integerAndExponent, integer != 0 else { return 0 }
    return integer << (exponent + classes.fractionBits)
  }
}
