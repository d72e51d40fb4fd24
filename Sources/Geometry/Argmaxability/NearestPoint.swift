/// The point nearest to 0 in the convex hull of points that can be added, by Wolfe's method ("Finding the nearest point
/// in a polytope", 1976).
///
/// The nearest point x has `<p_i, x> ≥ ‖x‖²` for all points. So if it is not 0 it is the direction that all points are
/// furthest along. If it is 0 a convex combination of the points is, and Wolfe's method ends with one of affinely
/// independent points: a corral. A step adds the point that is least far along x, moves towards the nearest point of the
/// corral's affine hull, and drops points whose weight reaches 0. ‖x‖ falls with every step, so that it ends.
///
/// The affine hull's nearest point follows from `G u = (1, …, 1)`, where `G_kl = 1 + <p_k, p_l>`. Its Cholesky factor is
/// kept from step to step: one costs O(m² + m·width) for m points in the corral.
///
/// A program of as many dense rows takes a simplex method the factorisation of a dense basis every few dozen steps.
final class NearestPoint: ProgramSolver {
  private let width: Int
  /// `[count, width]`: the points, each of length 1.
  private var points: [Double] = []
  private var count: Int { isInCorral.count }
  private var isInCorral: [Bool] = []
  /// The points whose combination x is.
  private var corral: [Int] = []
  /// Their weights: positive, with sum 1.
  private var weights: [Double] = []
  /// The lower Cholesky factor L of G, row k from k·(k + 1)/2 on.
  private var factor: [Double] = []
  /// `L⁻¹ (1, …, 1)`.
  private var solved: [Double] = []
  private var nearest: [Double]
  private var squares = Double.infinity

  /// Below these the method takes numbers for 0. Nothing but what is tried depends on them.
  private enum Tolerance {
    /// How much less far along x than x itself a point must be, next to ‖x‖², and at least: rounding of x is as large.
    static let gap = 1e-9
    static let leastGap = 1e-15
    /// The square of a point's distance from the corral's affine hull.
    static let independence = 1e-13
    /// ‖x‖ itself, the points' lengths being 1.
    static let length = 1e-12
  }

  init(width: Int) {
    self.width = width
    nearest = [Double](repeating: 0, count: width)
  }

  func add(rows: [Double]) throws(LinearProgramError) {
    guard rows.allSatisfy(\.isFinite) else { throw .notFinite }
    points += rows
    isInCorral += [Bool](repeating: false, count: rows.count / width)
  }

  func solve(steps: Int32) -> ProgramSolution {
    if corral.isEmpty, count > 0, append(0) { weights = [1] }
    combine()
    var step: Int32 = 0
    while step < steps, let entering = entering(), !Task.isCancelled {
      step += 1
      let before = squares
      guard append(entering) else { break }
      weights.append(0)
      descend()
      combine()
      // Rounding alone is left.
      guard squares < before else { break }
    }
    polish()
    let isZero = squares <= Tolerance.length * Tolerance.length
    let largest = nearest.reduce(0) { max($0, abs($1)) }
    var multipliers = [Double](repeating: 0, count: count)
    for (point, weight) in zip(corral, weights) { multipliers[point] = weight }
    return ProgramSolution(
      direction: isZero || largest == 0 ? [Double](repeating: 0, count: width) : nearest.map { $0 / largest },
      isWithoutMargin: isZero, multipliers: multipliers)
  }

  // MARK: Steps

  /// The point that is least far along x and not in the affine hull of the corral; nil if none is less far than x.
  private func entering() -> Int? {
    let limit = squares - max(Tolerance.gap * squares, Tolerance.leastGap)
    var best: (place: Int, value: Double)?
    points.withUnsafeBufferPointer { points in
      nearest.withUnsafeBufferPointer { nearest in
        guard let points = points.baseAddress, let nearest = nearest.baseAddress else { return }
        for place in 0..<count where !isInCorral[place] {
          let value = innerProduct(points + place * width, nearest, width)
          if value < limit, value < best?.value ?? .infinity { best = (place, value) }
        }
      }
    }
    return best?.place
  }

  /// Moves towards the nearest point of the affine hull, and drops points, until it is inside the corral's hull.
  private func descend() {
    while true {
      let goal = affineWeights(affineSolution())
      var (share, leaving) = (1.0, -1)
      for place in goal.indices where !(goal[place] > 0) {
        let possible = weights[place] / (weights[place] - goal[place])
        if leaving < 0 || possible < share { (share, leaving) = (possible, place) }
      }
      guard leaving >= 0 else {
        weights = goal
        return
      }
      for place in goal.indices { weights[place] += share * (goal[place] - weights[place]) }
      weights[leaving] = 0
      for place in goal.indices.reversed() where !(weights[place] > 0) { remove(place) }
      // Only rounding could leave none.
      guard !corral.isEmpty else { return }
    }
  }

  /// `x = Σ weight · p`.
  private func combine() {
    nearest = combination(weights)
    squares = corral.isEmpty ? .infinity : nearest.reduce(0) { $0 + $1 * $1 }
  }

  /// Corrects the weights by what the equations miss with them.
  private func polish() {
    guard !corral.isEmpty else { return }
    var solution = affineSolution()
    let total = solution.reduce(0, +)
    let point = combination(solution)
    var rest = [Double](repeating: 0, count: corral.count)
    points.withUnsafeBufferPointer { points in
      point.withUnsafeBufferPointer { point in
        guard let points = points.baseAddress, let point = point.baseAddress else { return }
        for (place, member) in corral.enumerated() {
          rest[place] = 1 - total - innerProduct(points + member * width, point, width)
        }
      }
    }
    solveForward(&rest, from: 0)
    solveBackward(&rest)
    for place in solution.indices { solution[place] += rest[place] }
    let polished = affineWeights(solution)
    guard polished.allSatisfy({ $0 > 0 }) else { return }
    let before = (weights, nearest, squares)
    weights = polished
    combine()
    if !(squares <= before.2) { (weights, nearest, squares) = before }
  }

