/// A JSON value as it stands in the file.
///
/// Foundation's parsers put objects into dictionaries keyed by `String`, which compares by
/// canonical equivalence: of the keys "é" (one scalar) and "é" (two), a vocabulary would silently
/// keep one. They hide repeated keys too, which the safetensors format forbids. Hence this type: an
/// object is its members in file order, and names are compared byte for byte.
package enum JSONValue: Sendable {
  case null
  case bool(Bool)
  /// A number written without fraction or exponent that fits `Int`.
  case integer(Int)
  /// Any other number.
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// The members in file order; repeated names have been refused.
  case object([JSONMember])

  /// What the value is called in a message.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// Reads a whole text: UTF-8, without repeated names in an object, numbers within the range of `Double`.
  /// - Throws: The first fault of the text.
  init(parsing bytes: UnsafeRawBufferPointer) throws(JSONFault) {
    var reader = JSONValueReader(bytes: bytes)
    try JSONScanner.scan(bytes, .document, into: &reader)
    self = reader.value
  }

  /// Reads a whole text, with its fault turned into an error about the file.
  init(parsing bytes: [UInt8], file: String) throws(ModelFileError) {
    do throws(JSONFault) {
      self = try bytes.withUnsafeBufferPointer { (bytes) throws(JSONFault) in
        try JSONValue(parsing: UnsafeRawBufferPointer(bytes))
      }
    } catch {
      throw ModelFileError(file: file, problem: "not valid JSON at byte \(error.position): \(error.problem)")
    }
  }
}

/// One name and its value.
package struct JSONMember: Sendable {
  /// The name, unescaped.
  package let name: String
  /// The value.
  package let value: JSONValue
}

/// Builds a value from the parts of its text.
private struct JSONValueReader: JSONReader {
  /// An array or object that has not ended.
  private struct Unfinished {
    let container: JSONContainer
    var elements: [JSONValue] = []
    var members: [JSONMember] = []
    var names: Set<ExactString> = []
    /// The name of the member whose value is next.
    var name = ""
  }

  let bytes: UnsafeRawBufferPointer
  /// The whole value, once the text has been scanned.
  private(set) var value = JSONValue.null
  private var unfinished: [Unfinished] = []

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func name(_ string: JSONString) throws(JSONFault) {
    let name = try text(string)
    let innermost = unfinished.count - 1
    guard unfinished[innermost].names.insert(ExactString(name)).inserted else {
      throw .malformed(reason: "the name \(name.quoted) appears twice", position: string.content.lowerBound - 1)
    }
    unfinished[innermost].name = name
  }

  mutating func scalar(_ value: JSONScalar, at range: Range<Int>) throws(JSONFault) {
    switch value {
    case .null: add(.null)
    case .bool(let flag): add(.bool(flag))
    case .infinity(let isNegative): add(.number(isNegative ? -.infinity : .infinity))
    case .string(let string): add(.string(try text(string)))
    case .number(let isInteger): add(try number(range, isInteger: isInteger))
    }
  }

  mutating func open(_ container: JSONContainer, at position: Int) {
    unfinished.append(Unfinished(container: container))
  }

  mutating func close(at position: Int) {
    guard let finished = unfinished.popLast() else { return }
    switch finished.container {
    case .array: add(.array(finished.elements))
    case .object: add(.object(finished.members))
    }
  }

  private mutating func add(_ value: JSONValue) {
    let innermost = unfinished.count - 1
    guard innermost >= 0 else {
      self.value = value
      return
    }
    switch unfinished[innermost].container {
    case .array: unfinished[innermost].elements.append(value)
    case .object: unfinished[innermost].members.append(JSONMember(name: unfinished[innermost].name, value: value))
    }
  }

  private func number(_ range: Range<Int>, isInteger: Bool) throws(JSONFault) -> JSONValue {
    let text = String(decoding: bytes[range], as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else {
      throw .malformed(reason: "a number out of range", position: range.lowerBound)
    }
    return .number(number)
  }

  private func text(_ string: JSONString) throws(JSONFault) -> String {
    guard string.isASCII || String(validating: bytes[string.content], as: UTF8.self) != nil else {
      throw .malformed(reason: "a string that is not valid UTF-8", position: string.content.lowerBound)
    }
    do throws(JSONString.UnpairedSurrogate) { return try string.decoded(in: bytes) } catch {
      throw .malformed(reason: "half a surrogate pair", position: error.position)
    }
  }
}

/// A string that equals another only if both are the same bytes; `String` itself takes canonically
/// equivalent texts for equal.
struct ExactString: Hashable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (left: ExactString, right: ExactString) -> Bool {
    left.text.hasSameBytes(as: right.text)
  }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension String {
  /// Byte-for-byte equality, unlike `==`.
  func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }
}
