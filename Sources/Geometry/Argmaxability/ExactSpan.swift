/// Decides exactly, for floating-point numbers as rational numbers, whether equations follow from others.
///
/// The pivots are m equations in m unknowns with a regular matrix, each row being its coefficients and last its right
/// side. Another equation follows from them iff the determinant of the m + 1 rows is 0. Scaled by powers of two the
/// numbers are integers, and so is the determinant; Hadamard's inequality bounds it. It is 0 if it is 0 modulo primes
/// whose product is larger than the bound. No step rounds.
struct ExactSpan {
  private let pivots: [[Double]]

  init(pivots: [[Double]]) { self.pivots = pivots }

  /// Whether all of the equations follow from the pivots.
  func contains(_ equations: [[Double]]) -> Bool {
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
  private static func bits(_ row: [Double]) -> Double {
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
  private func follow(_ equations: [[Double]], in field: PrimeField) -> Bool? {
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

extension Double {
  /// The exponent of the lowest bit that is set; the number is not 0.
  var exponentOfLastBit: Int { Int(exponent) - significandWidth }
}

/// Arithmetic modulo an odd prime below 2⁶², in Montgomery's form (Montgomery, "Modular multiplication without trial
/// division", 1985): a number x is kept as x·2⁶⁴ mod p.
struct PrimeField {
  let prime: UInt64
  /// -p⁻¹ modulo 2⁶⁴.
  private let negatedInverse: UInt64
  /// 2¹²⁸ modulo p.
  private let square: UInt64
  private let one: UInt64
  private let half: UInt64

  init(prime: UInt64) {
    self.prime = prime
    // Newton's iteration doubles the correct bits: 3, 6, … 96.
    var inverse = prime
    for _ in 0..<5 { inverse = inverse &* (2 &- prime &* inverse) }
    negatedInverse = 0 &- inverse
    let radix = prime.dividingFullWidth((1, 0)).remainder
    square = prime.dividingFullWidth(radix.multipliedFullWidth(by: radix)).remainder
    one = radix
    half = (radix.isMultiple(of: 2) ? radix : radix + prime) / 2
  }

  @inline(__always)
  func multiply(_ x: UInt64, _ y: UInt64) -> UInt64 {
    let product = x.multipliedFullWidth(by: y)
    let factor = product.low &* negatedInverse
    let reduced = factor.multipliedFullWidth(by: prime)
    // The low halves add up to 0 or 2⁶⁴.
    let sum = product.high &+ reduced.high &+ (product.low == 0 ? 0 : 1)
    return sum >= prime ? sum &- prime : sum
  }

  func power(_ base: UInt64, _ exponent: UInt64) -> UInt64 {
    var (result, square, exponent) = (one, base, exponent)
    while exponent > 0 {
      if !exponent.isMultiple(of: 2) { result = multiply(result, square) }
      square = multiply(square, square)
      exponent >>= 1
    }
    return result
  }

  func inverse(_ x: UInt64) -> UInt64 { power(x, prime - 2) }

  /// A floating-point number, exactly: an integer times a power of two.
  func number(_ value: Double) -> UInt64 {
    guard value != 0 else { return 0 }
    let place = value.exponentOfLastBit
    let integer = UInt64(value.significand * Double(sign: .plus, exponent: value.significandWidth, significand: 1))
    let magnitude = multiply(
      multiply(integer, square), power(place < 0 ? half : multiply(2, square), place.magnitude64))
    return value < 0 ? prime - magnitude : magnitude
  }

  /// Subtracts from a row its element at a column times another row, which has a 1 there.
  func eliminate(_ row: inout [UInt64], with other: [UInt64], at column: Int) {
    let factor = row[column]
    guard factor != 0 else { return }
    row.withUnsafeMutableBufferPointer { row in
      other.withUnsafeBufferPointer { other in
        for place in column..<row.count {
          let product = multiply(factor, other[place])
          row[place] = row[place] >= product ? row[place] &- product : row[place] &+ prime &- product
        }
      }
    }
  }
}

extension PrimeField {
  /// Primes below 2⁶², from the largest on.
  struct Descending {
    /// Every prime given out is larger than 2 to this power: there are more than 10¹⁶ of them.
    static let leastBits = 61.0

    private var candidate: UInt64 = 1 << 62 + 1

    mutating func next() -> PrimeField {
      repeat { candidate -= 2 } while !Self.isPrime(candidate)
      return PrimeField(prime: candidate)
    }

    /// Miller and Rabin's test; these bases decide every number below 2⁶⁴ (Sorenson and Webster, 2015).
    static func isPrime(_ number: UInt64) -> Bool {
      let bases: [UInt64] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]
      guard number > 37, !number.isMultiple(of: 2) else { return bases.contains(number) }
      let field = PrimeField(prime: number)  // its multiplication needs an odd modulus only
      let minusOne = number - field.one
      let twos = (number - 1).trailingZeroBitCount
      return bases.allSatisfy { base in
        var x = field.power(field.multiply(base, field.square), (number - 1) >> UInt64(twos))
        if x == field.one || x == minusOne { return true }
        for _ in 1..<twos {
          x = field.multiply(x, x)
          if x == minusOne { return true }
        }
        return false
      }
    }
  }
}

extension Int {
  fileprivate var magnitude64: UInt64 { UInt64(magnitude) }
}
