@testable import Geometry

/// Decides the classes of a small layer from the definition, without rounding and without the library's search, checker
/// or arithmetic.
///
/// Class k is argmaxable iff the largest t is positive for which some h, inside the box, gives
/// `<w_k - w_i, h> + b_k - b_i ≥ t` for every other class i. That is a linear program in (h, t), which the primal simplex
/// method solves on a dictionary of integers over one denominator, with Bland's rule.
struct DefinitionOracle {
  let rows: [[Double]]
  let bias: [Double]?
  let box: Double?
  private let columnExponents: [Int]
  private let biasExponent: Int

  init(rows: [[Float]], bias: [Float]?, box: Double?) {
    self.init(rows: rows.map { $0.map { Double($0) } }, bias: bias.map { $0.map { Double($0) } }, box: box)
  }

  init(rows: [[Double]], bias: [Double]?, box: Double?) {
    (self.rows, self.bias, self.box) = (rows, bias, box)
    columnExponents = rows[0].indices.map { column in rows.compactMap { $0[column].wholeParts?.exponent }.min() ?? 0 }
    biasExponent = (bias ?? []).compactMap { $0.wholeParts?.exponent }.min() ?? 0
  }

  /// Another class with the same numbers; nil if there is none.
  func copy(of index: Int) -> Int? { rows.indices.first { $0 != index && isCopy($0, index) } }

  func isCopy(_ first: Int, _ second: Int) -> Bool {
    rows[first] == rows[second] && (bias.map { $0[first] == $0[second] } ?? true)
  }

  func verdict(_ index: Int) -> Verdict {
    if copy(of: index) != nil { return .tied }
    return wins(index) ? .argmaxable : .unargmaxable
  }

  /// Whether a hidden vector puts the class, with its copies, above the rest.
  func wins(_ index: Int) -> Bool {
    var dictionary = Dictionary(freeCount: rows[0].count)
    for other in rows.indices where !isCopy(other, index) {
      dictionary.add(coefficients(index, other) + [WholeNumber(-1)], constant: biasDifference(index, other))
    }
    guard dictionary.hasRows else { return true }
    dictionary.add(rows[0].map { _ in WholeNumber(0) } + [WholeNumber(-1)], constant: WholeNumber(1))
    dictionary.start()
    if let box, bias != nil, let (limit, exponent) = box.wholeParts {
      for column in rows[0].indices {
        // The dictionary's variable is h_j · 2^(e_j - e_b).
        let shift = exponent + columnExponents[column] - biasExponent
        for sign in [-1, 1] {
          var side = [WholeNumber](repeating: WholeNumber(0), count: rows[0].count)
          side[column] = WholeNumber(sign).shifted(by: max(-shift, 0))
          dictionary.addAfterStart(side, constant: WholeNumber(limit).shifted(by: max(shift, 0)))
        }
      }
    }
    return dictionary.reachesPositive()
  }

  /// Whether a hidden vector inside the box puts the class above all others, or all but its copies.
  func isOnTop(_ index: Int, at hidden: [Double], withCopies: Bool = false) -> Bool {
    guard hidden.count == rows[0].count, hidden.allSatisfy(\.isFinite) else { return false }
    if let box, hidden.contains(where: { abs($0) > box }) { return false }
    // All over 2^-1074 and the last bit of all numbers.
    let places = -min((columnExponents + [biasExponent]).min() ?? 0, 0)
    let numbers = hidden.map { number in
      number.wholeParts.map { WholeNumber($0.whole).shifted(by: $0.exponent + 1074) } ?? WholeNumber(0)
    }
    func scaled(_ number: Double) -> WholeNumber {
      number.wholeParts.map { WholeNumber($0.whole).shifted(by: $0.exponent + places) } ?? WholeNumber(0)
    }
    return rows.indices.allSatisfy { other in
      if other == index || (withCopies && isCopy(other, index)) { return true }
      var margin = WholeNumber(0)
      for (column, number) in numbers.enumerated() {
        margin = margin + (scaled(rows[index][column]) - scaled(rows[other][column])) * number
      }
      if let bias { margin = margin + (scaled(bias[index]) - scaled(bias[other])).shifted(by: 1074) }
      return margin.sign > 0
    }
  }

  /// Whether the others' combination, with these weights over their sum, is no lower than the class anywhere in the box.
  func isBelow(_ index: Int, _ members: [Int], weights: [Int]) -> Bool {
    func sum(_ term: (Int) -> WholeNumber) -> WholeNumber {
      zip(members, weights).reduce(WholeNumber(0)) { $0 + WholeNumber($1.1) * term($1.0) }
    }
    let parts = rows[0].indices.map { column in sum { coefficients(index, $0)[column] } }
    let rest = sum { biasDifference(index, $0) }
    guard let box, bias != nil, let (limit, exponent) = box.wholeParts else {
      return parts.allSatisfy { $0.sign == 0 } && rest.sign <= 0
    }
    // Σ_j B · 2^(e_j - e_b) · |part_j| + rest, times a power of two.
    let shifts = rows[0].indices.map { exponent + columnExponents[$0] - biasExponent }
    let least = min(shifts.min() ?? 0, 0)
    let reach = zip(parts, shifts).reduce(WholeNumber(0)) { reach, part in
      let size = part.0.sign < 0 ? -part.0 : part.0
      return reach + (size * WholeNumber(limit)).shifted(by: part.1 - least)
    }
    return (reach + rest.shifted(by: -least)).sign <= 0
  }

