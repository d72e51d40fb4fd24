/// The element type of a NumPy array: what the numbers are, and which of their bytes comes first.
package struct NumPyType: Hashable, Sendable, CustomStringConvertible {
  /// A kind of number and its size in bytes; the raw value is NumPy's own name.
  package enum Element: String, CaseIterable, Hashable, Sendable {
    case bool = "b1"
    case int8 = "i1"
    case uint8 = "u1"
    case int16 = "i2"
    case uint16 = "u2"
    case int32 = "i4"
    case uint32 = "u4"
    case int64 = "i8"
    case uint64 = "u8"
    case float16 = "f2"
    case float32 = "f4"
    case float64 = "f8"

    /// Bytes one element takes.
    package var size: Int {
      switch self {
      case .bool, .int8, .uint8: 1
      case .int16, .uint16, .float16: 2
      case .int32, .uint32, .float32: 4
      case .int64, .uint64, .float64: 8
      }
    }
  }

  /// The kind of number.
  package let element: Element
  /// Whether the most significant byte comes first; false for types of one byte.
  package let isBigEndian: Bool

  /// `float32` in little endian, the type that is written.
  package static let float32 = NumPyType(element: .float32, isBigEndian: false)

  /// NumPy's name of the type, such as `<f4` or `|u1`.
  package var description: String {
    (element.size == 1 ? "|" : isBigEndian ? ">" : "<") + element.rawValue
  }
}

