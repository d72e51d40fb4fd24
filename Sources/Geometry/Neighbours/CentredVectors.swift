internal import Engine
internal import Memory

/// How vectors are brought to a device: centred and scaled, since a common offset would cancel in float32.
///
///     w = (x - c) · s          c in the middle of the reference set, s a power of two; cosine: of x / |x|
///
///     euclidean, cosine        <w_i, w_j> - |w_j|² / 2        greatest for the nearest
///     inner product            <w_i, w_j> + <s c, w_j>        differs from s² <x_i, x_j> by the same for all j
///
/// Whole numbers stay whole: then, if they are small enough, every number on the device is exact. Others are scaled
/// up as far as float32 can hold their products, so that vectors much smaller than the largest are not lost in underflow.
struct CentredVectors: Sendable {
  let metric: Metric
  let dimension: Int
  let isIntegral: Bool
  let scale: Double
  private let center: [Double]

  /// The largest length of a vector on the device, up to rounding: a product and a term then stay below 2¹²⁴.
  private static let longest = 0x1p60
  private static let most = 4 * longest * longest
  /// The magnitude that the others keep where some vectors are longer by more than float32's range of products.
  private static let usual = 0x1p-40
  /// Stands for the value of a vector that is too long for the device: less than all others.
  private static let leastTerm: Float = -0x1p126

  /// - Parameters:
  ///   - metric: how distances are measured.
  ///   - source: the reference set.
  ///   - reference: its survey.
  ///   - queries: the survey of other vectors that are brought to the device.
  ///   - outliers: the magnitudes of distinct vectors, and how many of the largest may be set aside. A vector that is set
  ///     aside is zero on the device, its length infinite, and its value below that of all others.
  /// - Throws: the source's error.
  init(
    _ metric: Metric, around source: some VectorSource, reference: VectorSurvey, queries: VectorSurvey?,
    outliers: (magnitudes: [Float], limit: Int)? = nil
  ) throws {
    self.metric = metric
    dimension = source.dimension
    // Larger float32 numbers are always whole.
    let largest = max(reference.largest, queries?.largest ?? 0)
    isIntegral = metric != .cosine && reference.isIntegral && queries?.isIntegral != false && largest < 0x1p22
    center = try Self.middle(of: source, metric)
    guard !isIntegral, metric != .cosine, largest > 0 else {
      scale = 1
      return
    }
    // `|w| <= s (|x| + |c|) <= 2 s √d largest`.
    let fitting = Self.longest / (2 * Double(dimension).squareRoot() * Double(largest))
    // Where that would lose all but a few vectors, those few are set aside.
    let others = outliers.map { Double(Self.next(after: $0.limit, of: $0.magnitudes)) } ?? 0
    let wanted = others > 0 ? max(fitting, Self.usual / others) : fitting
    scale = Double(sign: .plus, exponent: Int(wanted.exponent), significand: 1)
  }

  /// The largest of some magnitudes after so many larger ones; 0 if there are no more.
  private static func next(after limit: Int, of magnitudes: [Float]) -> Float {
    // One pass that keeps the largest, ascending: nearly all numbers are not among them.
    var largest: [Float] = []
    for magnitude in magnitudes where largest.count <= limit || magnitude > largest[0] {
      if largest.count > limit { largest.removeFirst() }
      let place = largest.firstIndex { $0 >= magnitude } ?? largest.endIndex
      largest.insert(magnitude, at: place)
    }
    return largest.count > limit ? largest[0] : 0
  }

  /// Vectors that the middle is found from.
  private static let sampleSize = 255

  /// The median of each channel, of vectors spread over the set: unlike a mean it stays where most vectors are, however
  /// far out a few lie. The median of whole numbers is a whole number.
  private static func middle(of source: some VectorSource, _ metric: Metric) throws -> [Double] {
    let (count, dimension) = (source.count, source.dimension)
    // An odd number, so that one of them is in the middle.
    let size = min(sampleSize, (count - 1) / 2 * 2 + 1)
    return try VectorReader.reading(source) { reader in
      var columns = [Float](repeating: 0, count: size * dimension)
      for place in 0..<size {
        try reader.withVector(place * count / size) { vector in
          let factor = metric == .cosine ? 1 / norm(of: vector, dimension) : 1
          for channel in 0..<dimension { columns[channel * size + place] = Float(Double(vector[channel]) * factor) }
        }
      }
      return (0..<dimension).map { channel in
        Double(columns[channel * size..<(channel + 1) * size].sorted()[size / 2])
      }
    }
  }

