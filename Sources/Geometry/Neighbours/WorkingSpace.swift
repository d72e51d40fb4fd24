internal import Engine

/// How vectors are brought to a device: what is alike in all of them is taken off, or it would cancel there.
///
///     w = (x - c) · s          c in the middle of the reference set, s a power of two; cosine: of x / |x|
///
///     euclidean, cosine        <w_i, w_j> - |w_j|² / 2        greatest for the nearest
///     inner product            <w_i, w_j> + <s c, w_j>        differs from s² <x_i, x_j> by the same for all j
///
/// Whole numbers stay whole: then, if they are small enough, every number on the device is exact.
struct WorkingSpace: Sendable {
  let metric: Metric
  let dimension: Int
  let isIntegral: Bool
  let scale: Double
  private let center: [Double]

  init(
    _ metric: Metric, around source: some VectorSource, reference: VectorSurvey, queries: VectorSurvey?
  ) {
    self.metric = metric
    dimension = source.dimension
    // Larger numbers are whole for want of digits.
    let largest = max(reference.largest, queries?.largest ?? 0)
    isIntegral = metric != .cosine && reference.isIntegral && queries?.isIntegral != false && largest < 0x1p22
    center = Self.middle(of: source, metric)
    scale =
      isIntegral || metric == .cosine || largest == 0
      ? 1 : Double(sign: .plus, exponent: -Int(largest.exponent), significand: 1)
  }

  /// Vectors that the middle is found from.
  private static let sampleSize = 255

  /// The median of each channel, of vectors spread over the set: unlike a mean it stays where most vectors are, however
  /// far out a few lie. That of whole numbers is one.
  private static func middle(of source: some VectorSource, _ metric: Metric) -> [Double] {
    let (count, dimension) = (source.count, source.dimension)
    // An odd number, so that one of them is in the middle.
    let size = min(sampleSize, (count - 1) / 2 * 2 + 1)
    return VectorReader.reading(source) { reader in
      var columns = [Float](repeating: 0, count: size * dimension)
      for place in 0..<size {
        reader.withVector(place * count / size) { vector in
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
    /// `|w|` of each.
    var norms: [Double] = []
    /// What is added to a column's products.
    var terms: [Float] = []
    /// `<s c, w>` of each; inner product only.
    var centerProducts: [Double] = []
  }

  /// Brings vectors to the device's form, in parallel.
  func block(_ indices: ArraySlice<Int32>, of source: some VectorSource) async throws -> Block {
    let parts = try await inParallel(indices.count, blockSize: 256) { range in
      let first = indices.startIndex
      return VectorReader.reading(source) { reader in
        part(indices[first + range.lowerBound..<first + range.upperBound], reader)
      }
    }
    var block = Block()
    block.elements.reserveCapacity(indices.count * dimension)
    for part in parts {
      block.elements += part.elements
      block.norms += part.norms
      block.terms += part.terms
      block.centerProducts += part.centerProducts
    }
    return block
  }

  private func part(_ indices: ArraySlice<Int32>, _ reader: VectorReader) -> Block {
    var block = Block()
    block.elements = [Float](unsafeUninitializedCapacity: indices.count * dimension) { elements, count in
      for (place, index) in indices.enumerated() {
        let row = UnsafeMutableBufferPointer(rebasing: elements[place * dimension..<(place + 1) * dimension])
        reader.withVector(Int(index)) { vector in
          let factor = metric == .cosine ? 1 / norm(of: vector, dimension) : 1
          for channel in 0..<dimension {
            row.initializeElement(
              at: channel, to: Float((Double(vector[channel]) * factor - center[channel]) * scale))
          }
        }
        append(UnsafeBufferPointer(row), to: &block)
      }
      count = indices.count * dimension
    }
    return block
  }

  /// Adds what is known of a vector besides its elements.
  private func append(_ w: UnsafeBufferPointer<Float>, to block: inout Block) {
    var square = 0.0
    for element in w { square += Double(element) * Double(element) }
    block.norms.append(square.squareRoot())
    guard metric == .innerProduct else {
      block.terms.append(Float(-square / 2))
      return
    }
    var product = 0.0
    for (channel, element) in w.enumerated() { product += center[channel] * Double(element) }
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
