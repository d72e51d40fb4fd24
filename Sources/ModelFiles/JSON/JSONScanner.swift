/// What is wrong with a JSON text, and where.
package enum JSONFault: Error, Equatable {
  /// Text that breaks the grammar or that its reader refuses, and the byte at which this shows, counted from 0.
  case malformed(reason: String, position: Int)
  /// An array or object inside more others than are allowed, and the byte of its bracket.
  case tooDeep(limit: Int, position: Int)

  /// The byte at which the fault shows, counted from 0.
  package var position: Int {
    switch self {
    case .malformed(_, let position), .tooDeep(_, let position): position
    }
  }

  /// The fault without its position.
  package var problem: String {
    switch self {
    case .malformed(let reason, _): reason
    case .tooDeep(let limit, _): "nested more than \(limit) deep"
    }
  }
}

/// Takes what a ``JSONScanner`` finds, in the order of the text.
///
/// Every position and range counts bytes of the text from 0. The grammar is checked before a part is handed over: names
/// come only inside objects, each followed by its value.
protocol JSONReader {
  /// The name of a member of the innermost object, which may be refused.
  mutating func name(_ string: JSONString) throws(JSONFault)
  /// A value that is neither array nor object, which may be refused.
  mutating func scalar(_ value: JSONScalar, at range: Range<Int>) throws(JSONFault)
  /// An array or object begins.
  mutating func open(_ container: JSONContainer, at position: Int)
  /// The innermost array or object has ended just before `position`.
  mutating func close(at position: Int)
}

/// What holds other values.
enum JSONContainer {
  case array, object
}

/// A value that holds no others.
enum JSONScalar {
  case null
  case bool(Bool)
  /// A number; its text follows JSON's grammar and may be of any size.
  case number(isInteger: Bool)
  /// `Infinity` or `-Infinity`.
  case infinity(isNegative: Bool)
  case string(JSONString)
}

/// The one grammar of JSON (RFC 8259): checks a text and tells a reader what is in it.
///
/// Strict: no comments, trailing commas, leading zeros, NaN, raw control characters or byte order marks, and nothing but
/// white space after the value. Open brackets are kept on a stack of its own, so that a hostile text cannot overflow the
/// thread's. The reader checks that strings are valid UTF-8.
struct JSONScanner {
  /// What depends on where a text comes from.
  struct Rules {
    /// Arrays and objects inside one another.
    let depthLimit: Int
    /// Whether `Infinity` and `-Infinity` are numbers. Python writes them, and diffusers has one among its defaults.
    let allowsInfinity: Bool
    /// What a message calls the text.
    let textName: String

    /// A file of settings; such files nest less than ten deep.
    static let document = Rules(depthLimit: 64, allowsInfinity: true, textName: "text")
    /// A line of input data; as deep as Foundation's own reader goes.
    static let line = Rules(depthLimit: 512, allowsInfinity: false, textName: "line")
  }

  private let bytes: UnsafeRawBufferPointer
  private let rules: Rules
  private var position = 0
  /// The closing brackets still owed, innermost last.
  private var owed: [UInt8] = []

  private init(_ bytes: UnsafeRawBufferPointer, _ rules: Rules) { (self.bytes, self.rules) = (bytes, rules) }

  /// Goes through a whole text.
  /// - Throws: The first fault of the text, or what the reader refuses.
  static func scan(
    _ bytes: UnsafeRawBufferPointer, _ rules: Rules, into reader: inout some JSONReader
  ) throws(JSONFault) {
    var scanner = JSONScanner(bytes, rules)
    try scanner.value(&reader)
    guard scanner.position == bytes.count else { throw scanner.unexpected("the end of the \(rules.textName)") }
  }

  // MARK: Structure

  private mutating func value(_ reader: inout some JSONReader) throws(JSONFault) {
    repeat {
      skipSpace()
      switch peek() {
      case UInt8(ascii: "{"):
        try open(.object, closedBy: UInt8(ascii: "}"), &reader)
        if peek() != UInt8(ascii: "}") {
          try name(&reader)
          continue
        }
      case UInt8(ascii: "["):
        try open(.array, closedBy: UInt8(ascii: "]"), &reader)
        if peek() != UInt8(ascii: "]") { continue }
      default:
        let start = position
        let value = try scalar()
        try reader.scalar(value, at: start..<position)
      }
      try closeOrAdvance(&reader)
    } while !owed.isEmpty
    skipSpace()
  }

  private mutating func open(
    _ container: JSONContainer, closedBy bracket: UInt8, _ reader: inout some JSONReader
  ) throws(JSONFault) {
    guard owed.count < rules.depthLimit else { throw .tooDeep(limit: rules.depthLimit, position: position) }
    reader.open(container, at: position)
    owed.append(bracket)
    position += 1
    skipSpace()
  }