  /// `|s c|`, which bounds what `<s c, w>` can be.
  var centerNorm: Double { scale * center.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// A block of vectors as they go to the device.
  struct Block: Sendable {
    var elements: [Float] = []
    /// `|w|` of each, infinite for those that are set aside.
    var norms: [Double] = []
    /// What is added to a column's products.
    var terms: [Float] = []
    /// `<s c, w>` of each; inner product only.
    var centerProducts: [Double] = []
  }

  /// Elements that are converted before they are appended to the rest: 8 MiB.
  private static let chunkElements = 1 << 21

  /// Brings vectors to the device's form, in parallel.
  /// - Throws: `EngineError` of kind `exhausted` if there is no memory for them; the source's error.
  func block(_ indices: ArraySlice<Int32>, of source: some VectorSource) async throws -> Block {
    do { try HostAllocation.check(4 * indices.count * dimension) } catch {
      throw EngineError(.exhausted, "a copy of \(indices.count) vectors \(error.description)")
    }
    var block = Block()
    block.elements.reserveCapacity(indices.count * dimension)
    // Some at a time, so that not all are in memory twice.
    let size = max(256, Self.chunkElements / dimension)
    for start in stride(from: indices.startIndex, to: indices.endIndex, by: size) {
      let chunk = indices[start..<min(start + size, indices.endIndex)]
      let parts = try await inParallel(chunk.count, blockSize: 64) { range in
        try VectorReader.reading(source) { reader in
          try part(chunk[start + range.lowerBound..<start + range.upperBound], reader)
        }
      }
      for part in parts {
        block.elements += part.elements
        block.norms += part.norms
        block.terms += part.terms
        block.centerProducts += part.centerProducts
      }
    }
    return block
  }

  private func part(_ indices: ArraySlice<Int32>, _ reader: VectorReader) throws -> Block {
    var block = Block()
    block.elements = try [Float](unsafeUninitializedCapacity: indices.count * dimension) { elements, count in
      try reader.withVectors(indices) { vectors in
        for (place, vector) in vectors.enumerated() {
          let row = UnsafeMutableBufferPointer(rebasing: elements[place * dimension..<(place + 1) * dimension])
          let factor = metric == .cosine ? 1 / norm(of: vector, dimension) : 1
          var exponents: UInt32 = 0
          for channel in 0..<dimension {
            exponents = max(exponents, vector[channel].bitPattern & 0x7F80_0000)
            row.initializeElement(
              at: channel, to: Float((Double(vector[channel]) * factor - center[channel]) * scale))
          }
          // The survey has seen finite numbers. No list with a NaN is ever proven, and each would be searched to the end.
          try require(
            exponents < 0x7F80_0000,
            "vector \(indices[indices.startIndex + place]) holds a number that is not finite, and held none before: the "
              + "vectors changed while they were read; run again when no one writes to them")
          append(row, to: &block)
        }
      }
      count = indices.count * dimension
    }
    return block
  }

  /// Adds a vector's length and term, or sets the vector aside.
  private func append(_ w: UnsafeMutableBufferPointer<Float>, to block: inout Block) {
    var square = 0.0
    for element in w { square += Double(element) * Double(element) }
    var product = 0.0
    if metric == .innerProduct {
      for (channel, element) in w.enumerated() { product += center[channel] * Double(element) }
    }
    // Rounding may make the longest that fits a little longer.
    guard square < Self.most, abs(scale * product) < Self.most else {
      w.update(repeating: 0)
      block.norms.append(.infinity)
      block.terms.append(Self.leastTerm)
      if metric == .innerProduct { block.centerProducts.append(0) }
      return
    }
    block.norms.append(square.squareRoot())
    guard metric == .innerProduct else {
      block.terms.append(Float(-square / 2))
      return
    }
    block.terms.append(Float(scale * product))
    block.centerProducts.append(scale * product)
  }
}

/// The length of a vector, in Double.
func norm(of vector: UnsafePointer<Float>, _ dimension: Int) -> Double {
  var square = 0.0
  for channel in 0..<dimension { square += Double(vector[channel]) * Double(vector[channel]) }
  return square.squareRoot()
}
