import Engine

@testable import Geometry

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
