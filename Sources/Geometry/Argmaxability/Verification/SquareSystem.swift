/// A square linear system whose solution is enclosed between rigorous bounds.
///
/// With an approximate inverse R and `δ ≥ ‖I - R·P‖∞ < 1` the matrix P is regular, and for any x̃ the exact solution of
/// `P·x = t` satisfies `‖x - x̃‖∞ ≤ ‖R·(t - P·x̃)‖∞ / (1 - δ)` (Rump, "Verification methods", 2010, section 10).
struct SquareSystem {
  /// Which equations of a larger system these are.
  let pivots: [Int]
  private let target: [Double]
  private let size: Int
  /// `[size, size]`, row major; exact.
  private let matrix: [Double]
  private let inverse: [Double]
  /// No less than δ.
  private let defect: Double

  /// A system; nil if the matrix cannot be told from a singular one.
  init?(matrix: [Double], target: [Double], pivots: [Int]) {
    size = target.count
    guard let inverse = Self.approximateInverse(of: matrix, size: size) else { return nil }
    let defect = Self.defect(matrix, inverse, size: size)
    guard defect < 0.1 else { return nil }
    (self.pivots, self.target, self.matrix, self.inverse, self.defect) = (pivots, target, matrix, inverse, defect)
  }

  /// The solution, from a start close to it: each exact element is within `radius` of its value.
  func enclosure(near start: [Double]) -> (values: [Double], radius: Double) {
    var values = start
    var residual = [Double](repeating: 0, count: size)
    var errors = residual
    for step in 0...3 {
      for row in 0..<size {
        var sum = CompensatedSum()
        sum.add(target[row], times: 1)
        for column in 0..<size { sum.add(-matrix[row * size + column], times: values[column]) }
        residual[row] = sum.value
        errors[row] = sum.magnitudeBound
      }
      guard step < 3 else { break }
      for row in 0..<size {
        var change = 0.0
        for column in 0..<size { change += inverse[row * size + column] * residual[column] }
        values[row] += change
      }
    }
    var radius = 0.0
    for row in 0..<size {
      var sum = 0.0
      for column in 0..<size { sum += abs(inverse[row * size + column]) * errors[column] }
      guard sum.isFinite else { return (values, .infinity) }
      radius = max(radius, sum)
    }
    return (values, radius / (1 - defect) * (1 + Double(size + 16) * 0x1p-52) + .leastNormalMagnitude)
  }

  /// Row `row` of the approximate inverse.
  func inverseRow(_ row: Int) -> ArraySlice<Double> { inverse[row * size..<(row + 1) * size] }

  /// Gauss and Jordan's elimination in place, with row pivots.
  private static func approximateInverse(of matrix: [Double], size: Int) -> [Double]? {
    var work = matrix
    var order = Array(0..<size)
    let isRegular = work.withUnsafeMutableBufferPointer { a -> Bool in
      for step in 0..<size {
        var best = step
        for row in step..<size where abs(a[row * size + step]) > abs(a[best * size + step]) { best = row }
        let pivot = a[best * size + step]
        guard pivot != 0, pivot.isFinite else { return false }
        if best != step {
          order.swapAt(best, step)
          for column in 0..<size { a.swapAt(best * size + column, step * size + column) }
        }
        a[step * size + step] = 1
        for column in 0..<size { a[step * size + column] /= pivot }
        for row in 0..<size where row != step {
          let factor = a[row * size + step]
          guard factor != 0 else { continue }
          a[row * size + step] = 0
          for column in 0..<size { a[row * size + column] -= factor * a[step * size + column] }
        }
      }
      return true
    }
    guard isRegular else { return nil }
    // The rows were permuted, so the inverse's columns are.
    var inverse = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0..<size { inverse[row * size + order[column]] = work[row * size + column] }
    }
    return inverse
  }

  /// No less than `‖I - R·P‖∞`: the computed product, and for each of its elements γ·(|R|·|P| + 1).
  private static func defect(_ matrix: [Double], _ inverse: [Double], size: Int) -> Double {
    let rowSums = (0..<size).map { row in matrix[row * size..<(row + 1) * size].reduce(0) { $0 + abs($1) } }
    let gamma = Double(size + 8) * 0x1p-53 * 1.01
    var largest = 0.0
    var product = [Double](repeating: 0, count: size)
    for row in 0..<size {
      for column in 0..<size { product[column] = 0 }
      product[row] = -1
      var reach = 1.0
      product.withUnsafeMutableBufferPointer { product in
        matrix.withUnsafeBufferPointer { matrix in
          for inner in 0..<size {
            let factor = inverse[row * size + inner]
            reach += abs(factor) * rowSums[inner]
            for column in 0..<size { product[column] += factor * matrix[inner * size + column] }
          }
        }
      }
      let sum = product.reduce(0) { $0 + abs($1) } + gamma * reach
      guard sum.isFinite else { return .infinity }
      largest = max(largest, sum)
    }
    return largest * (1 + Double(size + 16) * 0x1p-52)
  }
}
