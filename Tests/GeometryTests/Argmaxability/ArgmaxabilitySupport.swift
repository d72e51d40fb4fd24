import CPUBackend
import Engine
import Logging
import Testing

@testable import Geometry

extension OutputClasses {
  /// Classes from rows of numbers.
  init(_ rows: [[Float]], bias: [Float]? = nil) throws {
    try self.init(Vectors(rows.flatMap { $0 }, dimension: rows[0].count), bias: bias)
  }

  /// The proofs of a search in the order of the classes, each checked by a checker of its own; on the reference device
  /// unless another is given.
  func decided(box: Double? = nil, only chosen: [Int]? = nil, on engine: Engine? = nil) async throws -> [ClassProof] {
    let engine = engine ?? Engine(backend: CPUBackend(), logger: Logger(label: "test"))
    let search = try await ArgmaxSearch(self, box: box, on: engine)
    var proofs: [ClassProof] = []
    try await search.run(chosen) { found, _ in proofs += found }
    proofs.sort { $0.index < $1.index }
    #expect(proofs.map(\.index) == (chosen?.sorted() ?? Array(0..<count)))
    let findings = try await ProofChecker(self, box: box).findings(proofs)
    for (proof, finding) in zip(proofs, findings) {
      #expect(finding == .proven, "\(proof.index) \(proof.verdict)")
    }
    return proofs
  }

  /// The verdicts of a search.
  func verdicts(box: Double? = nil) async throws -> [Verdict] { try await decided(box: box).map(\.verdict) }
}

/// Rows of random numbers.
struct RandomRows {
  private(set) var rows: [[Float]]

  /// Normal numbers.
  init(_ count: Int, dimension: Int, seed: UInt64) {
    let numbers = Draws.gaussian(count, dimension, seed: seed)
    rows = (0..<count).map { Array(numbers[$0 * dimension..<($0 + 1) * dimension]) }
  }

  /// Scales every row to length 1, as far as float32 can.
  mutating func normalize() {
    rows = rows.map { row in
      let length = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      return row.map { Float(Double($0) / length) }
    }
  }

  /// Moves rows deep into the hull of the others: half way from their mean to another row, where rounding does not matter.
  mutating func bury(_ buried: [Int]) {
    let others = rows.indices.filter { !buried.contains($0) }
    var mean = [Double](repeating: 0, count: rows[0].count)
    for row in others { for j in mean.indices { mean[j] += Double(rows[row][j]) / Double(others.count) } }
    for (number, row) in buried.enumerated() {
      let other = rows[others[number * 37 % others.count]]
      rows[row] = zip(mean, other).map { Float(($0 + Double($1)) / 2) }
    }
  }

  func classes(bias: [Float]? = nil) throws -> OutputClasses {
    try OutputClasses(Vectors(rows.flatMap { $0 }, dimension: rows[0].count), bias: bias)
  }
}

/// Decides small cases of whole numbers without any rounding, from the definition: a class without a strict win is one
/// that some affinely independent others combine to, with at least its bias (Carathéodory).
struct ExactOracle {
  let rows: [[Int]]
  let bias: [Int]?

  func expected() -> [Verdict] {
    rows.indices.map { index in
      if rows.indices.contains(where: { $0 != index && rows[$0] == rows[index] && value($0) == value(index) }) {
        return .tied
      }
      return isBelow(index) ? .unargmaxable : .argmaxable
    }
  }

  private func value(_ index: Int) -> Int { bias?[index] ?? 0 }

  private func isBelow(_ index: Int) -> Bool {
    let others = rows.indices.filter { $0 != index }
    return (1...rows[0].count + 1).contains { size in
      Self.subsets(of: others, size: size).contains { combines($0, to: index) }
    }
  }

  /// Whether the classes are affinely independent, and their only combination has positive weights and enough bias.
  private func combines(_ members: [Int], to index: Int) -> Bool {
    // One row an equation: an element of each member, and of the class; last the weights' sum.
    var table = (0..<rows[0].count).map { column in
      (members + [index]).map { Fraction(rows[$0][column]) }
    }
    table.append([Fraction](repeating: Fraction(1), count: members.count + 1))
    for step in members.indices {
      guard let pivot = (step..<table.count).first(where: { !table[$0][step].isZero }) else { return false }
      table.swapAt(step, pivot)
      for row in table.indices where row != step {
        let factor = table[row][step] / table[step][step]
        table[row] = zip(table[row], table[step]).map { $0 - factor * $1 }
      }
    }
    guard table.dropFirst(members.count).allSatisfy({ $0[members.count].isZero }) else { return false }
    let weights = members.indices.map { table[$0][members.count] / table[$0][$0] }
    guard weights.allSatisfy({ $0.numerator > 0 }) else { return false }
    let lead = zip(members, weights).reduce(Fraction(-value(index))) { $0 + $1.1 * Fraction(value($1.0)) }
    return lead.numerator >= 0
  }

  static func subsets(of items: [Int], size: Int) -> [[Int]] {
    guard size > 0 else { return [[]] }
    guard items.count >= size else { return [] }
    let rest = Array(items.dropFirst())
    return subsets(of: rest, size: size - 1).map { [items[0]] + $0 } + subsets(of: rest, size: size)
  }
}

/// A fraction of small whole numbers, in lowest terms with a positive denominator.
struct Fraction: Equatable {
  let numerator: Int
  let denominator: Int

  init(_ numerator: Int, _ denominator: Int = 1) {
    var (a, b) = (abs(numerator), abs(denominator))
    while b != 0 { (a, b) = (b, a % b) }
    let divisor = denominator < 0 ? -max(a, 1) : max(a, 1)
    (self.numerator, self.denominator) = (numerator / divisor, denominator / divisor)
  }

  var isZero: Bool { numerator == 0 }

  static func + (x: Fraction, y: Fraction) -> Fraction {
    Fraction(x.numerator * y.denominator + y.numerator * x.denominator, x.denominator * y.denominator)
  }
  static func - (x: Fraction, y: Fraction) -> Fraction { x + Fraction(-y.numerator, y.denominator) }
  static func * (x: Fraction, y: Fraction) -> Fraction {
    Fraction(x.numerator * y.numerator, x.denominator * y.denominator)
  }
  static func / (x: Fraction, y: Fraction) -> Fraction {
    Fraction(x.numerator * y.denominator, x.denominator * y.numerator)
  }
}
