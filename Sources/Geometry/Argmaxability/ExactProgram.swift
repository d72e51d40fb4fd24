internal import BigInt

/// The classes as points with integer elements, for searches without rounding.
///
/// The points are those of ``ClassPoints``: `a_i = w_i`, or `a_i = (w_i, b_i)` where biases decide. Each column is
/// scaled by a power of two of its own, so that neither large nor tiny numbers matter.
struct ExactPoints: Sendable {
  let classes: OutputClasses
  let box: Double?
  /// The vectors' dimension, and one more where biases decide.
  let width: Int
  var hasBias: Bool { width > classes.dimension }
  /// `[classes, width]`: the element of a point is this number times 2 to its column's exponent.
  private let integers: [BigInt]
  private let exponents: [Int]

  init(_ classes: OutputClasses, box: Double?) {
    let bias = classes.decidingBias
    let width = Self.width(classes)
    func number(_ index: Int, _ column: Int) -> Double {
      column < classes.dimension ? classes.element(index, column) : bias?[index] ?? 0
    }
    let exponents = (0..<width).map { column in
      (0..<classes.count).compactMap { index -> Int? in
        let (integer, exponent) = number(index, column).integerAndExponent ?? (0, 0)
        return integer == 0 ? nil : exponent
      }.min() ?? 0
    }
    integers = (0..<classes.count).flatMap { index in
      (0..<width).map { column in
        let (integer, exponent) = number(index, column).integerAndExponent ?? (0, 0)
        return integer == 0 ? 0 : integer << (exponent - exponents[column])
      }
    }
    (self.classes, self.box, self.width, self.exponents) = (classes, box, width, exponents)
  }

  /// How many numbers a point has.
  static func width(_ classes: OutputClasses) -> Int { classes.dimension + (classes.decidingBias == nil ? 0 : 1) }

  func difference(_ index: Int, _ other: Int) -> [BigInt] {
    (0..<width).map { integers[index * width + $0] - integers[other * width + $0] }
  }

  /// The sides of the box: directions z with `<side, z> ≥ 0` for all of them stand for hidden vectors inside.
  var sides: [[BigInt]] {
    guard hasBias, let box, let (integer, exponent) = box.integerAndExponent else { return [] }
    return (0..<classes.dimension).flatMap { column in
      // |z_j| ≤ B·2^(e_j - e_b) · s, since h_j = z_j / 2^e_j over s / 2^e_b.
      let shift = exponent + exponents[column] - exponents[width - 1]
      return [BigInt(-1), BigInt(1)].map { sign in
        var side = [BigInt](repeating: 0, count: width)
        side[column] = sign << max(-shift, 0)
        side[width - 1] = integer << max(shift, 0)
        return side
      }
    }
  }

  /// The hidden vector that a direction stands for; the last element is positive where biases decide.
  func hidden(_ direction: [BigInt]) -> [ExactNumber] {
    func number(_ integer: BigInt, _ over: BigInt, _ exponent: Int) -> ExactNumber {
      ExactNumber(integer << max(exponent, 0), over: over << max(-exponent, 0))
    }
    if hasBias {
      return direction.dropLast().enumerated().map { column, integer in
        number(integer, direction[width - 1], exponents[width - 1] - exponents[column])
      }
    }
    // Any length will do: elements of at most 1, inside the box.
    let reach = direction.enumerated().map { $1 == 0 ? Int.min : $1.magnitude.bitWidth - exponents[$0] }.max() ?? 0
    guard reach > Int.min else { return direction.map { ExactNumber($0, over: 1) } }
    let limit = min(box.map { Int($0.exponent) } ?? 0, 0)
    return direction.enumerated().map { column, integer in number(integer, 1, limit - reach - exponents[column]) }
  }
}

/// Decides one class without rounding, by the simplex method in integers.
///
/// By Motzkin's theorem exactly one of these is solvable, for `g_i = a_k - a_i` over all other classes i, and in a box
/// its sides besides:
///
/// - a direction z with `<g_i, z> > 0`, and `≥ 0` for sides: it stands for a hidden vector that puts k on top;
/// - weights `λ ≥ 0` with `Σ λ_i g_i = 0`, and `Σ λ_i c_i = 1` with a `c_i > 0` for each class and 0 for sides: a
///   convex combination of the others that is never below k.
///
/// The first phase of the simplex method looks for the weights. If there are none its multipliers are the direction.
/// The inverse of the basis is kept as integers over its determinant (Edmonds, 1967; Bareiss, 1968).
struct ExactProgram {
  enum Outcome {
    case direction([BigInt])
    /// Positive weights, of any sum.
    case combination(classes: [Int], weights: [BigInt])
  }

  /// A column of the program: `2^-shift · g`, and c.
  private struct Column {
    let elements: [BigInt]
    let last: BigInt
    let shift: Int
    /// The binary length of the largest element.
    let bits: Int
    /// nil for a side of the box, and for `s > 0`.
    let rival: Int?
  }

  private let columns: [Column]
  private let size: Int
  /// `[columns, size]`: the columns in double precision, each scaled to elements below 1.
  private let rounded: [Double]
  /// `[size, size]`: the inverse of the basis times its determinant.
  private var inverse: [[BigInt]]
  private var determinant: BigInt = 1
  /// The column of each row; below 0 the artificial column of row `-1 - column`.
  private var basis: [Int]

