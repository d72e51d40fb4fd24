import ModelFiles

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
