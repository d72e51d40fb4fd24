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
  init(_ file: MappedFile) throws(ModelFileError) {
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

extension NumPyType.Element {
  /// The same type by the name that safetensors has for it.
  fileprivate var storedType: StoredType {
    switch self {
    case .bool: .bool
    case .int8: .int8
    case .uint8: .uint8
    case .int16: .int16
    case .uint16: .uint16
    case .int32: .int32
    case .uint32: .uint32
    case .int64: .int64
    case .uint64: .uint64
    case .float16: .float16
    case .float32: .float32
    case .float64: .float64
    }
  }
}
