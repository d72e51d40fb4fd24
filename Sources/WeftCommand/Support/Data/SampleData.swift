import ModelFiles
import Weft

/// A data set that samples are drawn from.
struct SampleData: Sendable {
  /// What `--data` calls the bundled digits.
  static let bundledName = "DIGITS"

  /// Where the data came from, as the user gave it.
  let name: String
  let space: SampleSpace
  let count: Int
  /// The samples as a sampler sees them.
  let values: [Float]

  var shape: [Int] { space.shape }
  var normalization: Normalization { space.normalization }

  /// Reads a NumPy file, or the bundled digits.
  ///
  /// - Parameters:
  ///   - name: a path, or `DIGITS` in any case.
  ///   - mode: how the data are scaled; by default images to -1 … 1 and points to unit variance.
  /// - Throws: `ModelFileError` if the file cannot be read or does not hold points or images.
  init(_ name: String, normalize mode: Normalization.Mode? = nil) throws {
    let isBundled = Self.isBundled(name)
    let path = isBundled ? try BundledModels.exampleDigits() : name
    let array = try NumPyArray(path: path)
    func refusal(_ problem: String) -> ModelFileError { ModelFileError(file: path, problem: problem) }

    let kind: SampleSpace.Content
    switch array.shape.count {
    case 2: kind = .points
    case 3, 4: kind = .images
    default:
      throw refusal(
        "shape \(array.shape); points have the shape [N, d], images [N, height, width] or [N, channels, height, width]")
    }
    let isFloat = [.float16, .float32, .float64].contains(array.type.element)
    guard isFloat || (kind == .images && array.type.element == .uint8) else {
      throw refusal(
        "element type '\(array.type)'; "
          + (kind == .points ? "points are float numbers" : "images are uint8 or float numbers")
          + ": save it with .astype('float32')")
    }
    guard !array.shape.contains(0) else { throw refusal("shape \(array.shape) holds no numbers") }
    guard array.shape.count != 4 || array.shape[1] == 1 || array.shape[1] == 3 else {
      throw refusal("shape \(array.shape) has \(array.shape[1]) channels; images have 1 or 3, before height and width")
    }
    try array.checkFinite(file: path)

    self.name = isBundled ? Self.bundledName : name
    let shape = Array(array.shape.dropFirst())
    count = array.shape[0]
    let normalization = Normalization(
      mode ?? (kind == .images ? .range : .unit), of: array.values, elements: shape.reduce(1, *))
    space = SampleSpace(
      kind: kind, shape: shape, normalization: normalization,
      range: (array.values.min() ?? 0)...(array.values.max() ?? 0))
    values = normalization.apply(array.values)
    do { try MixtureDenoiser.check(values, shape: shape) } catch { throw refusal("\(error.message), with --normalize") }
  }

  /// The file that `--data` names; nil where it cannot be found, which is reported when it is read.
  static func path(of name: String?) -> String? {
    guard let name, isBundled(name) else { return name }
    return try? BundledModels.exampleDigits()
  }

  private static func isBundled(_ name: String) -> Bool { name.uppercased() == bundledName }
}

/// What samples are: their sizes, and how a sampler's numbers become what people see.
struct SampleSpace: Sendable {
  enum Content: Sendable { case points, images }

  let kind: Content
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
  /// A network's images: from 0 to 1, whatever the network's own range is.
  init(_ files: DiffusionModelFiles) {
    kind = .images
    shape = files.sampleShape
    normalization = Normalization(images: files.scheduler.imageRange)
    range = 0...1
    isLimited = true
  }
}

/// How data are scaled to the size that samplers work at, and samples back.
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
