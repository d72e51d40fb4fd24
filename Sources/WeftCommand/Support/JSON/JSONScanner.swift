/// Walks over JSON (RFC 8259) without building values: it checks the grammar and finds the ends.
///
/// Strict: no comments, trailing commas, leading zeros, NaN or raw control characters. It keeps
/// its own stack of open brackets, so a hostile line can be deep without overflowing the thread's.
/// The bytes must be valid UTF-8.
struct JSONScanner {
  /// Arrays and objects inside one another; as in Foundation's own reader.
  static let depthLimit = 512

  let bytes: ArraySlice<UInt8>
  private(set) var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// Bytes before the position, for messages.
  var offset: Int { position - bytes.startIndex }

  var isAtEnd: Bool { position == bytes.endIndex }

  /// The next byte, or nil at the end.
  func peek() -> UInt8? { isAtEnd ? nil : bytes[position] }

  mutating func skipWhitespace() {
    while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      position += 1
    }
  }

  /// Steps over `byte` if it is next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  /// Steps over `byte`, which the grammar demands here.
  mutating func require(_ byte: UInt8) throws(JSONLineError) {
    guard take(byte) else { throw unexpected("'\(Character(Unicode.Scalar(byte)))'") }
  }

  /// Steps over one value of any type.
  /// - Parameter depth: how many brackets are already open around it.
  /// - Returns: the value's bytes, without the whitespace around it.
  /// - Throws: what is wrong with the grammar, or ``JSONLineError/tooDeep(offset:)``.
  mutating func scanValue(depth: Int) throws(JSONLineError) -> ArraySlice<UInt8> {
    let start = position
    var open: [UInt8] = []  // the closing brackets still owed, innermost last
    repeat {
      skipWhitespace()
      switch peek() {
      case UInt8(ascii: "{"):
        try push(UInt8(ascii: "}"), onto: &open, depth: depth)
        skipWhitespace()
        if peek() != UInt8(ascii: "}") {
          try scanName()
          continue
        }
      case UInt8(ascii: "["):
        try push(UInt8(ascii: "]"), onto: &open, depth: depth)
        skipWhitespace()
        if peek() != UInt8(ascii: "]") { continue }
      default:
        try scanScalar()
      }
      try closeOrAdvance(&open)
    } while !open.isEmpty
    return bytes[start..<position]
  }

  /// Steps over a string, quotes included.
  mutating func scanString() throws(JSONLineError) -> ArraySlice<UInt8> {
    let start = position
    try require(UInt8(ascii: "\""))
    while let byte = peek() {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return bytes[start..<position]
      case UInt8(ascii: "\\"): try scanEscape()
      case 0..<0x20:
        position -= 1
        throw malformed("a raw control character in a string")
      default: break
      }
    }
    throw malformed("an unterminated string")
  }

  // MARK: Parts

  private mutating func push(
    _ closer: UInt8, onto open: inout [UInt8], depth: Int
  ) throws(JSONLineError) {
    guard depth + open.count < Self.depthLimit else { throw .tooDeep(offset: offset) }
    open.append(closer)
    position += 1
  }

  /// After a finished value: closes what ends here, or steps to the next element.
  private mutating func closeOrAdvance(_ open: inout [UInt8]) throws(JSONLineError) {
    while let closer = open.last {
      skipWhitespace()
      if take(closer) {
        open.removeLast()
      } else if take(UInt8(ascii: ",")) {
        skipWhitespace()
        if closer == UInt8(ascii: "}") { try scanName() }
        return
      } else {
        throw unexpected("',' or '\(Character(Unicode.Scalar(closer)))'")
      }
    }
  }

  private mutating func scanName() throws(JSONLineError) {
    guard peek() == UInt8(ascii: "\"") else { throw unexpected("a member name in quotes") }
    _ = try scanString()
    skipWhitespace()
    try require(UInt8(ascii: ":"))
  }

  private mutating func scanScalar() throws(JSONLineError) {
    switch peek() {
    case UInt8(ascii: "\""): _ = try scanString()
    case UInt8(ascii: "t"): try scanWord("true")
    case UInt8(ascii: "f"): try scanWord("false")
    case UInt8(ascii: "n"): try scanWord("null")
    case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): try scanNumber()
    default: throw unexpected("a value")
    }
  }

  private mutating func scanWord(_ word: StaticString) throws(JSONLineError) {
    let end = position + word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer {
      end <= bytes.endIndex && bytes[position..<end].elementsEqual($0)
    }
    guard matches else { throw unexpected("'\(word)'") }
    position = end
  }

  private mutating func scanNumber() throws(JSONLineError) {
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try scanDigits() }
    if take(UInt8(ascii: ".")) { try scanDigits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      try scanDigits()
    }
  }

  private mutating func scanDigits() throws(JSONLineError) {
    let start = position
    while let byte = peek(), byte &- 0x30 < 10 { position += 1 }
    if position == start { throw unexpected("a digit") }
  }

  private mutating func scanEscape() throws(JSONLineError) {
    switch peek() {
    case UInt8(ascii: "u"):
      position += 1
      for _ in 0..<4 {
        guard let byte = peek(), Character(Unicode.Scalar(byte)).isHexDigit else {
          throw unexpected("four hexadecimal digits")
        }
        position += 1
      }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    default:
      throw unexpected("an escape such as \\n or \\u00e9")
    }
  }

  // MARK: Messages

  /// An error here, naming what should have come and what came.
  func unexpected(_ wanted: String) -> JSONLineError {
    guard let byte = peek() else {
      return malformed("expected \(wanted), found the end of the line")
    }
    let found =
      (0x21..<0x7F).contains(byte)
      ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
    return malformed("expected \(wanted), found \(found)")
  }

  private func malformed(_ reason: String) -> JSONLineError {
    .malformed(reason: reason, offset: offset)
  }
}
