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
