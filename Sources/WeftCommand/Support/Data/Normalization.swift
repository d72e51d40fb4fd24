/// How data are brought to the size that samplers work at, and samples back.
///
/// `normal = (value - offset) / scale`, with one scale for all numbers, so that shapes stay.
struct Normalization: Equatable, Sendable {
  enum Mode: String, CaseIterable, Sendable {
    /// The data's smallest number becomes -1, the largest 1.
    case range
    /// Each element's mean becomes 0, the variance over all elements 1.
    case unit
    /// Nothing changes.
    case none
  }

  let mode: Mode
  /// One number for all elements of a sample, or one for each.
  let offset: [Double]
  let scale: Double

  /// Finds the numbers for a data set.
  /// - Parameters:
  ///   - mode: What is wanted.
  ///   - values: Samples one after the other, all finite; at least one.
  ///   - elements: Numbers in a sample.
  init(_ mode: Mode, of values: [Float], elements: Int) {
    self.mode = mode
    let low = Double(values.min() ?? 0)
    let high = Double(values.max() ?? 0)
    switch mode {
    case .none: (offset, scale) = ([0], 1)
    case .range: (offset, scale) = ([(low + high) / 2], high > low ? (high - low) / 2 : 1)
    case .unit:
      let means = Self.means(of: values, elements: elements)
      var sum = 0.0
      for (index, value) in values.enumerated() {
        let difference = Double(value) - means[index % elements]
        sum += difference * difference
      }
      let deviation = (sum / Double(values.count)).squareRoot()
      (offset, scale) = (means, deviation > 0 ? deviation : 1)
    }
  }

  /// Images whose numbers go from 0 to 1, and in the sampler's size through `range`.
  init(images range: ClosedRange<Float>) {
    let (low, high) = (Double(range.lowerBound), Double(range.upperBound))
    mode = .range
    scale = 1 / (high - low)
    offset = [-low / (high - low)]
  }

  /// Samples in the sampler's size.
  func apply(_ values: [Float]) -> [Float] {
    values.enumerated().map { Float((Double($1) - offset[$0 % offset.count]) / scale) }
  }

  /// Samples in the data's own units.
  func restore(_ values: [Float]) -> [Float] {
    values.enumerated().map { Float(Double($1) * scale + offset[$0 % offset.count]) }
  }

  /// Each element's mean over all samples; exact where all are the same.
  private static func means(of values: [Float], elements: Int) -> [Double] {
    var means = values.prefix(elements).map(Double.init)
    let first = means
    let count = Double(values.count / elements)
    // Differences from the first sample are exactly 0 for an element that never changes.
    for (index, value) in values.enumerated() {
      means[index % elements] += (Double(value) - first[index % elements]) / count
    }
    return means
  }
}
