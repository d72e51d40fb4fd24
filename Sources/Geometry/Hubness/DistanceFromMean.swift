extension VectorSource {
  /// The mean of all vectors, in Double.
  /// - Throws: `CancellationError`.
  package func mean() async throws -> [Double] {
    let (count, dimension) = (count, dimension)
    let sums = try await inParallel(count, blockSize: 512) { block in
      VectorReader.reading(self) { reader in
        var sums = [Double](repeating: 0, count: dimension)
        for row in block {
          reader.withVector(row) { vector in
            for channel in 0..<dimension { sums[channel] += Double(vector[channel]) }
          }
        }
        return sums
      }
    }
    return (0..<dimension).map { channel in sums.reduce(0) { $0 + $1[channel] } / Double(count) }
  }

  /// `|x - mean|` of every vector, in Double; where space is high-dimensional hubs are those near the mean.
  /// - Throws: `CancellationError`.
  public func distancesFromMean() async throws -> [Double] {
    try await distances(from: try await mean())
  }

  /// `|x - point|` of every vector, in Double.
  /// - Throws: `CancellationError`.
  package func distances(from point: [Double]) async throws -> [Double] {
    try await inParallel(count, blockSize: 512) { block in
      VectorReader.reading(self) { reader in
        block.map { row in reader.withVector(row) { squaredDistance($0, point).squareRoot() } }
      }
    }.flatMap { $0 }
  }
}

/// `|x - y|²`, summed in order.
func squaredDistance(_ x: UnsafePointer<Float>, _ y: [Double]) -> Double {
  var sum = 0.0
  for (channel, value) in y.enumerated() {
    let difference = Double(x[channel]) - value
    sum += difference * difference
  }
  return sum
}
