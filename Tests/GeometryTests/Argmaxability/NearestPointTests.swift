import Engine
import Testing

@testable import Geometry

/// The solver of programs by the nearest point of a hull, on cases that can be worked out by hand or from what defines it.
@Suite struct NearestPointTests {
  private func isClose(_ numbers: [Double], _ expected: [Double]) -> Bool {
    numbers.count == expected.count && zip(numbers, expected).allSatisfy { abs($0 - $1) < 1e-12 }
  }

  /// Two unit vectors and a third between them, which does not matter: the nearest point is halfway between the two.
  @Test func theDirectionThatAllAreFurthestAlong() throws {
    let solver = NearestPoint(width: 2)
    try solver.add(rows: [1, 0, 0.6, 0.8])
    let solution = solver.solve(steps: 100)
    // (0.8, 0.4), at right angles to (0.4, -0.8).
    #expect(isClose(solution.direction, [1, 0.5]) && !solution.isWithoutMargin)
    #expect(isClose(solution.multipliers, [0.5, 0.5]))
    try solver.add(rows: [0.8, 0.6])
    #expect(isClose(solver.solve(steps: 100).direction, [1, 0.5]))
    // Another takes the place of (0.6, 0.8): halfway to (0, 1) is (0.5, 0.5).
    try solver.add(rows: [0, 1])
    let next = solver.solve(steps: 100)
    #expect(isClose(next.direction, [1, 1]) && isClose(next.multipliers, [0.5, 0, 0, 0.5]))
  }

  @Test func multipliersThatCombineToZero() throws {
    let solver = NearestPoint(width: 2)
    try solver.add(rows: [1, 0, 0, 1, -0.6, -0.8])
    let solution = solver.solve(steps: 100)
    // 0.6 · (1, 0) + 0.8 · (0, 1) + (-0.6, -0.8) is 0.
    #expect(solution.isWithoutMargin && isClose(solution.multipliers, [0.25, 1 / 3.0, 1 / 2.4]))
    #expect(solution.direction == [0, 0])
  }

  /// Steps run out, and the next call goes on.
  @Test func aLimitOfStepsIsKept() throws {
    let points = points(60, width: 12, seed: 1)
    let (stopped, whole) = (NearestPoint(width: 12), NearestPoint(width: 12))
    try stopped.add(rows: points.flatMap { $0 })
    try whole.add(rows: points.flatMap { $0 })
    #expect(isClose(stopped.solve(steps: 0).multipliers, [1] + [Double](repeating: 0, count: 59)))
    #expect(stopped.solve(steps: 2).multipliers.count { $0 > 0 } <= 3)
    let (rest, all) = (stopped.solve(steps: 1000), whole.solve(steps: 1000))
    #expect(isClose(rest.direction, all.direction) && rest.isWithoutMargin == all.isWithoutMargin)
  }

  /// What defines the point: weights of sum 1 that give it, and no point less far along it.
  @Test(arguments: [(5, 3), (40, 8), (100, 20), (300, 20), (90, 60)])
  func noPointIsLessFar(count: Int, width: Int) throws {
    for seed in 1...8 as ClosedRange<UInt64> {
      let points = points(count, width: width, seed: seed)
      let solver = NearestPoint(width: width)
      // In parts, so that it goes on from earlier solutions.
      for start in stride(from: 0, to: count, by: 17) {
        try solver.add(rows: points[start..<min(start + 17, count)].flatMap { $0 })
        _ = solver.solve(steps: 10_000)
      }
      let solution = solver.solve(steps: 10_000)
      #expect(solution.multipliers.allSatisfy { $0 >= 0 } && abs(solution.multipliers.reduce(0, +) - 1) < 1e-12)
      #expect(solution.multipliers.count { $0 > 0 } <= width + 1)
      let nearest = (0..<width).map { column in
        zip(points, solution.multipliers).reduce(0) { $0 + $1.0[column] * $1.1 }
      }
      let squares = nearest.reduce(0) { $0 + $1 * $1 }
      #expect(solution.isWithoutMargin == (squares < 1e-20))
      guard !solution.isWithoutMargin else { continue }
      for point in points {
        #expect(zip(point, nearest).reduce(0) { $0 + $1.0 * $1.1 } > squares * (1 - 1e-6))
      }
    }
  }

  @Test func infiniteNumbersAreRefused() {
    let solver = NearestPoint(width: 2)
    #expect(throws: LinearProgramError.notFinite) { try solver.add(rows: [1, .nan]) }
    #expect(throws: LinearProgramError.notFinite) { try solver.add(rows: [.infinity, 0]) }
    #expect(solver.solve(steps: 10).direction == [0, 0])
  }

  /// Random unit vectors, more of them on one side of a plane.
  private func points(_ count: Int, width: Int, seed: UInt64) -> [[Double]] {
    let numbers = Draws.gaussian(count, width, seed: seed)
    return (0..<count).map { row in
      var point = numbers[row * width..<(row + 1) * width].map { Double($0) }
      point[0] += seed.isMultiple(of: 2) ? 0 : 2
      let length = point.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return point.map { $0 / length }
    }
  }
}
