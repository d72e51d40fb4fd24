import Engine
import Testing

@testable import Geometry

/// The parts of the check whose bounds everything rests on.
@Suite struct VerificationArithmeticTests {
  @Test func compensatedSumsStayWithinTheirBound() {
    var generator = SplitMix64(seed: 1)
    for _ in 0..<200 {
      // Sums that cancel: x·y and -x·y in random order, and a small rest, known exactly.
      var terms: [(Double, Double)] = []
      for _ in 0..<50 {
        let x = Double(Int.random(in: -(1 << 26)...(1 << 26), using: &generator))
        let y = Double(Int.random(in: -(1 << 26)...(1 << 26), using: &generator))
        terms += [(x, y), (-x, y)]
      }
      let rest = Int.random(in: -1000...1000, using: &generator)
      terms.append((Double(rest), 0x1p-20))
      terms.shuffle(using: &generator)
      var sum = CompensatedSum()
      for (x, y) in terms { sum.add(x, times: y) }
      let exact = Double(rest) * 0x1p-20
      #expect(abs(sum.value - exact) <= sum.errorBound)
      #expect(sum.errorBound < 1e-9 && sum.magnitudeBound >= abs(exact))
      #expect(sum.isCertainlyPositive == (rest > 0))
    }
  }

  @Test func compensatedSumsOfZeroAreNotPositive() {
    var sum = CompensatedSum()
    #expect(!sum.isCertainlyPositive)
    // 0.1 · 3 - 0.3 is not 0 for these doubles, and a plain sum says 0.
    sum.add(0.1, times: 3)
    sum.add(-0.30000000000000004, times: 1)
    #expect(sum.value != 0 && sum.value < 0)
    var overflow = CompensatedSum()
    overflow.add(1e308, times: 10)
    #expect(!overflow.isCertainlyPositive)
  }

  @Test func fieldsMultiplyAsWholeNumbersDo() {
    var generator = SplitMix64(seed: 2)
    var primes = PrimeField.Descending()
    for _ in 0..<3 {
      let field = primes.next()
      #expect(field.prime > 1 << 61 && field.prime < 1 << 62)
      for _ in 0..<100 {
        let (x, y) = (
          UInt64.random(in: 0..<1 << 23, using: &generator), UInt64.random(in: 1..<1 << 23, using: &generator)
        )
        // Products below the prime are themselves.
        #expect(
          field.multiply(field.number(Double(x)), field.number(Double(y))) == product(x, y, field))
        #expect(field.multiply(field.number(Double(y)), field.inverse(field.number(Double(y)))) == field.number(1))
      }
    }
  }

  /// x·y as the sum of x·2^i over the bits of y.
  private func product(_ x: UInt64, _ y: UInt64, _ field: PrimeField) -> UInt64 {
    var sum: UInt64 = 0
    for bit in 0..<64 where y >> UInt64(bit) & 1 == 1 {
      sum = (sum + field.number(Double(x) * Double(sign: .plus, exponent: bit, significand: 1))) % field.prime
    }
    return sum
  }

  @Test func fieldsKeepFractionsAndSigns() {
    var primes = PrimeField.Descending()
    let field = primes.next()
    for value in [0.1, -3.7, 1e-300, 12345.678, .leastNonzeroMagnitude, .greatestFiniteMagnitude] {
      let half = value / 2
      guard half * 2 == value else { continue }
      #expect((field.number(half) + field.number(half)) % field.prime == field.number(value))
      #expect((field.number(value) + field.number(-value)) % field.prime == 0)
    }
    #expect(field.number(0) == 0 && field.number(-0.0) == 0)
  }

  @Test func primesArePrime() {
    let small = (2...2000).filter { number in !(2..<number).contains { number.isMultiple(of: $0) } }
    #expect((0...2000).filter { PrimeField.Descending.isPrime(UInt64($0)) } == small)
    // Strong pseudoprimes to the bases 2, 3, 5 and 7; to those up to 23 (OEIS A014233); a Mersenne prime; 2⁶² - 57.
    for number: UInt64 in [3_215_031_751, 3_825_123_056_546_413_051, 1 << 61 - 1 - 2] {
      #expect(!PrimeField.Descending.isPrime(number))
    }
    #expect(PrimeField.Descending.isPrime(1 << 61 - 1))
    #expect(PrimeField.Descending.isPrime(1 << 62 - 57))
  }

  /// x + 2y = 5, 3x - y = 1 leave x = 1, y = 2.
  @Test func exactSpansKnowWhatFollows() {
    let span = ExactSpan(pivots: [[1, 2, 5], [3, -1, 1]])
    #expect(span.contains([[4, 1, 6], [0.5, -0.25, 0], [0, 0, 0]]))
    #expect(!span.contains([[4, 1, 6], [0.5, -0.25, 1e-308]]))
    #expect(!span.contains([[1, 1, 3.0.nextUp]]))
    #expect(
      span.contains([[1, 1, 3]])
        && span.contains([[1e30, 0, 1e30], [0, .leastNonzeroMagnitude, 2 * .leastNonzeroMagnitude]]))
    // Thirds: x = y = z = 1/3 are no floats, and their sum is exactly 1.
    let thirds = ExactSpan(pivots: [[3, 0, 0, 1], [0, 3, 0, 1], [0, 0, 3, 1]])
    #expect(thirds.contains([[1, 1, 1, 1]]))
    #expect(!thirds.contains([[1, 1, 1, 1.0.nextDown]]))
  }

  @Test func enclosuresHoldTheExactSolution() throws {
    var generator = SplitMix64(seed: 3)
    for _ in 0..<100 {
      let size = Int.random(in: 1...5, using: &generator)
      let matrix = (0..<size * size).map { _ in Int.random(in: -9...9, using: &generator) }
      let target = (0..<size).map { _ in Int.random(in: -9...9, using: &generator) }
      let exact = solve(matrix, target)
      let system = SquareSystem(
        matrix: matrix.map(Double.init), target: target.map(Double.init), pivots: Array(0..<size))
      guard let exact else {
        #expect(system == nil)
        continue
      }
      let solution = try #require(system).enclosure(near: [Double](repeating: 0, count: size))
      #expect(solution.radius < 1e-12)
      for (value, exact) in zip(solution.values, exact) {
        // numerator / denominator against value ± radius, all within what a double holds.
        let denominator = Double(exact.denominator)
        #expect(abs(value * denominator - Double(exact.numerator)) <= (solution.radius + 1e-15) * abs(denominator))
      }
    }
  }

  private func solve(_ matrix: [Int], _ target: [Int]) -> [Fraction]? {
    let size = target.count
    var table = (0..<size).map { row in
      (matrix[row * size..<(row + 1) * size] + [target[row]]).map { Fraction($0) }
    }
    for step in 0..<size {
      guard let pivot = (step..<size).first(where: { !table[$0][step].isZero }) else { return nil }
      table.swapAt(step, pivot)
      for row in 0..<size where row != step {
        let factor = table[row][step] / table[step][step]
        table[row] = zip(table[row], table[step]).map { $0 - factor * $1 }
      }
    }
    return (0..<size).map { table[$0][size] / table[$0][$0] }
  }
}
