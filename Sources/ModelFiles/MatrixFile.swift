internal import Files

/// A matrix in a file, read a few rows at a time: a `.npy` array, or a tensor of a safetensors checkpoint.
///
/// The file may be larger than memory: only rows that are asked for are read.
package final class MatrixFile: Sendable {
  /// Where the file lies, as the caller gave it.
  package let path: String
  /// The tensor; nil in a `.npy` file.
  package let tensor: String?
  package let rows: Int
  package let columns: Int

  private let file: InputFile
  private let dataStart: Int
  private let elements: Elements
  /// The elements in the order of rows, where the file has them column after column.
  private let ordered: InputFile?

  private enum Elements: Sendable {
    case numPy(NumPyType, isFortranOrder: Bool)
    case stored(StoredType)
  }

  /// Opens a `.npy` file.
  /// - Throws: `ModelFileError` if it cannot be read or does not hold a matrix of real numbers.
  package init(path: String) throws(ModelFileError) {
    self.path = path
    tensor = nil
    file = try InputFile(path: path)
    let header = try NumPyHeader(file)
    let (rows, columns) = try Self.extents(header.shape) { ModelFileError(file: path, problem: $0) }
    (self.rows, self.columns) = (rows, columns)
    dataStart = header.dataStart
    let isFortranOrder = header.isFortranOrder && rows > 1 && columns > 1
    elements = .numPy(header.type, isFortranOrder: isFortranOrder)
    ordered = isFortranOrder ? try Self.ordered(file, header, rows: rows, columns: columns) : nil
  }

  /// Opens a tensor of a safetensors file.
  /// - Throws: `ModelFileError` if there is no such tensor or it is no matrix of F16, BF16, F32 or F64.
  package init(path: String, tensor name: String) throws(ModelFileError) {
    self.path = path
    tensor = name
    file = try InputFile(path: path)
    let header = try SafetensorsHeader(file)
    guard let entry = header.entries.first(where: { $0.name == name }) else {
      throw missingTensor(name, among: header.entries.map(\.name).sorted(), file: path)
    }
    (rows, columns) = try Self.extents(entry.shape) { entry.error(in: path, $0) }
    guard entry.elementType.isReal else {
      throw entry.error(in: path, "holds \(entry.elementType.rawValue), where F16, BF16, F32 or F64 is expected")
    }
    dataStart = header.dataStart + entry.byteRange.lowerBound
    elements = .stored(entry.elementType)
    ordered = nil
  }

  /// Memory for the rows that are put in order at a time.
  private static let panelElements = 1 << 24

  /// Rows of a matrix in Fortran's order, as float32, in a file of their own: a row's elements lie a column apart, and to
  /// read each by itself would take as many calls.
  private static func ordered(
    _ file: InputFile, _ header: NumPyHeader, rows: Int, columns: Int
  ) throws(ModelFileError) -> InputFile {
    let height = min(rows, max(1, panelElements / columns))
    do {
      let scratch = try ScratchFile()
      for first in stride(from: 0, to: rows, by: height) {
        let count = min(height, rows - first)
        let panel = try filledArray(count: count * columns, file: file.path) {
          (panel: UnsafeMutableBufferPointer<Float>) throws(ModelFileError) in
          for column in 0..<columns {
            let place = header.dataStart + (column * rows + first) * header.type.element.size
            let values = try file.floats(at: place, count: count, of: header.type)
            for row in 0..<count { panel[row * columns + column] = values[row] }
          }
        }
        try littleEndianBytes(panel.map(\.bitPattern)).withUnsafeBytes { try scratch.write($0) }
      }
      return try InputFile(owning: scratch.release(), path: file.path)
    } catch let error as WriteError {
      throw ModelFileError(
        file: file.path,
        problem:
          "is in Fortran's order, and there is no room for its rows in \(error.path): \(error.reason); save it with "
          + "np.ascontiguousarray, or set TMPDIR to a folder with \(4 * rows * columns) bytes")
    } catch let error as ModelFileError {
      throw error
    } catch { throw ModelFileError(file: file.path, problem: "\(error)") }
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

  /// Some rows, as Float: wider types rounded to nearest.
  /// - Throws: `ModelFileError` if they cannot be read, or the file was changed.
  package func floats(_ range: Range<Int>) throws(ModelFileError) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    let (first, count) = (range.lowerBound * columns, range.count * columns)
    if let ordered { return try ordered.floats(at: 4 * first, count: count, of: .float32) ?? [] }
    switch elements {
    case .stored(let type):
      return try file.floats(at: dataStart + first * type.size, count: count, of: type) ?? []
    case .numPy(let type, _):
      return try file.floats(at: dataStart + first * type.element.size, count: count, of: type)
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
  /// - Throws: `ModelFileError` if it cannot be read, or the file was changed.
  package func element(_ row: Int, _ column: Int) throws(ModelFileError) -> Double {
    precondition(row >= 0 && row < rows && column >= 0 && column < columns)
    func double(at index: Int, isBigEndian: Bool) throws(ModelFileError) -> Double {
      let stored = try file.bytes(dataStart + 8 * index..<dataStart + 8 * index + 8)
      let bits = (isBigEndian ? stored : stored.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return Double(bitPattern: bits)
    }
    switch elements {
    case .stored(.float64): return try double(at: row * columns + column, isBigEndian: false)
    case .numPy(let type, let isFortranOrder) where type.element == .float64:
      return try double(
        at: isFortranOrder ? column * rows + row : row * columns + column, isBigEndian: type.isBigEndian)
    default: return Double(try floats(row..<row + 1)[column])
    }
  }
}
