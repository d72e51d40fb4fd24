internal import CLAPACKE

/// Mean and covariance of some vectors, in Double.
///
///     mean = Σ x / n          covariance = Σ (x - mean)(x - mean)ᵀ / (n - 1)
///
/// Sums run over the vectors in their order, a strip of the covariance's columns a task: their bits do not depend on how
/// many processors there are.
struct SampleMoments: Sendable {
  let count: Int
  let mean: [Double]
  /// `[d, d]`, symmetric.
  let covariance: [Double]

  private static let blockSize = 512
  private static let stripWidth = 64

  /// - Throws: `GeometryError` if there are fewer than two vectors, or a number is not finite.
  init(of source: some VectorSource, named name: String) async throws {
    let (count, dimension) = (source.count, source.dimension)
    guard count > 1 else { throw GeometryError("\(name): one vector alone has no covariance; at least two are needed") }
    let sums = try await inParallel(count, blockSize: Self.blockSize) { rows in
      let floats = source.floats(rows)
      var sum = [Double](repeating: 0, count: dimension)
      for (place, value) in floats.enumerated() { sum[place % dimension] += Double(value) }
      if let bad = sum.firstIndex(where: { !$0.isFinite }) {
        let row = rows.lowerBound + (floats.indices.first { !floats[$0].isFinite } ?? bad) / dimension
        throw GeometryError("\(name): vector \(row) holds a number that is not finite")
      }
      return sum
    }
    let mean = (0..<dimension).map { channel in sums.reduce(0) { $0 + $1[channel] } / Double(count) }

    let strips = try await inParallel(dimension, blockSize: Self.stripWidth) { columns in
      var strip = [Double](repeating: 0, count: columns.count * dimension)
      for first in stride(from: 0, to: count, by: Self.blockSize) {
        let rows = first..<min(count, first + Self.blockSize)
        let centred = Self.centred(source.floats(rows), mean)
        centred.withUnsafeBufferPointer { centred in
          guard let all = centred.baseAddress else { return }
          // strip += centred[:, columns]ᵀ · centred
          cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, Int32(columns.count), Int32(dimension), Int32(rows.count), 1,
            all + columns.lowerBound, Int32(dimension), all, Int32(dimension), 1, &strip, Int32(dimension))
        }
      }
      return strip
    }
    self.count = count
    self.mean = mean
    covariance = strips.flatMap { $0 }.map { $0 / Double(count - 1) }
  }

  private static func centred(_ floats: [Float], _ mean: [Double]) -> [Double] {
    [Double](unsafeUninitializedCapacity: floats.count) { values, count in
      for place in floats.indices {
        values.initializeElement(at: place, to: Double(floats[place]) - mean[place % mean.count])
      }
      count = floats.count
    }
  }
}
