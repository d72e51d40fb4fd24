/// Why one input line cannot be used. The run goes on; the line's output says this.
enum JSONLineError: Error, Equatable, CustomStringConvertible {
  /// The first byte that belongs to no valid UTF-8 sequence, counted from 0.
  case invalidUTF8(offset: Int)
  /// Not JSON: what is wrong, and the byte it was noticed at, counted from 0.
  case malformed(reason: String, offset: Int)
  /// Nested deeper than ``JSONScanner/depthLimit``.
  case tooDeep(offset: Int)
  /// Valid JSON, but an array, a string, a number …
  case notAnObject
  case missingText
  /// `text` holds something else; the type is named as JSON names it.
  case textNotAString(type: String)
  /// `text` holds an escape such as `\ud800` that is half of a character.
  case unpairedSurrogate

  var description: String {
    switch self {
    case .invalidUTF8(let offset): "invalid UTF-8 at byte \(offset)"
    case .malformed(let reason, let offset): "malformed JSON at byte \(offset): \(reason)"
    case .tooDeep(let offset):
      "JSON nested deeper than \(JSONScanner.depthLimit) levels at byte \(offset)"
    case .notAnObject: "the line is not a JSON object"
    case .missingText: "no \"text\" member"
    case .textNotAString(let type): "\"text\" is \(type), not a string"
    case .unpairedSurrogate: "\"text\" holds an unpaired surrogate escape"
    }
  }
}
