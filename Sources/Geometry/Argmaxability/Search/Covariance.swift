/// The covariance of the classes' vectors, ready to be divided by.
struct Covariance {
  private let dimension: Int
  /// Cholesky's factor L, row major, lower triangle.
  private let factor: [Double]

  /// The covariance of a layer's vectors; nil if they have no spread at all.
  init?(_ classes: OutputClasses) {
    let dimension = classes.dimension
    // Eight vectors a dimension say enough about a direction that is only a guess.
    let step = max(1, classes.count / max(4096, 8 * classes.dimension))
    let sample = stride(from: 0, to: classes.count, by: step).map { classes.row($0).map(Double.init) }
    let count = Double(sample.count)
    var mean = [Double](repeating: 0, count: dimension)
    for row in sample { for j in mean.indices { mean[j] += row[j] / count } }
    var matrix = [Double](repeating: 0, count: dimension * dimension)
    matrix.withUnsafeMutableBufferPointer { matrix in
      for row in sample {
        let centred = zip(row, mean).map { $0 - $1 }
        for j in 0..<dimension {
          let x = centred[j] / count
          for l in 0...j { matrix[j * dimension + l] += x * centred[l] }
        }
      }
    }
    let trace = (0..<dimension).reduce(0) { $0 + matrix[$1 * dimension + $1] }
    guard trace > 0, trace.isFinite else { return nil }
    // A little of the identity keeps columns without spread from counting for everything.
    for j in 0..<dimension { matrix[j * dimension + j] += 1e-6 * trace / Double(dimension) }
    guard let factor = Self.choleskyFactor(matrix, dimension) else { return nil }
    self.dimension = dimension
    self.factor = factor
  }

  /// `Σ⁻¹ x`.
  func solve(_ x: [Double]) -> [Double] {
    var y = x
    for j in 0..<dimension {
      for l in 0..<j { y[j] -= factor[j * dimension + l] * y[l] }
      y[j] /= factor[j * dimension + j]
    }
    for j in (0..<dimension).reversed() {
      y[j] /= factor[j * dimension + j]
      for l in 0..<j { y[l] -= factor[j * dimension + l] * y[j] }
    }
    return y
  }

  private static func choleskyFactor(_ matrix: [Double], _ size: Int) -> [Double]? {
    var l = matrix
    let isPositive = l.withUnsafeMutableBufferPointer { l -> Bool in
      for j in 0..<size {
        for column in 0...j {
          var sum = l[j * size + column]
          for inner in 0..<column { sum -= l[j * size + inner] * l[column * size + inner] }
          if column < j {
            l[j * size + column] = sum / l[column * size + column]
          } else {
            guard sum > 0 else { return false }
            l[j * size + j] = sum.squareRoot()
          }
        }
      }
      return true
    }
    return isPositive ? l : nil
  }
}
