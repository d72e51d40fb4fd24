internal import Engine
internal import Geometry

extension ConformanceFamily { static let distances: ConformanceFamily = "distances" }

/// Stored Euclidean distances: equal vectors, squares that are too small, rows of the result longer than the columns.
extension ConformanceKit {
  static let storedDistancesCases: [ConformanceCase] = {
    var cases = [
      exact("one of each", small: true, rows: 1, columns: 1, channels: 1, seed: 1201),
      exact("two tiles", small: true, rows: 9, columns: 5, channels: 3, seed: 1202),
      exact("among themselves", small: true, rows: 9, columns: 9, channels: 2, seed: 1203) { $0.columns = $0.rows },
      exact("squares too small", small: true, rows: 9, columns: 9, channels: 2, squareScale: 0.5, seed: 1204) {
        $0.columns = $0.rows
      },
      exact("among themselves", rows: 129, columns: 129, channels: 16, seed: 1205) { $0.columns = $0.rows },
      exact("all equal", rows: 67, columns: 97, channels: 7, seed: 1206) { problem in
        problem.rows.fill { _, _, channel in Float(channel) / 8 }
        problem.columns.fill { _, _, channel in Float(channel) / 8 }
      },
    ]
    for (index, columns) in [1, 47, 48, 49, 63, 64, 65, 97].enumerated() {
      cases.append(exact("size", rows: 9, columns: columns, channels: 17, seed: 1210 + UInt64(index)))
    }
    for (index, rows) in [1, 7, 8, 9, 127, 128, 129].enumerated() {
      cases.append(exact("size", rows: rows, columns: 50, channels: 16, seed: 1220 + UInt64(index)))
    }
    for (index, channels) in [1, 2, 15, 16, 17, 31, 33, 64, 129].enumerated() {
      cases.append(exact("size", rows: 11, columns: 67, channels: channels, seed: 1230 + UInt64(index)))
    }
    for (index, channels) in [16, 17, 33, 129].enumerated() {
      // No two of these are near each other, so that a distance has about half the error of its square: that of twice the
      // score and of both lengths.
      let tolerance = Tolerance(absolute: 4e-7 * Double(channels + 4), relative: 4e-7)
      cases.append(
        distances(
          "rounded, 129 × 97, \(channels) channels", within: tolerance,
          problem(rows: 129, columns: 97, channels: channels, .uniform, seed: 1240 + UInt64(index))))
    }
    var copies = problem(rows: 50, columns: 50, channels: 33, .uniform, seed: 1250)
    copies.columns = copies.rows
    // Where the square should be 0, its error is all there is: the root of about 4e-7 · 33.
    cases.append(distances("rounded, among themselves", within: Tolerance(absolute: 5e-3), copies))
    return cases
  }()

  /// Squares are known to the bit, and their roots to 3 units in the last place, as OpenCL demands.
  private static func exact(
    _ title: String, small: Bool = false, rows: Int, columns: Int, channels: Int, squareScale: Float = 1, seed: UInt64,
    change: (inout PairwiseProblem) -> Void = { _ in }
  ) -> ConformanceCase {
    var problem = problem(rows: rows, columns: columns, channels: channels, .exact, seed: seed)
    change(&problem)
    return distances(
      "\(title), \(rows) × \(columns), \(channels) channels", small: small,
      within: Tolerance(absolute: 0, relative: 4e-7), squareScale: squareScale, problem)
  }

  private static func problem(
    rows: Int, columns: Int, channels: Int, _ draw: Draw, seed: UInt64
  ) -> PairwiseProblem {
    PairwiseProblem(
      rows: rows, columns: columns, rowLayout: VectorSet.Layout(channels: channels, before: 3, after: 1), draw,
      seed: seed)
  }

  private static func distances(
    _ title: String, small: Bool = false, within tolerance: Tolerance, squareScale: Float = 1,
    _ problem: PairwiseProblem
  ) -> ConformanceCase {
    ConformanceCase(.distances, title, small: small, within: tolerance) { workspace in
      func squares(_ set: VectorSet) throws -> Tensor {
        let squares = (0..<set.count).map { row in
          squareScale * Float(innerProduct(set.vector(row), set.vector(row)))
        }
        return try workspace.upload(squares + Poison.floats(1), set.count + 1)
      }
      // Longer rows than there are columns: what is left over must stay as it was.
      let out = try workspace.output(problem.rows.count, problem.columns.count + 2)
      let epilogue = StoredDistances(
        rowSquares: try squares(problem.rows), columnSquares: try squares(problem.columns), into: out)
      try workspace.append(problem.stage(in: &workspace).handing(to: epilogue))
      return [out]
    }
  }
}