  private func combination(_ factors: [Double]) -> [Double] {
    var sum = [Double](repeating: 0, count: width)
    points.withUnsafeBufferPointer { points in
      sum.withUnsafeMutableBufferPointer { sum in
        guard let points = points.baseAddress, let sum = sum.baseAddress else { return }
        for (member, factor) in zip(corral, factors) { addProduct(factor, points + member * width, to: sum, width) }
      }
    }
    return sum
  }

  // MARK: The factor

  private static func start(_ row: Int) -> Int { row * (row + 1) / 2 }

  /// Adds a point to the corral, without a weight.
  /// - Returns: whether it is affinely independent of the others.
  private func append(_ point: Int) -> Bool {
    let size = corral.count
    var row = [Double](repeating: 0, count: size + 1)
    var whole = 0.0
    points.withUnsafeBufferPointer { points in
      guard let points = points.baseAddress else { return }
      let own = points + point * width
      for (place, member) in corral.enumerated() { row[place] = 1 + innerProduct(own, points + member * width, width) }
      whole = 1 + innerProduct(own, own, width)
    }
    solveForward(&row, from: 0, to: size)
    let squares = row[..<size].reduce(0) { $0 + $1 * $1 }
    guard whole - squares > Tolerance.independence * whole else { return false }
    row[size] = (whole - squares).squareRoot()
    factor += row
    solved.append(1)
    solveForward(&solved, from: size)
    corral.append(point)
    isInCorral[point] = true
    return true
  }

  /// Drops a point from the corral. Without its row the factor has elements next to the diagonal, which rotations of
  /// columns remove.
  private func remove(_ place: Int) {
    isInCorral[corral.remove(at: place)] = false
    weights.remove(at: place)
    let size = corral.count
    var rotations: [(cosine: Double, sine: Double)] = []
    factor.withUnsafeMutableBufferPointer { factor in
      for row in place..<size {
        let (from, to) = (Self.start(row + 1), Self.start(row))
        for (offset, rotation) in rotations.enumerated() {
          let (first, second) = (factor[from + place + offset], factor[from + place + offset + 1])
          factor[from + place + offset] = rotation.cosine * first + rotation.sine * second
          factor[from + place + offset + 1] = rotation.cosine * second - rotation.sine * first
        }
        let (first, second) = (factor[from + row], factor[from + row + 1])
        let length = (first * first + second * second).squareRoot()
        rotations.append((first / length, second / length))
        for column in 0..<row { factor[to + column] = factor[from + column] }
        factor[to + row] = length
      }
    }
    factor.removeLast(factor.count - Self.start(size))
    solved.removeLast()
    for row in place..<size { solved[row] = 1 }
    solveForward(&solved, from: place)
  }

  /// The solution u of `G u = (1, …, 1)`.
  private func affineSolution() -> [Double] {
    var solution = solved
    solveBackward(&solution)
    return solution
  }

  private func affineWeights(_ solution: [Double]) -> [Double] {
    let total = solution.reduce(0, +)
    return solution.map { $0 / total }
  }

  /// `L⁻¹` of a vector, whose elements before `first` are solved already; those from `end` on stay.
  private func solveForward(_ vector: inout [Double], from first: Int, to end: Int? = nil) {
    let end = end ?? vector.count
    factor.withUnsafeBufferPointer { factor in
      vector.withUnsafeMutableBufferPointer { vector in
        guard let factor = factor.baseAddress, let vector = vector.baseAddress else { return }
        for row in first..<end {
          let start = factor + Self.start(row)
          vector[row] = (vector[row] - innerProduct(start, vector, row)) / start[row]
        }
      }
    }
  }

  /// `L⁻ᵀ` of a vector.
  private func solveBackward(_ vector: inout [Double]) {
    factor.withUnsafeBufferPointer { factor in
      vector.withUnsafeMutableBufferPointer { vector in
        guard let factor = factor.baseAddress, let base = vector.baseAddress else { return }
        for row in vector.indices.reversed() {
          let start = factor + Self.start(row)
          base[row] /= start[row]
          addProduct(-base[row], start, to: base, row)
        }
      }
    }
  }
}

/// `<x, y>`, in sixteen partial sums.
@inline(__always)
private func innerProduct(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
  typealias Lanes = SIMD8<Double>
  let (first, second) = (UnsafeRawPointer(x), UnsafeRawPointer(y))
  func lanes(_ pointer: UnsafeRawPointer, _ place: Int) -> Lanes {
    pointer.loadUnaligned(fromByteOffset: place * MemoryLayout<Double>.size, as: Lanes.self)
  }
  var (even, odd) = (Lanes.zero, Lanes.zero)
  var place = 0
  while place + 16 <= count {
    even += lanes(first, place) * lanes(second, place)
    odd += lanes(first, place + 8) * lanes(second, place + 8)
    place += 16
  }
  var sum = (even + odd).sum()
  while place < count {
    sum += x[place] * y[place]
    place += 1
  }
  return sum
}

/// `y += factor · x`
@inline(__always)
private func addProduct(
  _ factor: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int
) {
  for place in 0..<count { y[place] += factor * x[place] }
}
