import Weft

/// What samples are: their sizes, and how a sampler's numbers become what people see.
struct SampleSpace: Sendable {
  enum Kind: Sendable { case points, images }

  let kind: Kind
  /// The sizes of one sample: `[d]`, `[H, W]` or `[C, H, W]`.
  let shape: [Int]
  let normalization: Normalization
  /// The smallest and the largest number, in their own units.
  let range: ClosedRange<Float>
  /// Whether numbers outside of the range are brought to its ends.
  var isLimited = false

  /// Numbers in a sample.
  var elements: Int { shape.reduce(1, *) }

  /// Samples in their own units.
  func restore(_ values: [Float]) -> [Float] {
    let values = normalization.restore(values)
    return isLimited ? values.map { min(max($0, range.lowerBound), range.upperBound) } : values
  }

  /// Numbers in their own units as pictures show them: the range becomes -1 … 1.
  func brightness(_ values: [Float]) -> [Float] {
    let middle = (Double(range.lowerBound) + Double(range.upperBound)) / 2
    let half = (Double(range.upperBound) - Double(range.lowerBound)) / 2
    return values.map { Float((Double($0) - middle) / (half > 0 ? half : 1)) }
  }
}

extension SampleSpace {
  /// A network's images: from 0 to 1, whatever they are to the network.
  init(_ files: DiffusionModelFiles) {
    kind = .images
    shape = files.sampleShape
    normalization = Normalization(images: files.scheduler.imageRange)
    range = 0...1
    isLimited = true
  }
}
