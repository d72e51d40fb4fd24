/// A matrix in a file, read a few rows at a time: a `.npy` array, or a tensor of a safetensors checkpoint.
///
/// The file is mapped. Elements that are float32 and in order are not even copied.
package final class MatrixFile: Sendable {
  /// Where the file lies, as the caller gave it.
  package let path: String
  /// The tensor; nil in a `.npy` file.
  package let tensor: String?
  package let rows: Int
  package let columns: Int

  private let file: MappedFile
  private let dataStart: Int
  private let elements: Elements

  private enum Elements: Sendable {
    case numPy(NumPyType, isFortranOrder: Bool)
    case stored(StoredType)
  }

  /// Opens a `.npy` file.
  /// - Throws: `ModelFileError` if it cannot be read or does not hold a matrix of real numbers.
  package init(path: String) throws(ModelFileError) {
    self.path = path
    tensor = nil
    file = try MappedFile(path: path)
    let header = try file.withBytes { (bytes) throws(ModelFileError) in try NumPyHeader(bytes, file: path) }
    (rows, columns) = try Self.extents(header.shape) { ModelFileError(file: path, problem: $0) }
    dataStart = header.dataStart
    elements = .numPy(header.type, isFortranOrder: header.isFortranOrder && rows > 1 && columns > 1)
  }

  /// Opens a tensor of a safetensors file.
  /// - Throws: `ModelFileError` if there is no such tensor or it is no matrix of F16, BF16, F32 or F64.
  package init(path: String, tensor name: String) throws(ModelFileError) {
    self.path = path
    tensor = name
    file = try MappedFile(path: path)
    let header = try file.withBytes { (bytes) throws(ModelFileError) in try SafetensorsHeader(bytes, file: path) }
    guard let entry = header.entries.first(where: { $0.name == name }) else {
      throw missingTensor(name, among: header.entries.map(\.name).sorted(), file: path)
    }
    (rows, columns) = try Self.extents(entry.shape) { entry.error(in: path, $0) }
    guard entry.elementType.isReal else {
      throw entry.error(in: path, "holds \(entry.elementType.rawValue), where F16, BF16, F32 or F64 is expected")
    }
    dataStart = header.dataStart + entry.byteRange.lowerBound
    elements = .stored(entry.elementType)
  }

  private static func extents(
    _ shape: [Int], _ error: (String) -> ModelFileError
  ) throws(ModelFileError) -> (Int, Int) {
    guard shape.count == 2 else {
      throw error("shape \(tuple(shape)), where a matrix is expected: one vector a row, as x.reshape(len(x), -1) makes")
    }
    guard !shape.contains(0) else { throw error("shape \(tuple(shape)) holds no numbers") }
    return (shape[0], shape[1])
  }

  /// Calls `body` with all elements if they lie in the file as they are needed; else returns nil.
  package func withFloatsIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    switch elements {
    case .numPy(.float32, isFortranOrder: false), .stored(.float32): break
    default: return nil
    }
    guard UInt32(1).littleEndian == 1 else { return nil }
    return try file.withBytes { (bytes) throws -> Result? in
      let data = UnsafeRawBufferPointer(rebasing: bytes[dataStart..<dataStart + 4 * rows * columns])
      guard let address = data.baseAddress, Int(bitPattern: address) % MemoryLayout<Float>.alignment == 0 else {
        return nil
      }
      return try body(data.bindMemory(to: Float.self))
    }
  }

  /// Some rows, as Float: wider types rounded to nearest.
  package func floats(_ range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    return file.withBytes { bytes in
      let data = UnsafeRawBufferPointer(rebasing: bytes[dataStart...])
      func part(_ start: Int, _ count: Int, size: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: data[start * size..<(start + count) * size])
      }
      switch elements {
      case .stored(let type):
        let part = part(range.lowerBound * columns, range.count * columns, size: type.size)
        return widenedToFloat(part, from: type) ?? []
      case .numPy(let type, isFortranOrder: false):
        let count = range.count * columns
        return ModelFiles.floats(
          part(range.lowerBound * columns, count, size: type.element.size), count: count, of: type)
      case .numPy(let type, isFortranOrder: true):
        // A row's elements lie a column apart.
        func row(_ row: Int) -> [Float] {
          ModelFiles.floats(
            part(row, (columns - 1) * rows + 1, size: type.element.size), count: columns, of: type, stride: rows)
        }
        return range.count == 1 ? row(range.lowerBound) : range.flatMap(row)
      }
    }
  }

  /// What becomes of elements that float32 does not hold; nil if it holds all that there can be.
  package var rounding: String? {
    let type =
      switch elements {
      case .stored(.float64): NumPyType.Element.float64
      case .stored: NumPyType.Element.float32
      case .numPy(let type, _): type.element
      }
    return switch type {
    case .float64: "float64, rounded to float32"
    case .int32, .uint32, .int64, .uint64: "whole numbers, those beyond 2^24 rounded to float32"
    case .bool, .int8, .uint8, .int16, .uint16, .float16, .float32: nil
    }
  }

  /// An element as stored in the file, in Double.
  package func element(_ row: Int, _ column: Int) -> Double {
    precondition(row >= 0 && row < rows && column >= 0 && column < columns)
    func double(at index: Int, isBigEndian: Bool) -> Double {
      file.withBytes { bytes in
        let stored = bytes.loadUnaligned(fromByteOffset: dataStart + 8 * index, as: UInt64.self)
        return Double(bitPattern: isBigEndian ? UInt64(bigEndian: stored) : UInt64(littleEndian: stored))
      }
    }
    switch elements {
    case .stored(.float64): return double(at: row * columns + column, isBigEndian: false)
    case .numPy(let type, let isFortranOrder) where type.element == .float64:
      return double(at: isFortranOrder ? column * rows + row : row * columns + column, isBigEndian: type.isBigEndian)
    default: return Double(floats(row..<row + 1)[column])
    }
  }
}
