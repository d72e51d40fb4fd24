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
    let file = try InputFile(path: path)
    let header = try NumPyHeader(file)
    shape = header.shape
    type = header.type
    let values = try file.floats(at: header.dataStart, count: header.count, of: header.type)
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

extension InputFile {
  /// Elements of an array as Float, in the file's order.
  func floats(at place: Int, count: Int, of type: NumPyType) throws(ModelFileError) -> [Float] {
    try floats(at: place, count: count, of: type.element.storedType, isBigEndian: type.isBigEndian) ?? []
  }
}

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
    return header(shape) + littleEndianBytes(values.map(\.bitPattern))
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

/// The arrays of an `.npz` file, as `numpy.savez` and `numpy.savez_compressed` write them.
struct NumPyArchive: Sendable {
  /// One array: where it lies and what its header says.
  private struct Member: Sendable {
    let entry: ZipEntry
    let header: NumPyHeader
    let type: StoredType
  }

  /// NumPy's headers take 128 bytes, or a few more for long shapes.
  private static let headerLimit = 1 << 16
  private static let ending = ".npy"

  let path: String
  /// Names, element types and shapes, in the order of the names.
  let entries: [TensorEntry]
  private let archive: ZipArchive
  private let members: [String: Member]

  /// Reads the directory and the header of every array.
  /// - Throws: `ModelFileError` if the archive is damaged or holds anything but arrays of numbers.
  init(_ file: InputFile) throws(ModelFileError) {
    path = file.path
    archive = try ZipArchive(file)
    var members: [String: Member] = [:]
    for entry in archive.entries {
      guard !entry.name.hasSuffix(".pkl") else {
        throw ModelFileError(
          file: path,
          problem: "a PyTorch file, whose pickle is never loaded because it can run code; convert it with "
            + "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')")
      }
      guard entry.name.hasSuffix(Self.ending), entry.name.utf8.count > Self.ending.utf8.count else {
        throw ModelFileError(
          file: path, problem: "holds \(entry.name.quoted), where only arrays (.npy) are expected, as in an .npz file")
      }
      let name = String(entry.name.dropLast(Self.ending.count))
      let prefix = try archive.prefix(of: entry, limit: Self.headerLimit)
      let header = try Self.header(prefix, of: entry, name, in: path)
      members[name] = Member(entry: entry, header: header, type: header.type.element.storedType)
    }
    self.members = members
    entries = members.sorted { $0.key < $1.key }.map { name, member in
      TensorEntry(
        name: name, elementType: member.type, shape: member.header.shape,
        byteRange: 0..<member.header.count * member.type.size)
    }
  }

  /// An array, its elements in row-major order and little endian.
  /// - Throws: `ModelFileError` if its bytes are damaged.
  func tensor(named name: String) throws(ModelFileError) -> StoredTensor? {
    guard let member = members[name] else { return nil }
    var bytes = Array(try archive.bytes(of: member.entry).dropFirst(member.header.dataStart))
    if member.header.type.isBigEndian { Self.swap(&bytes, size: member.type.size) }
    let shape = member.header.shape
    guard member.header.isFortranOrder, shape.count > 1 else {
      return StoredTensor(type: member.type, shape: shape, bytes: bytes)
    }
    guard shape.count == 2 else {
      throw ModelFileError(
        file: path, subject: "tensor \(name.quoted)",
        problem: "\(shape.count) dimensions in Fortran's order; save it with np.ascontiguousarray")
    }
    return StoredTensor(type: member.type, shape: shape.reversed(), bytes: bytes).transposed
  }

  private static func swap(_ bytes: inout [UInt8], size: Int) {
    for start in stride(from: 0, to: bytes.count, by: size) { bytes[start..<start + size].reverse() }
  }

  /// An array's header; a fault says which array it is about.
  private static func header(
    _ prefix: [UInt8], of entry: ZipEntry, _ name: String, in path: String
  ) throws(ModelFileError) -> NumPyHeader {
    let header = prefix.withUnsafeBytes { bytes in
      Result { () throws(ModelFileError) in try NumPyHeader(bytes, wholeSize: entry.count, file: path) }
    }
    do throws(ModelFileError) { return try header.get() } catch {
      let problem = error.subject.map { "\($0): \(error.problem)" } ?? error.problem
      throw ModelFileError(file: path, subject: "tensor \(name.quoted)", problem: problem)
    }
  }
}