  /// After a finished value: closes what ends here, or steps to the next element.
  private mutating func closeOrAdvance(_ reader: inout some JSONReader) throws(JSONFault) {
    while let bracket = owed.last {
      skipSpace()
      if take(bracket) {
        owed.removeLast()
        reader.close(at: position)
      } else if take(UInt8(ascii: ",")) {
        skipSpace()
        if bracket == UInt8(ascii: "}") { try name(&reader) }
        return
      } else {
        throw unexpected("',' or '\(Character(Unicode.Scalar(bracket)))'")
      }
    }
  }

  private mutating func name(_ reader: inout some JSONReader) throws(JSONFault) {
    guard peek() == UInt8(ascii: "\"") else { throw unexpected("a member name in quotes") }
    try reader.name(try string())
    skipSpace()
    guard take(UInt8(ascii: ":")) else { throw unexpected("':'") }
  }

  // MARK: Scalars

  private mutating func scalar() throws(JSONFault) -> JSONScalar {
    switch peek() {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "I") where rules.allowsInfinity: return try word("Infinity", .infinity(isNegative: false))
    case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
    default: throw unexpected("a value")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONScalar) throws(JSONFault) -> JSONScalar {
    let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
    guard matches else { throw unexpected("'\(word)'") }
    position += word.utf8CodeUnitCount
    return value
  }

  private mutating func number() throws(JSONFault) -> JSONScalar {
    let isNegative = take(UInt8(ascii: "-"))
    if isNegative, rules.allowsInfinity, peek() == UInt8(ascii: "I") {
      return try word("Infinity", .infinity(isNegative: true))
    }
    var isInteger = true
    if !take(UInt8(ascii: "0")) { try digits() }  // a leading zero stands alone
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      try digits()
    }
    return .number(isInteger: isInteger)
  }

  private mutating func digits() throws(JSONFault) {
    let start = position
    while let byte = peek(), byte &- 0x30 < 10 { position += 1 }
    if position == start { throw unexpected("a digit") }
  }

  /// Steps over a string, whose opening quote is next.
  private mutating func string() throws(JSONFault) -> JSONString {
    let start = position + 1
    var hasEscapes = false
    var bits: UInt8 = 0  // of all bytes
    var here = start  // the loop is where the time goes, and a local variable stays in a register
    while here < bytes.count {
      let byte = bytes[here]
      bits |= byte
      here += 1
      if byte == UInt8(ascii: "\"") {
        position = here
        return JSONString(content: start..<here - 1, hasEscapes: hasEscapes, isASCII: bits < 0x80)
      }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        position = here
        try escape()
        here = position
      } else if byte < 0x20 {
        throw .malformed(reason: "a raw control character in a string", position: here - 1)
      }
    }
    throw .malformed(reason: "an unterminated string", position: here)
  }

  /// Steps over what follows a backslash.
  private mutating func escape() throws(JSONFault) {
    switch peek() {
    case UInt8(ascii: "u"):
      position += 1
      for _ in 0..<4 {
        guard let byte = peek(), JSONString.digitValue(byte) != nil else {
          throw unexpected("four hexadecimal digits")
        }
        position += 1
      }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    default: throw unexpected("an escape such as \\n or \\u00e9")
    }
  }

  // MARK: Parts

  /// The next byte, or nil at the end.
  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  /// Steps over `byte` if it is next.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  /// A fault here, with what should have come and what came.
  private func unexpected(_ wanted: String) -> JSONFault {
    let found =
      switch peek() {
      case nil: "the end of the \(rules.textName)"
      case .some(let byte) where (0x21..<0x7F).contains(byte): "'\(Character(Unicode.Scalar(byte)))'"
      case .some(let byte): "byte 0x" + String(byte, radix: 16)
      }
    return .malformed(reason: "expected \(wanted), found \(found)", position: position)
  }
}

// MARK: - Strings