  private func coefficients(_ index: Int, _ other: Int) -> [WholeNumber] {
    func scaled(_ number: Double, _ column: Int) -> WholeNumber {
      guard let (whole, exponent) = number.wholeParts else { return WholeNumber(0) }
      return WholeNumber(whole).shifted(by: exponent - columnExponents[column])
    }
    return rows[0].indices.map { scaled(rows[index][$0], $0) - scaled(rows[other][$0], $0) }
  }

  private func biasDifference(_ index: Int, _ other: Int) -> WholeNumber {
    func scaled(_ number: Double) -> WholeNumber {
      guard let (whole, exponent) = number.wholeParts else { return WholeNumber(0) }
      return WholeNumber(whole).shifted(by: exponent - biasExponent)
    }
    return bias.map { scaled($0[index]) - scaled($0[other]) } ?? WholeNumber(0)
  }

  /// `x_B = (constants + coefficients · x_N) / denominator`. Variables 0..<freeCount are the hidden vector's elements
  /// and have any sign; variable freeCount is t; the others are at least 0.
  private struct Dictionary {
    private let freeCount: Int
    private var nonbasic: [Int]
    private var basic: [Int] = []
    private var coefficients: [[WholeNumber]] = []
    private var constants: [WholeNumber] = []
    private var denominator = WholeNumber(1)

    init(freeCount: Int) {
      self.freeCount = freeCount
      nonbasic = Array(0...freeCount)
    }

    var hasRows: Bool { !basic.isEmpty }

    /// A row `constant + coefficients · (h, t) ≥ 0`.
    mutating func add(_ row: [WholeNumber], constant: WholeNumber) {
      basic.append(freeCount + 1 + basic.count)
      coefficients.append(row)
      constants.append(constant)
    }

    /// Takes t into the basis, at the largest value that h = 0 allows: all rows hold there.
    mutating func start() {
      var least = 0
      for row in constants.indices where (constants[row] - constants[least]).sign < 0 { least = row }
      pivot(least, freeCount)
    }

    /// A row in which t does not occur, and which h = 0 satisfies.
    mutating func addAfterStart(_ row: [WholeNumber], constant: WholeNumber) {
      // The elements of h are not in the basis yet, and t's place is another variable's.
      basic.append(freeCount + 1 + basic.count)
      coefficients.append(row.map { $0 * denominator } + [WholeNumber(0)])
      constants.append(constant * denominator)
    }

    /// Raises t until it is positive or at its largest.
    mutating func reachesPositive() -> Bool {
      while true {
        guard let objective = basic.firstIndex(of: freeCount) else { return false }
        if constants[objective].sign > 0 { return true }
        // Bland's rule: the first variable that raises t, and of the rows that limit it most the first variable's.
        let raising = nonbasic.indices.filter { column in
          let sign = coefficients[objective][column].sign
          return sign > 0 || (sign < 0 && nonbasic[column] < freeCount)
        }
        guard let column = raising.min(by: { nonbasic[$0] < nonbasic[$1] }) else { return false }
        let way = coefficients[objective][column].sign
        var leaving: Int?
        for row in basic.indices where basic[row] > freeCount && coefficients[row][column].sign == -way {
          guard let best = leaving else {
            leaving = row
            continue
          }
          // b/|a| of this row less that of the best.
          let order =
            (constants[row] * coefficients[best][column] - constants[best] * coefficients[row][column]).sign * -way
          if order < 0 || (order == 0 && basic[row] < basic[best]) { leaving = row }
        }
        guard let leaving else { return true }  // without a limit
        pivot(leaving, column)
      }
    }

    private mutating func pivot(_ row: Int, _ column: Int) {
      let pivot = coefficients[row][column]
      let pivotRow = coefficients[row]
      let pivotConstant = constants[row]
      for other in basic.indices where other != row {
        let factor = coefficients[other][column]
        constants[other] =
          (constants[other] * pivot - factor * pivotConstant).dividedExactly(by: denominator)
        for place in nonbasic.indices where place != column {
          coefficients[other][place] =
            (coefficients[other][place] * pivot - factor * pivotRow[place]).dividedExactly(by: denominator)
        }
      }
      constants[row] = -pivotConstant
      coefficients[row] = pivotRow.map { -$0 }
      coefficients[row][column] = denominator
      (basic[row], nonbasic[column]) = (nonbasic[column], basic[row])
      denominator = pivot
      guard pivot.sign < 0 else { return }
      denominator = -pivot
      constants = constants.map { -$0 }
      coefficients = coefficients.map { $0.map { -$0 } }
    }
  }
}

extension BinaryFloatingPoint {
  /// The number as a whole number times a power of two; nil for 0.
  fileprivate var wholeParts: (whole: Int, exponent: Int)? {
    guard self != 0, isFinite else { return nil }
    var (whole, exponent) = (0, Int(self.exponent))
    // Bit by bit from the highest.
    var rest = significand
    while rest != 0 {
      whole <<= 1
      if rest >= 1 {
        whole |= 1
        rest -= 1
      }
      rest *= 2
      exponent -= 1
    }
    return (sign == .minus ? -whole : whole, exponent + 1)
  }
}
