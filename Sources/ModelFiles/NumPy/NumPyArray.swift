/// An array from a NumPy file (`.npy`, format 1.0, 2.0 or 3.0), its elements as Float.
package struct NumPyArray: Equatable, Sendable {
  /// The extents, outermost first; empty for a single number.
  package let shape: [Int]
  /// The type of the elements in the file.
  package let type: NumPyType
  /// The elements, the last index varying fastest: F16, F32 and 8- and 16-bit integers exactly,
  /// wider types rounded to nearest (beyond Float's range: to infinity), truth values as 0 and 1.
  package let values: [Float]

  /// Reads a whole file.
  /// - Parameter path: The path of a regular file.
  /// - Throws: `ModelFileError` if it cannot be opened, is not a `.npy` file of real numbers, or
  ///   has more or fewer bytes than its header says.
  package init(path: String) throws(ModelFileError) {
    let file = try MappedFile(path: path)
    self = try file.withBytes { (bytes) throws(ModelFileError) in
      try NumPyArray(bytes, file: path)
    }
  }

  /// Reads the bytes of a whole file.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(ModelFileError) {
    let header = try NumPyHeader(bytes, file: file)
    shape = header.shape
    type = header.type
    let data = UnsafeRawBufferPointer(rebasing: bytes[header.dataStart...])
    let values = floats(data, count: header.count, of: header.type)
    self.values = header.isFortranOrder ? rowMajor(values, shape: header.shape) : values
  }

  /// Refuses an array that holds a NaN or an infinity.
  /// - Parameter file: Where the array came from, for the message.
  /// - Throws: `ModelFileError` naming the first such element: `element (0, 3): nan, where …`.
  package func checkFinite(file: String) throws(ModelFileError) {
    guard let index = firstNonFinite else { return }
    let offset = zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
    throw ModelFileError(
      file: file, subject: "element \(tuple(index))",
      problem: "\(values[offset]), where a finite number is expected")
  }

  /// The index of the first element that is NaN or infinite; `nil` if there is none.
  package var firstNonFinite: [Int]? {
    guard var offset = values.firstIndex(where: { !$0.isFinite }) else { return nil }
    var index: [Int] = []
    for extent in shape.reversed() {
      index.append(offset % extent)
      offset /= extent
    }
    return index.reversed()
  }
}

/// Reorders elements of which the first index varies fastest.
private func rowMajor(_ values: [Float], shape: [Int]) -> [Float] {
  guard shape.count > 1, !values.isEmpty else { return values }
  var strides: [Int] = []
  var stride = 1
  for extent in shape {
    strides.append(stride)
    stride *= extent
  }
  var index = [Int](repeating: 0, count: shape.count)
  var source = 0
  return values.indices.map { _ in
    defer {  // the next index, last dimension first
      for dimension in shape.indices.reversed() {
        index[dimension] += 1
        source += strides[dimension]
        if index[dimension] < shape[dimension] { break }
        source -= strides[dimension] * shape[dimension]
        index[dimension] = 0
      }
    }
    return values[source]
  }
}
