/// The checked header of a `.npy` file.
///
///     \x93NUMPY   major, minor   N, little endian, 2 or 4 bytes   N bytes of text   the rest: data
///
/// The text is a Python dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
/// The format is described in numpy.lib.format.
struct NumPyHeader {
  /// The longest text accepted; an array of numbers needs about a hundred bytes.
  static let textLimit = 1 << 20

  /// What every file begins with.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The elements' type.
  let type: NumPyType
  /// Whether the first index varies fastest.
  let isFortranOrder: Bool
  /// The extents, outermost first.
  let shape: [Int]
  /// The product of the extents.
  let count: Int
  /// Where the data begin in the file, in bytes.
  let dataStart: Int

  /// Reads and checks the header of a whole file, and that exactly its data follow.
  /// - Parameters:
  ///   - bytes: the file, or its beginning.
  ///   - wholeSize: the file's length in bytes, if `bytes` is only its beginning.
  ///   - file: what to call it in a message.
  /// - Throws: `ModelFileError` naming the first thing that is wrong.
  init(_ bytes: UnsafeRawBufferPointer, wholeSize: Int? = nil, file: String) throws(ModelFileError) {
    let text = try Self.text(in: bytes, file: file)
    dataStart = text.endIndex
    var parser = NumPyHeaderParser(text, file: file)
    let fields = try parser.fields()
    isFortranOrder = fields.isFortranOrder
    shape = fields.shape
    guard let type = NumPyType(fields.type) else {
      throw ModelFileError(file: file, problem: NumPyType.refusal(of: fields.type))
    }
    self.type = type
    guard let size = Self.byteCount(shape, of: type) else {
      throw ModelFileError(file: file, problem: "shape \(tuple(shape)) is too large")
    }
    count = size / type.element.size

    let found = (wholeSize ?? bytes.count) - dataStart
    guard found == size else {
      let end =
        found < size
        ? "the file is cut short by \(size - found)" : "the file is too long by \(found - size)"
      throw ModelFileError(
        file: file,
        problem: "shape \(tuple(shape)) of \(type) takes \(size) bytes, \(found) found after the "
          + "header; \(end)")
    }
  }

  /// The bytes of the text, after the checks on all that comes before it.
  private static func text(
    in bytes: UnsafeRawBufferPointer, file: String
  ) throws(ModelFileError) -> Slice<UnsafeRawBufferPointer> {
    func error(_ problem: String) -> ModelFileError { ModelFileError(file: file, problem: problem) }
    guard bytes.starts(with: magic) else { throw error(stranger(bytes)) }
    guard bytes.count >= 10 else {
      throw error("\(bytes.count) bytes are too few for a .npy file; the file is cut short")
    }
    let (major, minor) = (bytes[6], bytes[7])
    guard (1...3).contains(major), minor == 0 else {
      throw error("version \(major).\(minor) of the .npy format; 1.0, 2.0 and 3.0 are known")
    }
    let start = major == 1 ? 10 : 12
    guard bytes.count >= start else {
      throw error("\(bytes.count) bytes are too few for a .npy file; the file is cut short")
    }
    let length =
      major == 1
      ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
      : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    guard length <= bytes.count - start else {
      throw error(
        "the header claims \(length) bytes but the file has \(bytes.count - start) after it; "
          + "the file is cut short")
    }
    guard length <= textLimit else {
      throw error("the header claims \(length) bytes, more than the \(textLimit) allowed")
    }
    return bytes[start..<start + length]
  }

  /// What a file is that does not begin as it should, as far as its first bytes tell.
  private static func stranger(_ bytes: UnsafeRawBufferPointer) -> String {
    if bytes.isEmpty { return "the file is empty, where a .npy file is expected" }
    if bytes.starts(with: [0x50, 0x4B]) {
      return "an archive (.npz?), where a .npy file is expected; save one of its arrays: "
        + "np.save('x.npy', np.load('x.npz')['name'])"
    }
    if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
      return "a Python pickle, which is never loaded because it can run code; save the array with "
        + "np.save"
    }
    return "not a .npy file: it does not begin with \\x93NUMPY"
  }

  /// The bytes that an array takes; `nil` if they are too many to count.
  private static func byteCount(_ shape: [Int], of type: NumPyType) -> Int? {
    var size = type.element.size
    // An extent of 0 does not excuse the others: whoever multiplies in another order overflows.
    for extent in shape where extent > 0 {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      size = product
    }
    return shape.contains(0) ? 0 : size
  }
}

/// Extents or indices as Python writes them: `()`, `(3,)`, `(2, 3)`.
func tuple(_ numbers: [Int]) -> String {
  "(" + numbers.map(String.init).joined(separator: ", ") + (numbers.count == 1 ? ",)" : ")")
}
