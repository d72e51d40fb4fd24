/// Decides exactly, for float32 numbers as rational numbers, whether equations follow from others.
///
/// The pivots are m equations in m unknowns with a regular matrix, each row being its coefficients and last its right
/// side. Another equation follows from them iff the determinant of the m + 1 rows is 0. Scaled by powers of two the
/// numbers are integers, and so is the determinant; Hadamard's inequality bounds it. It is 0 if it is 0 modulo primes
/// whose product is larger than the bound: no rounding anywhere.
struct ExactSpan {
  private let pivots: [[Float]]

  init(pivots: [[Float]]) { self.pivots = pivots }

  /// Whether all of the equations follow from the pivots.
  func contains(_ equations: [[Float]]) -> Bool {
    let equations = equations.filter { row in row.contains { $0 != 0 } }
    guard !equations.isEmpty else { return true }
    let largest = equations.reduce(0) { max($0, Self.bits($1)) }
    let bits = pivots.reduce(largest) { $0 + Self.bits($1) }
    var primes = PrimeField.Descending()
    var product = 0.0
    while product <= bits {
      let field = primes.next()
      switch follow(equations, in: field) {
      case true?: product += PrimeField.Descending.leastBits
      case false?: return false
      case nil: continue  // the pivots happen to be singular modulo this prime
      }
    }
    return true
  }

  /// No less than the binary logarithm of the Euclidean length of a row scaled to integers.
  private static func bits(_ row: [Float]) -> Double {
    var (low, high) = (Int.max, Int.min)
    for number in row where number != 0 {
      let place = number.exponentOfLastBit
      low = min(low, place)
      high = max(high, Int(number.exponent) + 1)
    }
    guard low <= high else { return 0 }
    // √n ≤ 2^(bits of n / 2)
    return Double(high - low) + Double(Int.bitWidth - row.count.leadingZeroBitCount) / 2
  }

  /// Whether the equations follow modulo a prime; nil if the pivots are singular there.
  private func follow(_ equations: [[Float]], in field: PrimeField) -> Bool? {
    let size = pivots.count
    let width = size + 1
    var rows = pivots.map { row in row.map { field.number($0) } }
    for step in 0..<size {
      guard let found = (step..<size).first(where: { rows[$0][step] != 0 }) else { return nil }
      rows.swapAt(found, step)
      let inverse = field.inverse(rows[step][step])
      for column in step..<width { rows[step][column] = field.multiply(rows[step][column], inverse) }
      let pivot = rows[step]
      for row in step + 1..<size { field.eliminate(&rows[row], with: pivot, at: step) }
    }
    return equations.allSatisfy { equation in
      var row = equation.map { field.number($0) }
      for step in 0..<size { field.eliminate(&row, with: rows[step], at: step) }
      return row[size] == 0
    }
  }
}

extension Float {
  /// The exponent of the lowest bit that is set; the number is not 0.
  var exponentOfLastBit: Int { Int(exponent) - significandWidth }
}
