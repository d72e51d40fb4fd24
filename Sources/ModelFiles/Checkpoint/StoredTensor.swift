/// A tensor as its file stores it: moved, not computed with, so that no bit of a number changes.
package struct StoredTensor: Sendable, Hashable {
  /// The elements' type.
  package let type: StoredType
  /// The extents, outermost first.
  package let shape: [Int]
  /// The elements, row major and little endian.
  package let bytes: [UInt8]

  /// A tensor of given bytes, as many as `shape` and `type` say.
  package init(type: StoredType, shape: [Int], bytes: [UInt8]) {
    precondition(shape.reduce(type.size, *) == bytes.count)
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// A tensor of F32.
  package init(floats: [Float], shape: [Int]) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * floats.count)
    for value in floats { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
    self.init(type: .float32, shape: shape, bytes: bytes)
  }

  /// The elements as Float; nil for other types than F16, BF16, F32 and F64.
  package var floats: [Float]? { bytes.withUnsafeBytes { widenedToFloat($0, from: type) } }

  /// The matrix `[a, b]` as `[b, a]`.
  package var transposed: StoredTensor {
    precondition(shape.count == 2)
    let (rows, columns) = (shape[0], shape[1])
    return gathering([columns, rows]) { index in index % rows * columns + index / rows }
  }

  /// The matrix or vector whose row `r` is this one's row `order[r]`.
  package func rows(_ order: [Int]) -> StoredTensor {
    let width = shape.dropFirst().reduce(1, *)
    return gathering([order.count] + shape.dropFirst()) { index in order[index / width] * width + index % width }
  }

  /// The matrix whose column `c` is this one's column `order[c]`.
  package func columns(_ order: [Int]) -> StoredTensor {
    precondition(shape.count == 2)
    let (width, stored) = (order.count, shape[1])
    return gathering([shape[0], width]) { index in index / width * stored + order[index % width] }
  }

  /// A tensor whose element `i` is this one's element `source(i)`.
  private func gathering(_ shape: [Int], _ source: (Int) -> Int) -> StoredTensor {
    let size = type.size
    let count = shape.reduce(1, *)
    let gathered = [UInt8](unsafeUninitializedCapacity: count * size) { output, initialized in
      bytes.withUnsafeBufferPointer { input in
        for index in 0..<count {
          let from = source(index) * size
          for byte in 0..<size { output.initializeElement(at: index * size + byte, to: input[from + byte]) }
        }
      }
      initialized = count * size
    }
    return StoredTensor(type: type, shape: shape, bytes: gathered)
  }
}
