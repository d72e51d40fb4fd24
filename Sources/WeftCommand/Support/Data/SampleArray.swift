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