extension NumPyType.Element {
  /// The same type by the name that safetensors has for it.
  var storedType: StoredType {
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

extension NumPyType {
  /// Reads NumPy's name of a type.
  /// - Returns: `nil` for a type that does not hold single real numbers, or that is not a name.
  init?(_ name: String) {
    guard let order = name.first, let element = Element(rawValue: String(name.dropFirst())),
      order == "<" || order == ">" || order == "|" && element.size == 1
    else { return nil }
    self.init(element: element, isBigEndian: order == ">" && element.size > 1)
  }

  /// Why a type that `init` does not know is refused.
  static func refusal(of name: String) -> String {
    let kind = name.drop { "<>|=".contains($0) }
    let what =
      switch kind.first {
      case "O": "Python objects, stored as a pickle, which is never loaded because it can run code"
      case "c": "complex numbers"
      case "S", "a", "U", "T": "text"
      case "V": "raw bytes"
      case "M", "m": "dates or times"
      case "f" where kind == "f16" || kind == "f12": "extended-precision numbers"
      default: String?.none
      }
    guard let what else { return "unknown element type \(name.quoted)" }
    return "element type \(name.quoted) holds \(what); real numbers are expected, such as '<f4'"
  }
}

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
  ///   - bytes: the file's beginning.
  ///   - wholeSize: the file's length in bytes.
  ///   - file: what to call it in a message.
  /// - Throws: `ModelFileError` naming the first thing that is wrong.
  init(_ bytes: UnsafeRawBufferPointer, wholeSize: Int, file: String) throws(ModelFileError) {
    let text = try Self.text(in: bytes, wholeSize: wholeSize, file: file)
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

    let found = wholeSize - dataStart
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

  /// Reads and checks the header of a file, and that exactly its data follow.
  /// - Throws: `ModelFileError` naming the first thing that is wrong.
  init(_ file: InputFile) throws(ModelFileError) {
    // Version 1.0 has the text's length in two bytes, later ones in four.
    let start = try file.bytes(0..<min(12, file.count))
    let length = start.dropFirst(8).prefix(start.count > 6 && start[6] == 1 ? 2 : 4).reversed().reduce(0) {
      $0 << 8 | Int($1)
    }
    let bytes = try file.bytes(0..<min(file.count, 12 + min(length, Self.textLimit)))
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(ModelFileError) in
      try NumPyHeader(UnsafeRawBufferPointer(bytes), wholeSize: file.count, file: file.path)
    }
  }

  /// The bytes of the text, after the checks on all that comes before it.
  private static func text(
    in bytes: UnsafeRawBufferPointer, wholeSize: Int, file: String
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
    guard length <= wholeSize - start else {
      throw error(
        "the header claims \(length) bytes but the file has \(wholeSize - start) after it; "
          + "the file is cut short")
    }
    guard length <= min(textLimit, bytes.count - start) else {
      throw error("the header claims \(length) bytes, more than the \(min(textLimit, bytes.count - start)) allowed")
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
    // An extent of 0 does not excuse the others: a reader that multiplies in another order overflows.
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

/// A strict reader of a `.npy` header's text: a Python dictionary of three known keys in any order,
/// with any white space between its parts and a comma after the last one or none.
struct NumPyHeaderParser {
  /// What the dictionary says.
  struct Fields {
    /// NumPy's name of the elements' type, not yet understood.
    var type: String
    var isFortranOrder: Bool
    var shape: [Int]
  }

  /// NumPy's own limit.
  private static let dimensionLimit = 64

  private let text: Slice<UnsafeRawBufferPointer>
  private var position: Int
  private let file: String

  init(_ text: Slice<UnsafeRawBufferPointer>, file: String) {
    self.text = text
    self.file = file
    position = text.startIndex
  }

  /// Parses the whole text.
  /// - Throws: `ModelFileError` with the byte of the file at which the text goes wrong.
  mutating func fields() throws(ModelFileError) -> Fields {
    var type: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !take("}") {
      let start = position
      let key = try string("a key in quotes")
      try expect(":")
      switch key {
      case "descr" where type == nil: type = try typeName()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try truth()
      case "shape" where shape == nil: shape = try extents()
      case "descr", "fortran_order", "shape":
        throw fault("key '\(key)' appears twice", at: start)
      default: throw fault("unexpected key \(key.quoted)", at: start)
      }
      guard take(",") else {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard position == text.endIndex else { throw fault("text after the end of the dictionary") }
    guard let type else { throw missing("descr") }
    guard let isFortranOrder else { throw missing("fortran_order") }
    guard let shape else { throw missing("shape") }
    return Fields(type: type, isFortranOrder: isFortranOrder, shape: shape)
  }

  private func missing(_ key: String) -> ModelFileError {
    ModelFileError(file: file, subject: "header", problem: "key '\(key)' is missing")
  }

  private func fault(_ problem: String, at place: Int? = nil) -> ModelFileError {
    ModelFileError(
      file: file, subject: "header", problem: "\(problem) at byte \(place ?? position)")
  }

  /// The next byte that is not white space; 0, which no valid text contains, at the end.
  private var next: UInt8 {
    mutating get {
      skipSpace()
      return position < text.endIndex ? text[position] : 0
    }
  }

  private mutating func skipSpace() {
    while position < text.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) {
      position += 1
    }
  }

  /// Steps over a character if it comes next.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(ModelFileError) {
    guard take(character) else { throw fault("'\(character)' expected") }
  }

  /// A text in single or double quotes. The texts that can be valid need no escapes.
  private mutating func string(_ wanted: String) throws(ModelFileError) -> String {
    let quote = next
    guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw fault("\(wanted) expected")
    }
    guard
      let end = text[(position + 1)...].firstIndex(where: {
        $0 == quote || $0 < 0x20 || $0 == UInt8(ascii: "\\")
      }), text[end] == quote
    else { throw fault("a text without end, or with escapes,") }
    defer { position = end + 1 }
    return String(decoding: text[position + 1..<end], as: UTF8.self)
  }

  private mutating func typeName() throws(ModelFileError) -> String {
    guard next != UInt8(ascii: "["), next != UInt8(ascii: "(") else {
      throw ModelFileError(
        file: file,
        problem: "a structured element type, with fields; save one field: np.save('x.npy', a['name'])")
    }
    return try string("a type in quotes")
  }

  private mutating func truth() throws(ModelFileError) -> Bool {
    _ = next
    for (word, value) in [("True", true), ("False", false)]
    where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw fault("True or False expected")
  }

  /// A tuple of sizes. As in Python, a tuple of one has a comma: `(3)` is a number.
  private mutating func extents() throws(ModelFileError) -> [Int] {
    try expect("(")
    var extents: [Int] = []
    while !take(")") {
      guard extents.count < Self.dimensionLimit else {
        throw fault("more than \(Self.dimensionLimit) dimensions")
      }
      extents.append(try extent())
      if take(",") { continue }
      guard extents.count > 1 else { throw fault("',' expected in a shape of one dimension") }
      try expect(")")
      break
    }
    return extents
  }

  private mutating func extent() throws(ModelFileError) -> Int {
    _ = next
    let start = position
    while position < text.endIndex, (0x30...0x39).contains(text[position]) { position += 1 }
    guard position > start else { throw fault("a size expected") }
    guard let value = Int(String(decoding: text[start..<position], as: UTF8.self)) else {
      throw fault("a size too large", at: start)
    }
    return value
  }
}
