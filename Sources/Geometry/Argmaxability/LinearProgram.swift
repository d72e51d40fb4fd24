internal import CCLP

/// A linear program, kept by COIN-OR's CLP: minimise `Σ cost_j x_j` over bounded columns x, subject to rows
/// `Σ a_ij x_j ≥ 0`. Rows can be added, and the next solution starts from the last.
///
/// Solved by the dual simplex method without presolve, which calls some feasible programs infeasible. The solver's
/// status is ignored: its numbers are only candidates, which a `ProofChecker` checks.
struct LinearProgram: ~Copyable {
  struct Column {
    var lower: Double
    var upper: Double
    var cost: Double
  }

  private let model: UnsafeMutableRawPointer
  private let columns: Int
  private(set) var rowCount = 0
  /// Steps of the simplex method that the last call of ``solve(steps:)`` took.
  private(set) var steps: Int32 = 0

  /// A program of columns, without rows.
  /// - Throws: ``LinearProgramError`` if there is no memory, or a number is not finite.
  init(_ columns: [Column]) throws(LinearProgramError) {
    guard columns.allSatisfy({ $0.lower.isFinite && $0.upper.isFinite && $0.cost.isFinite }) else { throw .notFinite }
    guard let count = Int32(exactly: columns.count) else { throw .tooLarge }
    guard let model = Clp_newModel() else { throw .noMemory }
    self.model = model
    self.columns = columns.count
    Clp_setLogLevel(model, 0)
    Clp_addColumns(
      model, count, columns.map(\.lower), columns.map(\.upper), columns.map(\.cost),
      [CoinBigIndex](repeating: 0, count: columns.count + 1), nil, nil)
    Clp_setPerturbation(model, 50)  // ties are the rule where 0 is in a hull
    Clp_setPrimalTolerance(model, 1e-9)
    Clp_setDualTolerance(model, 1e-9)
  }

  deinit { Clp_deleteModel(model) }

  /// Adds rows, one after the other, each with one coefficient per column.
  /// - Throws: ``LinearProgramError`` if a coefficient is not finite: the solver, in C++, would end the process.
  mutating func add(rows coefficients: [Double]) throws(LinearProgramError) {
    guard coefficients.allSatisfy(\.isFinite) else { throw .notFinite }
    let count = coefficients.count / columns
    guard count > 0 else { return }
    guard let number = Int32(exactly: count), CoinBigIndex(exactly: coefficients.count) != nil else { throw .tooLarge }
    Clp_addRows(
      model, number, [Double](repeating: 0, count: count),
      [Double](repeating: .greatestFiniteMagnitude, count: count), (0...count).map { CoinBigIndex($0 * columns) },
      (0..<coefficients.count).map { Int32($0 % columns) }, coefficients)
    rowCount += count
  }

  /// Solves the program, in at most `steps` steps of the simplex method.
  mutating func solve(steps: Int32 = 200_000) {
    // The next call continues a solution that the limit cut short, and CLP continues to count.
    let before = Clp_isIterationLimitReached(model) != 0 ? Clp_numberIterations(model) : 0
    Clp_setMaximumIterations(model, before &+ steps)
    Clp_dual(model, 0)
    self.steps = Clp_numberIterations(model) - before
  }

  /// One value per column.
  var values: [Double] { copy(Clp_primalColumnSolution(model), columns) }

  /// One multiplier per row: how much the cost would grow with the row's lower bound.
  var multipliers: [Double] { copy(Clp_dualRowSolution(model), rowCount) }

  private func copy(_ numbers: UnsafeMutablePointer<Double>?, _ count: Int) -> [Double] {
    guard let numbers else { return [] }
    return Array(UnsafeBufferPointer(start: numbers, count: count))
  }
}

/// A linear program that is not given to the solver.
enum LinearProgramError: Error, Hashable, CustomStringConvertible {
  case noMemory
  case tooLarge
  case notFinite

  var description: String {
    switch self {
    case .noMemory: "there is no memory for a linear program"
    case .tooLarge: "the linear program is too large for its solver"
    case .notFinite: "a number of the linear program is not finite"
    }
  }
}
