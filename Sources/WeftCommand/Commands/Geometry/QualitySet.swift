import Geometry
import ModelFiles
import Weft

/// Samples, or what they are compared with: images, or vectors of features.
struct QualitySet {
  let name: String
  /// The sizes of one sample.
  private(set) var shape: [Int]
  private var values: [Float]

  /// Reads a set: a `.npy` array whose first axis counts samples, a tensor as in `file.safetensors#name`, or the bundled
  /// digits.
  /// - Throws: `ModelFileError` or `GeometryError` if there is none, or it has no samples.
  init(_ name: String) throws {
    let path = SampleData.path(of: name) ?? name
    self.name = path == name ? name : SampleData.bundledName
    if !path.contains("#"), !path.hasSuffix(".safetensors") {
      let array = try NumPyArray(path: path)
      guard array.shape.count >= 2, !array.shape.contains(0) else {
        throw GeometryError("\(name): shape \(array.shape), where [samples, …] is expected, one sample after the other")
      }
      try array.checkFinite(file: path)
      (shape, values) = (Array(array.shape.dropFirst()), array.values)
    } else {
      let file = try VectorFile(named: path)
      (shape, values) = ([file.dimension], file.floats(0..<file.count))
      if let place = values.firstIndex(where: { !$0.isFinite }) {
        throw GeometryError(
          "\(name): sample \(place / file.dimension) has \(values[place]) at \(place % file.dimension), where a finite "
            + "number is expected")
      }
    }
  }

  var elements: Int { shape.reduce(1, *) }
  var count: Int { values.count / elements }
  var range: ClosedRange<Float> { (values.min() ?? 0)...(values.max() ?? 0) }

  /// With its smallest and its largest number at the ends of a range.
  mutating func fill(_ target: ClosedRange<Float>) {
    let (low, width) = (Double(range.lowerBound), Double(range.upperBound) - Double(range.lowerBound))
    let (start, span) = (Double(target.lowerBound), Double(target.upperBound) - Double(target.lowerBound))
    values = values.map { Float(start + span * (width > 0 ? (Double($0) - low) / width : 0)) }
  }

  /// With images of another size.
  /// - Throws: `GeometryError` if the two are not images, or of other channels.
  mutating func resize(like other: QualitySet) throws {
    let (mine, target) = (shape.suffix(2), other.shape.suffix(2))
    guard (2...3).contains(shape.count), (2...3).contains(other.shape.count),
      shape.dropLast(2).reduce(1, *) == other.shape.dropLast(2).reduce(1, *), let height = mine.first,
      let width = mine.last, let newHeight = target.first, let newWidth = target.last
    else {
      throw GeometryError(
        "\(name): samples of shape \(shape) cannot be resized to \(other.shape): [height, width] or "
          + "[channels, height, width] are, with as many channels")
    }
    values = BilinearResize(from: (height, width), to: (newHeight, newWidth)).apply(values)
    shape = other.shape
  }

  func vectors() throws -> Vectors { try Vectors(values, dimension: elements) }
}
