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