/// Where the content of a string stands in a text whose grammar has been checked.
package struct JSONString {
  /// The bytes between the quotes.
  let content: Range<Int>
  let hasEscapes: Bool
  /// Whether all bytes are below 128, and so valid UTF-8.
  let isASCII: Bool

  /// Half of a surrogate pair, and where its backslash is.
  struct UnpairedSurrogate: Error {
    let position: Int
  }

  /// The content with its escapes replaced.
  /// - Parameter bytes: The whole text. The string must be valid UTF-8.
  /// - Returns: The content.
  /// - Throws: The first escape that stands for no character.
  func decoded(in bytes: UnsafeRawBufferPointer) throws(UnpairedSurrogate) -> String {
    let content = UnsafeRawBufferPointer(rebasing: bytes[content])
    guard hasEscapes else { return String(decoding: content, as: UTF8.self) }
    return String(decoding: try unescaped(content), as: UTF8.self)
  }

  /// The text of a string's bytes, quotes included.
  ///
  /// - Parameter raw: A JSON string in valid UTF-8 whose grammar has been checked.
  /// - Returns: nil where an escape is half of a surrogate pair.
  package static func decode(_ raw: ArraySlice<UInt8>) -> String? {
    raw.withUnsafeBytes { bytes in
      let content = 1..<bytes.count - 1
      let hasEscapes = bytes[content].contains(UInt8(ascii: "\\"))
      return try? JSONString(content: content, hasEscapes: hasEscapes, isASCII: false).decoded(in: bytes)
    }
  }

  private func unescaped(_ bytes: UnsafeRawBufferPointer) throws(UnpairedSurrogate) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "\\") else {
        text.append(bytes[position])
        position += 1
        continue
      }
      let letter = bytes[position + 1]
      if letter == UInt8(ascii: "u") {
        guard let (scalar, length) = Self.escapedScalar(bytes[position...]) else {
          throw UnpairedSurrogate(position: content.lowerBound + position)
        }
        text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        position += length
      } else {
        text.append(Self.simpleEscape(letter))
        position += 2
      }
    }
    return text
  }

  private static func simpleEscape(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter  // a quote, a backslash or a slash stands for itself
    }
  }

  /// The scalar of the `\uXXXX` at the start, or of the surrogate pair there, and how many bytes it takes.
  private static func escapedScalar(_ bytes: Slice<UnsafeRawBufferPointer>) -> (Unicode.Scalar, length: Int)? {
    let first = codeUnit(bytes.dropFirst(2))
    if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
    let rest = bytes.dropFirst(6)
    guard UTF16.isLeadSurrogate(first), rest.starts(with: [0x5C, 0x75]) else { return nil }
    let second = codeUnit(rest.dropFirst(2))
    guard UTF16.isTrailSurrogate(second) else { return nil }
    return Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)).map { ($0, 12) }
  }

  private static func codeUnit(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt16 {
    digits.prefix(4).reduce(0) { $0 << 4 | UInt16(digitValue($1) ?? 0) }
  }

  /// The value of a hexadecimal digit.
  static func digitValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 0x30
    case UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"): (byte | 0x20) - 0x61 + 10
    default: nil
    }
  }
}

// MARK: - Members as they are written

/// A member of an object, exactly as it stands in the text.
package struct JSONRawMember {
  /// The decoded name; nil where it holds half of a surrogate pair, and so equals no name that can be asked for.
  package let name: String?
  /// The name's bytes, quotes and escapes included.
  package let rawName: Range<Int>
  /// The value's bytes, without the white space around it.
  package let rawValue: Range<Int>

  /// Reads the members of a line that is one JSON object. Names that appear twice are all kept.
  ///
  /// - Parameter line: Valid UTF-8.
  /// - Returns: nil if the line is JSON, but no object.
  /// - Throws: The first fault of the line.
  package static func members(of line: [UInt8]) throws(JSONFault) -> [JSONRawMember]? {
    try line.withUnsafeBufferPointer { (line) throws(JSONFault) in
      var reader = RawMemberReader(bytes: UnsafeRawBufferPointer(line))
      try JSONScanner.scan(reader.bytes, .line, into: &reader)
      return reader.isObject ? reader.members : nil
    }
  }

  /// Arrays and objects inside one another that a line may have.
  package static let depthLimit = JSONScanner.Rules.line.depthLimit
}

/// Notes where the members of the outermost object lie, and steps over all that is inside them.
private struct RawMemberReader: JSONReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var isObject = false
  private(set) var members: [JSONRawMember] = []
  private var depth = 0
  private var memberName: JSONString?
  private var valueStart = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func name(_ string: JSONString) {
    if depth == 1 { memberName = string }
  }

  mutating func scalar(_ value: JSONScalar, at range: Range<Int>) {
    if depth == 1 { add(range) }
  }

  mutating func open(_ container: JSONContainer, at position: Int) {
    if depth == 0 { isObject = container == .object }
    if depth == 1 { valueStart = position }
    depth += 1
  }

  mutating func close(at position: Int) {
    depth -= 1
    if depth == 1 { add(valueStart..<position) }
  }

  private mutating func add(_ value: Range<Int>) {
    guard let string = memberName else { return }  // an element of an outermost array
    members.append(
      JSONRawMember(
        name: try? string.decoded(in: bytes),
        rawName: string.content.lowerBound - 1..<string.content.upperBound + 1, rawValue: value))
  }
}
