import ModelFiles

/// Numbers for one sample that all share, or for each sample: images to start from, a mask.
struct SampleArray: Sendable {
  /// As many as a sample has, or as `count` samples have.
  let values: [Float]

  /// Reads a NumPy file.
  ///
  /// - Parameters:
  ///   - path: the file; its array has the shape of one sample, or of `count`.
  ///   - shape: the sizes of one sample.
  ///   - count: how many samples are drawn.
  /// - Throws: `ModelFileError` if the file cannot be read or does not fit.
  init(path: String, shape: [Int], count: Int) throws {
    let array = try NumPyArray(path: path)
    guard array.shape == shape || array.shape == [1] + shape || array.shape == [count] + shape else {
      throw ModelFileError(
        file: path, problem: "shape \(array.shape), where \(shape) for all samples or \([count] + shape) is expected")
    }
    try array.checkFinite(file: path)
    values = array.values
  }

  /// Reads a mask: numbers from 0 to 1, for images with channels also a plane that all of them share.
  init(mask path: String, shape: [Int], count: Int) throws {
    let array = try NumPyArray(path: path)
    let plane = Array(shape.suffix(2))
    if shape.count == 3, array.shape == plane {
      self.values = (0..<shape[0]).flatMap { _ in array.values }
    } else {
      self = try SampleArray(path: path, shape: shape, count: count)
    }
    guard let bad = values.first(where: { !(0...1).contains($0) }) else { return }
    throw ModelFileError(file: path, problem: "\(bad) in a mask; 1 paints, 0 keeps what is known")
  }
}

/// Noise of unit variance that samples start from, as `weft hubs` writes it.
struct GivenNoise: Sendable {
  /// How many samples it is for.
  let count: Int
  /// Sample by sample.
  let values: [Float]

  /// Reads a NumPy file.
  ///
  /// - Parameters:
  ///   - path: the file; its array has the shape `[count] + shape`, or `[count, elements]`.
  ///   - shape: the sizes of one sample.
  /// - Throws: `ModelFileError` if the file cannot be read or does not fit.
  init(path: String, shape: [Int]) throws {
    let array = try NumPyArray(path: path)
    let elements = shape.reduce(1, *)
    let sizes = Array(array.shape.dropFirst())
    guard !array.shape.isEmpty, array.shape[0] > 0, sizes == shape || sizes == [elements] else {
      let flat = shape.count == 1 ? "" : " or \(["n", "\(elements)"].shape)"
      throw ModelFileError(
        file: path,
        problem:
          "shape \(array.shape), where noise for n samples is expected: \((["n"] + shape.map(String.init)).shape)\(flat)"
      )
    }
    try array.checkFinite(file: path)
    (count, values) = (array.shape[0], array.values)
  }
}

extension [String] {
  /// Sizes as messages show them.
  fileprivate var shape: String { "[" + joined(separator: ", ") + "]" }
}

/// Brings images to another size by linear interpolation in both directions.
///
/// Pixels are squares with their value at the middle: `y = (y' + ½) · H / H' - ½`. Beyond the outermost middles the
/// edge's value holds. As torch's `interpolate(mode: "bilinear", align_corners: False)`; a picture that shrinks is not smoothed
/// first.
struct BilinearResize {
  private let source: (height: Int, width: Int)
  private let rows: [Tap]
  private let columns: [Tap]

  /// Where a pixel of the result lies between two of the source.
  private struct Tap {
    let first: Int
    let second: Int
    let share: Float

    static func taps(_ count: Int, from source: Int) -> [Tap] {
      (0..<count).map { place in
        let at = max(0, (Double(place) + 0.5) * Double(source) / Double(count) - 0.5)
        let first = min(Int(at), source - 1)
        return Tap(first: first, second: min(first + 1, source - 1), share: Float(at - Double(first)))
      }
    }
  }

  init(from source: (height: Int, width: Int), to target: (height: Int, width: Int)) {
    self.source = source
    rows = Tap.taps(target.height, from: source.height)
    columns = Tap.taps(target.width, from: source.width)
  }

  /// Planes, one after the other: all channels of all images.
  func apply(_ planes: [Float]) -> [Float] {
    let size = source.height * source.width
    var result: [Float] = []
    result.reserveCapacity(planes.count / size * rows.count * columns.count)
    for plane in stride(from: 0, to: planes.count, by: size) {
      for row in rows {
        let (above, below) = (plane + row.first * source.width, plane + row.second * source.width)
        for column in columns {
          func between(_ line: Int) -> Float {
            let (left, right) = (planes[line + column.first], planes[line + column.second])
            return left + column.share * (right - left)
          }
          let (top, bottom) = (between(above), between(below))
          result.append(top + row.share * (bottom - top))
        }
      }
    }
    return result
  }
}
