/// What one look at all vectors tells: whether they can be used, how large they are, and which are alike.
struct VectorSurvey: Sendable {
  let count: Int
  /// The largest magnitude of an element.
  var largest: Float
  /// That of each vector.
  var magnitudes: [Float]
  /// Whether all elements are whole numbers.
  var isIntegral: Bool
  /// A number for each vector, the same for equal ones.
  var hashes: [UInt64]

  private static let blockSize = 512

  /// Looks at all vectors.
  /// - Throws: `GeometryError` if an element is not finite, or a vector without direction is to have one.
  init(of source: some VectorSource, metric: Metric, name: String) async throws {
    let stored = (source as? VectorFile).map { file in
      { @Sendable (row: Int, channel: Int) in file.element(row, channel) }
    }
    let parts = try await inParallel(source.count, blockSize: Self.blockSize) { block in
      try VectorReader.reading(source) { reader in
        try Part(of: reader, block, dimension: source.dimension, metric: metric, name: name, stored)
      }
    }
    count = source.count
    largest = 0
    isIntegral = true
    (hashes, magnitudes) = ([], [])
    hashes.reserveCapacity(source.count)
    magnitudes.reserveCapacity(source.count)
    for part in parts {
      largest = max(largest, part.largest)
      isIntegral = isIntegral && part.isIntegral
      hashes += part.hashes
      magnitudes += part.magnitudes
    }
  }

  private struct Part: Sendable {
    var largest: Float = 0
    var isIntegral = true
    var hashes: [UInt64] = []
    var magnitudes: [Float] = []

    init(
      of reader: VectorReader, _ block: Range<Int>, dimension: Int, metric: Metric, name: String,
      _ stored: ((Int, Int) -> Double)?
    ) throws {
      hashes.reserveCapacity(block.count)
      magnitudes.reserveCapacity(block.count)
      for row in block {
        try reader.withVector(row) { vector in
          let (hash, magnitude) = examine(vector, dimension)
          guard magnitude.isFinite else { throw notFinite(vector, dimension, row, name, stored) }
          largest = max(largest, magnitude)
          hashes.append(hash)
          magnitudes.append(magnitude)
          try require(
            metric != .cosine || magnitude > 0,
            "\(name) \(row) is all zeros and has no direction: leave it out, or use another metric than cosine")
        }
      }
    }

    /// A vector's hash (after MurmurHash's mixing, Appleby 2011) and its largest magnitude, NaN above all.
    private mutating func examine(_ vector: UnsafePointer<Float>, _ dimension: Int) -> (UInt64, Float) {
      var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
      var magnitude: UInt32 = 0
      var isIntegral = true
      for channel in 0..<dimension {
        // Zeros of both signs are alike.
        let value = vector[channel] + 0
        hash = (hash ^ UInt64(value.bitPattern)) &* 0xFF51_AFD7_ED55_8CCD
        hash ^= hash >> 29
        magnitude = max(magnitude, value.bitPattern & 0x7FFF_FFFF)
        isIntegral = isIntegral && value.rounded(.towardZero) == value
      }
      self.isIntegral = self.isIntegral && isIntegral
      return (hash, Float(bitPattern: magnitude))
    }
  }
}

private func notFinite(
  _ vector: UnsafePointer<Float>, _ dimension: Int, _ row: Int, _ name: String, _ stored: ((Int, Int) -> Double)?
) -> GeometryError {
  let channel = (0..<dimension).first { !vector[$0].isFinite } ?? 0
  if let value = stored?(row, channel), value.isFinite {
    return GeometryError(
      "\(name) \(row) has \(value) at \(channel), which is beyond float32, at most "
        + "\(Float.greatestFiniteMagnitude): scale the vectors down")
  }
  return GeometryError("\(name) \(row) has \(vector[channel]) at \(channel), where a finite number is expected")
}
