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
    guard [.float16, .bfloat16, .float32, .float64].contains(entry.elementType) else {
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
        var values = [Float](repeating: 0, count: range.count * columns)
        for column in 0..<columns {
          let part = part(column * rows + range.lowerBound, range.count, size: type.element.size)
          for (row, value) in ModelFiles.floats(part, count: range.count, of: type).enumerated() {
            values[row * columns + column] = value
          }
        }
        return values
      }
    }
  }
}
