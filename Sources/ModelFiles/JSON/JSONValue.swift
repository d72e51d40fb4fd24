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
  /// The members in file order; the parser has refused repeated names.
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
}

/// One name and its value.
package struct JSONMember: Sendable {
  /// The name, unescaped.
  package let name: String
  /// The value.
  package let value: JSONValue
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
