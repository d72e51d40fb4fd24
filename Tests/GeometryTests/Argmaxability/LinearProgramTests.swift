import Engine
import Testing

@testable import Geometry

/// The solver behind its wrapper: what it says of programs that can be worked out by hand.
@Suite struct LinearProgramTests {
  private typealias Column = LinearProgram.Column

  /// max x + y with x + 2y ≤ 2 and 2x + y ≤ 2, as rows ≥ 0 of the columns x, y and a constant 1: x = y = 2/3.
  private func corner() throws -> LinearProgram {
    var program = try LinearProgram([
      Column(lower: 0, upper: 9, cost: -1), Column(lower: 0, upper: 9, cost: -1), Column(lower: 1, upper: 1, cost: 0),
    ])
    try program.add(rows: [-1, -2, 2, -2, -1, 2])
    return program
  }

  private func isClose(_ numbers: some Collection<Double>, _ expected: some Collection<Double>) -> Bool {
    numbers.count == expected.count && zip(numbers, expected).allSatisfy { abs($0 - $1) < 1e-9 }
  }

  @Test func optimaAndMultipliers() throws {
    var program = try corner()
    program.solve()
    #expect(isClose(program.values, [2 / 3.0, 2 / 3.0, 1]))
    // The cost is -4/3, and each row's bound of 0 raised by one would raise it by 1/3.
    #expect(isClose(program.multipliers, [1 / 3.0, 1 / 3.0]))
    #expect(program.rowCount == 2)
  }

  @Test func withoutRowsColumnsGoToTheirBounds() throws {
    var program = try LinearProgram([Column(lower: -2, upper: 3, cost: 1), Column(lower: -2, upper: 3, cost: -1)])
    program.solve()
    #expect(isClose(program.values, [-2, 3]) && program.multipliers.isEmpty)
    try program.add(rows: [])
    #expect(program.rowCount == 0)
  }

  /// A solution continues from the last one: fewer steps than from nothing, and the same optimum.
  @Test func rowsCanBeAddedToASolvedProgram() throws {
    let rows = rows(62)
    var warm = try wide(rows.prefix(60))
    warm.solve()
    let before = try #require(warm.values.last)
    try warm.add(rows: rows.suffix(2).flatMap { $0 })
    warm.solve()
    var cold = try wide(rows[...])
    cold.solve()
    let margin = try #require(warm.values.last)
    #expect(margin > 0 && margin < before)
    #expect(isClose([margin], cold.values.suffix(1)))
    #expect(warm.steps < cold.steps, "\(warm.steps) steps, \(cold.steps) from nothing")
    warm.solve()
    #expect(warm.steps == 0 && isClose(warm.values.suffix(1), [margin]))
  }

  /// After a limit there are as many numbers as usual, and the next call continues.
  @Test func aLimitOfStepsIsKept() throws {
    let rows = rows(60)
    var program = try wide(rows[...])
    program.solve(steps: 0)
    #expect(program.steps == 0 && program.values.count == 21 && program.multipliers.count == 60)
    program.solve(steps: 3)
    #expect(program.steps == 3 && program.values.allSatisfy(\.isFinite))
    program.solve()
    var whole = try wide(rows[...])
    whole.solve()
    #expect(whole.steps > 3 && isClose(program.values.suffix(1), Array(whole.values.suffix(1))))
  }

  /// x ≥ 1 and -x ≥ 0: there is no solution, and the numbers that are left do not claim to be one.
  @Test func programsWithoutSolution() throws {
    var program = try LinearProgram([Column(lower: 1, upper: 2, cost: 1)])
    try program.add(rows: [-1])
    program.solve()
    #expect(program.values.count == 1 && program.multipliers.count == 1)
    #expect(program.values[0] >= 1 - 1e-9)
  }

  /// Unbounded programs cannot be written down, and numbers that the solver chokes on are refused.
  @Test func infiniteNumbersAreRefused() throws {
    for column in [
      Column(lower: -.infinity, upper: 1, cost: 1), Column(lower: 0, upper: .infinity, cost: 1),
      Column(lower: 0, upper: 1, cost: .nan), Column(lower: .nan, upper: 1, cost: 0),
    ] {
      #expect(throws: LinearProgramError.notFinite) {
        let program = try LinearProgram([column])
        _ = program.rowCount
      }
    }
    var program = try corner()
    for row in [[1, .nan, 1], [1, 1, .infinity]] as [[Double]] {
      do throws(LinearProgramError) {
        try program.add(rows: row)
        Issue.record("\(row) was added")
      } catch {
        #expect(error == .notFinite)
      }
    }
    program.solve()
    #expect(program.rowCount == 2 && isClose(program.values, [2 / 3.0, 2 / 3.0, 1]))
  }

  // MARK: A larger program

  /// max t with <a_i, x> ≥ t, |x| ≤ 1, in twenty columns and t.
  private func wide(_ rows: ArraySlice<[Double]>) throws -> LinearProgram {
    let columns = [Column](repeating: Column(lower: -1, upper: 1, cost: 0), count: 20)
    var program = try LinearProgram(columns + [Column(lower: -99, upper: 99, cost: -1)])
    try program.add(rows: rows.flatMap { $0 })
    return program
  }

  /// The last two keep x from where the others are served best.
  private func rows(_ count: Int) -> [[Double]] {
    var generator = SplitMix64(seed: 4)
    return (0..<count).map { row in
      (0..<20).map { _ in Double.random(in: row < 60 ? -0.5...1 : -1...0.5, using: &generator) } + [-1]
    }
  }
}
