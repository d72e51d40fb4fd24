/// A strict reader of one JSON text (RFC 8259): UTF-8, no byte order mark, no repeated names in an
/// object, nothing after the value but white space, nesting bounded.
struct JSONParser {
  /// A fault in the text, with its place.
  struct Fault: Error {
    /// Offset into the text, in bytes.
    let position: Int
    let problem: String
  }

  /// Deeper nesting is refused: the parser recurses, and model files nest less than ten deep.
  static let depthLimit = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var depth = 0

  /// Parses a whole text.
  /// - Throws: A `Fault` that names the byte at which the text stops being JSON.
  static func parse(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
    // Bytes are UInt8 whatever the memory is bound to, so this view of a raw buffer is sound.
    var parser = JSONParser(bytes: bytes.assumingMemoryBound(to: UInt8.self))
    parser.skipSpace()
    let value = try parser.value()
    parser.skipSpace()
    guard parser.position == bytes.count else {
      throw parser.fault("text after the end of the value")
    }
    return value
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private func fault(_ problem: String) -> Fault { Fault(position: position, problem: problem) }

  /// The next byte; 0, which no valid text contains, at the end.
  private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func expect(_ byte: UInt8) throws(Fault) {
    guard next == byte else {
      let wanted = Character(Unicode.Scalar(byte))
      throw fault(
        position < bytes.count ? "'\(wanted)' expected" : "the text ends where '\(wanted)' belongs")
    }
    position += 1
  }

  private mutating func value() throws(Fault) -> JSONValue {
    switch next {
    case UInt8(ascii: "{"): return try nested { (parser) throws(Fault) in try parser.object() }
    case UInt8(ascii: "["): return try nested { (parser) throws(Fault) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    // Python writes infinities so, and diffusers has one among its defaults.
    case UInt8(ascii: "I"): return try word("Infinity", .number(.infinity))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      throw fault(position < bytes.count ? "a value expected" : "the text ends too early")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(Fault) -> JSONValue
  ) throws(Fault) -> JSONValue {
    guard depth < Self.depthLimit else {
      throw fault("nested more than \(Self.depthLimit) deep")
    }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  private mutating func object() throws(Fault) -> JSONValue {
    try expect(UInt8(ascii: "{"))
    var members: [JSONMember] = []
    var names: Set<ExactString> = []
    skipSpace()
    if next != UInt8(ascii: "}") {
      while true {
        let start = position
        let name = try string()
        guard names.insert(ExactString(name)).inserted else {
          throw Fault(position: start, problem: "the name \(name.quoted) appears twice")
        }
        skipSpace()
        try expect(UInt8(ascii: ":"))
        skipSpace()
        members.append(JSONMember(name: name, value: try value()))
        skipSpace()
        guard next == UInt8(ascii: ",") else { break }
        position += 1
        skipSpace()
      }
    }
    try expect(UInt8(ascii: "}"))
    return .object(members)
  }

  private mutating func array() throws(Fault) -> JSONValue {
    try expect(UInt8(ascii: "["))
    var elements: [JSONValue] = []
    skipSpace()
    if next != UInt8(ascii: "]") {
      while true {
        elements.append(try value())
        skipSpace()
        guard next == UInt8(ascii: ",") else { break }
        position += 1
        skipSpace()
      }
    }
    try expect(UInt8(ascii: "]"))
    return .array(elements)
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Fault) -> JSONValue {
    let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
    guard matches else { throw fault("a value expected") }
    position += word.utf8CodeUnitCount
    return value
  }

  private mutating func number() throws(Fault) -> JSONValue {
    let start = position
    var isInteger = true
    if next == UInt8(ascii: "-") { position += 1 }
    if position > start, next == UInt8(ascii: "I") { return try word("Infinity", .number(-.infinity)) }
    if next == UInt8(ascii: "0") {
      position += 1  // a leading zero stands alone
    } else {
      try digits()
    }
    if next == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else {
      throw Fault(position: start, problem: "a number out of range")
    }
    return .number(number)
  }

  private mutating func digits() throws(Fault) {
    let start = position
    while next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") { position += 1 }
    guard position > start else { throw fault("a digit expected") }
  }
}

// MARK: - Strings

extension JSONParser {
  private mutating func string() throws(Fault) -> String {
    try expect(UInt8(ascii: "\""))
    let start = position
    while position < bytes.count, bytes[position] >= 0x20 {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        let text = try validated(bytes[start..<position], at: start)
        position += 1
        return text
      case UInt8(ascii: "\\"):
        return try escapedString(from: start)
      default: position += 1
      }
    }
    throw fault(
      position < bytes.count ? "a control character in a string" : "a string without its end")
  }

  /// Continues a string at its first escape; strings without escapes need no copy of their own.
  private mutating func escapedString(from start: Int) throws(Fault) -> String {
    var content = Array(bytes[start..<position])
    while position < bytes.count, bytes[position] >= 0x20 {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        let text = try validated(content[...], at: start)
        position += 1
        return text
      case UInt8(ascii: "\\"):
        content.append(contentsOf: String(try escape()).utf8)
      default:
        content.append(bytes[position])
        position += 1
      }
    }
    throw fault(
      position < bytes.count ? "a control character in a string" : "a string without its end")
  }

  private func validated(
    _ text: some RandomAccessCollection<UInt8>, at start: Int
  ) throws(Fault) -> String {
    guard let string = String(validating: text, as: UTF8.self) else {
      throw Fault(position: start, problem: "a string that is not valid UTF-8")
    }
    return string
  }

  private mutating func escape() throws(Fault) -> Unicode.Scalar {
    position += 1  // the backslash
    let code = next
    position += 1
    switch code {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(code)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var value = try hexadecimal()
      if 0xD800..<0xDC00 ~= value {  // the first half of a surrogate pair
        try expect(UInt8(ascii: "\\"))
        try expect(UInt8(ascii: "u"))
        let second = try hexadecimal()
        guard 0xDC00..<0xE000 ~= second else { throw fault("half a surrogate pair") }
        value = 0x10000 + (value - 0xD800) << 10 + (second - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(value) else { throw fault("half a surrogate pair") }
      return scalar
    default:
      position -= 1
      throw fault("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(Fault) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(next)).hexDigitValue
      else { throw fault("four hexadecimal digits expected") }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
