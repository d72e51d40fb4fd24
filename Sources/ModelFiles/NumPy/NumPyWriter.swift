/// Makes `.npy` files of float32, byte for byte those of `np.save`.
package enum NumPyWriter {
  /// NumPy begins the data at a multiple of this, for mapping.
  private static let alignment = 64
  /// NumPy leaves room for the first extent to grow in place: to this many digits.
  private static let growthDigits = 21

  /// A whole file, format 1.0, little endian, the last index varying fastest.
  /// - Parameters:
  ///   - values: The elements; as many as `shape` says.
  ///   - shape: The extents, outermost first; at most 64.
  /// - Returns: The file's bytes.
  package static func file(_ values: [Float], shape: [Int]) -> [UInt8] {
    precondition(shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count)
    precondition(shape.count <= 64)
    var bytes = header(shape)
    bytes.reserveCapacity(bytes.count + values.count * 4)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  private static func header(_ shape: [Int]) -> [UInt8] {
    var text = "{'descr': '\(NumPyType.float32)', 'fortran_order': False, 'shape': \(tuple(shape)), }"
    if let first = shape.first {
      text += String(repeating: " ", count: growthDigits - String(first).utf8.count)
    }
    let prefix = 10
    // With nothing to fill NumPy fills a whole unit, and so must this.
    let padding = alignment - (prefix + text.utf8.count + 1) % alignment
    text += String(repeating: " ", count: padding) + "\n"
    let length = UInt16(text.utf8.count)
    return NumPyHeader.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
  }
}