  /// - Parameters:
  ///   - points: the classes.
  ///   - candidate: the class; those with the same numbers are left out.
  init(_ points: ExactPoints, _ candidate: Candidate) {
    var columns: [Column] = []
    func add(_ elements: [BigInt], isStrict: Bool, rival: Int?) {
      let shift = elements.lazy.filter { $0 != 0 }.map(\.trailingZeroBitCount).min() ?? 0
      let reduced = elements.map { $0 >> shift }
      let bits = reduced.reduce(0) { max($0, $1.magnitude.bitWidth) }
      columns.append(
        Column(elements: reduced, last: isStrict ? 1 << bits : 0, shift: shift, bits: bits, rival: rival))
    }
    for other in 0..<points.classes.count where !candidate.isSame(other, points.classes) {
      add(points.difference(candidate.index, other), isStrict: true, rival: other)
    }
    if points.hasBias {
      // Inside a box `s > 0` follows from the sides.
      if points.box == nil || columns.isEmpty {
        add([BigInt](repeating: 0, count: points.width - 1) + [1], isStrict: true, rival: nil)
      }
      for side in points.sides { add(side, isStrict: false, rival: nil) }
    }
    self.columns = columns
    let size = points.width + 1
    self.size = size
    rounded = columns.flatMap { column in
      column.elements.map { $0.rounded(over: column.bits) } + [column.last == 0 ? 0 : 1]
    }
    inverse = (0..<size).map { row in (0..<size).map { $0 == row ? 1 : 0 } }
    basis = (0..<size).map { -1 - $0 }
  }

  /// - Throws: `CancellationError`.
  mutating func solve() throws -> Outcome {
    // After this many steps without progress the rule is Bland's, which ends for certain.
    var patience = 2 * size
    var multipliers = self.multipliers
    while true {
      try Task.checkCancellation()
      guard multipliers[size - 1] != 0 else { return combination() }
      guard let entering = (patience > 0 ? promising(multipliers) : nil) ?? first(multipliers) else {
        return .direction(multipliers.dropLast().map { -$0 })
      }
      let before = (value: multipliers[size - 1], over: determinant)
      pivot(columns[entering], entering)
      multipliers = self.multipliers
      let hasMoved = multipliers[size - 1] * before.over != before.value * determinant
      patience = hasMoved ? 2 * size : patience - 1
    }
  }

  /// The multipliers of the rows, times the determinant; the last is the sum of the artificial variables.
  private var multipliers: [BigInt] {
    var sums = [BigInt](repeating: 0, count: size)
    for row in 0..<size where basis[row] < 0 {
      for column in 0..<size { sums[column] += inverse[row][column] }
    }
    return sums
  }

  /// The column that in double precision lowers the sum of the artificial variables the most, relative to its size; nil
  /// if it does not really lower it.
  private func promising(_ multipliers: [BigInt]) -> Int? {
    let bits = multipliers.reduce(0) { max($0, $1.magnitude.bitWidth) }
    let factors = multipliers.map { $0.rounded(over: bits) }
    var best: (column: Int, gain: Double) = (0, 0)
    rounded.withUnsafeBufferPointer { rounded in
      for number in columns.indices {
        var gain = 0.0
        for place in 0..<size { gain += rounded[number * size + place] * factors[place] }
        if gain > best.gain { best = (number, gain) }
      }
    }
    return best.gain > 0 && gain(of: columns[best.column], multipliers) > 0 ? best.column : nil
  }

  /// The first column that lowers the sum of the artificial variables; nil if none does.
  private func first(_ multipliers: [BigInt]) -> Int? {
    columns.firstIndex { gain(of: $0, multipliers) > 0 }
  }

  private func gain(of column: Column, _ multipliers: [BigInt]) -> BigInt {
    var gain = multipliers[size - 1] * column.last
    for (element, multiplier) in zip(column.elements, multipliers) where element != 0 && multiplier != 0 {
      gain += element * multiplier
    }
    return gain
  }

  private mutating func pivot(_ column: Column, _ number: Int) {
    let entries = inverse.map { row in
      var sum = row[size - 1] * column.last
      for (element, factor) in zip(column.elements, row) where element != 0 && factor != 0 { sum += element * factor }
      return sum
    }
    // The row whose variable is the first to reach 0; of several the one with the least number.
    var leaving: Int?
    for row in 0..<size where entries[row] > 0 {
      guard let best = leaving else {
        leaving = row
        continue
      }
      let (ratio, least) = (inverse[row][size - 1] * entries[best], inverse[best][size - 1] * entries[row])
      if ratio < least || (ratio == least && basis[row] < basis[best]) { leaving = row }
    }
    // The sum of the artificial variables is bounded below, so that there is one.
    guard let leaving else { return }
    let pivot = entries[leaving]
    for row in 0..<size where row != leaving {
      let entry = entries[row]
      for place in 0..<size {
        let old = inverse[row][place]
        if old == 0 && (entry == 0 || inverse[leaving][place] == 0) { continue }
        inverse[row][place] = (old * pivot - entry * inverse[leaving][place]) / determinant
      }
    }
    determinant = pivot
    basis[leaving] = number
  }

  private func combination() -> Outcome {
    var classes: [Int] = []
    var weights: [(weight: BigInt, shift: Int)] = []
    for row in 0..<size where basis[row] >= 0 && inverse[row][size - 1] > 0 {
      let column = columns[basis[row]]
      guard let rival = column.rival else { continue }
      classes.append(rival)
      weights.append((inverse[row][size - 1], column.shift))
    }
    let most = weights.reduce(0) { max($0, $1.shift) }
    return .combination(classes: classes, weights: weights.map { $0.weight << (most - $0.shift) })
  }
}

extension BigInt {
  /// About `self / 2^bits`, where that is below 1.
  fileprivate func rounded(over bits: Int) -> Double {
    let excess = Swift.max(magnitude.bitWidth - 63, 0)
    let size = Double(sign: .plus, exponent: excess - bits, significand: Double(Int64(magnitude >> excess)))
    return sign == .minus ? -size : size
  }
}
