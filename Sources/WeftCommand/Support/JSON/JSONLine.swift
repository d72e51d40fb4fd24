import ModelFiles

/// One line of input: its text, and every other member exactly as it was written.
///
/// Members are kept as raw bytes, because decoding and encoding again would lose digits of large
/// numbers, refuse `1e400`, and shuffle keys. Where a line names `text` or `id` twice the last one
/// counts, as in most readers, and only that one is kept; other duplicates pass through as they are.
struct JSONLine: Sendable {
  /// A top-level member as it stood in the line.
  struct Member: Sendable {
    /// The decoded name; nil where it holds an unpaired surrogate and so equals no name of ours.
    let name: String?
    /// The name's bytes, quotes and escapes included.
    let rawName: ArraySlice<UInt8>
    /// The value's bytes, without the white space around it.
    let rawValue: ArraySlice<UInt8>
  }

  let text: String
  /// Every member in the order of the input, `text` and `id` included.
  let members: [Member]

  /// Reads one line, without its line break.
  init(_ bytes: [UInt8]) throws(JSONLineError) {
    try Self.checkUTF8(bytes)
    let all = try Self.members(of: bytes)
    guard let last = all.last(where: { $0.name == "text" }) else { throw .missingText }
    guard last.rawValue.first == UInt8(ascii: "\"") else {
      throw .textNotAString(type: Self.typeName(of: last.rawValue))
    }
    guard let text = JSONString.decode(last.rawValue) else { throw .unpairedSurrogate }
    self.text = text
    members = Self.keepingLast(of: ["text", "id"], in: all)
  }

  /// A line of plain text: the whole line is the text, and there are no other members.
  init(plainText bytes: [UInt8]) throws(JSONLineError) {
    try Self.checkUTF8(bytes)
    text = String(decoding: bytes, as: UTF8.self)
    var value = JSONWriter()
    value.string(text)
    members = [
      Member(name: "text", rawName: ArraySlice("\"text\"".utf8), rawValue: value.bytes[...])
    ]
  }

  /// The raw value of the last member of that name.
  func rawValue(named name: String) -> ArraySlice<UInt8>? {
    members.last { $0.name == name }?.rawValue
  }

  /// Writes the output object: `id` first, then the other members as they came, then our own.
  ///
  /// The line's `number`, counted from 1, stands in for an absent `id`. Members of the input with
  /// one of the `names`, which are those that `body` writes, are replaced.
  func write(
    to writer: inout JSONWriter, number: Int, replacing names: Set<String>,
    body: (inout JSONWriter) -> Void
  ) {
    writer.beginObject()
    writer.name("id")
    if let id = rawValue(named: "id") { writer.raw(id) } else { writer.integer(number) }
    for member in members where member.name != "id" {
      if let name = member.name, names.contains(name) { continue }
      writer.rawName(member.rawName)
      writer.raw(member.rawValue)
    }
    body(&writer)
    writer.endObject()
  }

  // MARK: Reading

  private static func members(of bytes: [UInt8]) throws(JSONLineError) -> [Member] {
    let found: [JSONRawMember]?
    do throws(JSONFault) { found = try JSONRawMember.members(of: bytes) } catch { throw JSONLineError(error) }
    guard let found else { throw .notAnObject }
    return found.map { Member(name: $0.name, rawName: bytes[$0.rawName], rawValue: bytes[$0.rawValue]) }
  }

  private static func keepingLast(of names: Set<String>, in members: [Member]) -> [Member] {
    var seen: Set<String> = []
    let kept = members.reversed().filter { member in
      guard let name = member.name, names.contains(name) else { return true }
      return seen.insert(name).inserted
    }
    return kept.reversed()
  }

  private static func typeName(of value: ArraySlice<UInt8>) -> String {
    switch value.first {
    case UInt8(ascii: "{"): "an object"
    case UInt8(ascii: "["): "an array"
    case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
    case UInt8(ascii: "n"): "null"
    default: "a number"
    }
  }

  /// Strict UTF-8: no overlong forms, no encoded surrogates, nothing above U+10FFFF.
  private static func checkUTF8(_ bytes: [UInt8]) throws(JSONLineError) {
    if String(validating: bytes, as: UTF8.self) != nil { return }  // the fast, usual case
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let scalar): offset += scalar.count
      case .error: throw .invalidUTF8(offset: offset)
      case .emptyInput: return
      }
    }
  }
}

/// Why one input line cannot be used. The run goes on; the line's output says this.
enum JSONLineError: Error, Equatable, CustomStringConvertible {
  /// The first byte that belongs to no valid UTF-8 sequence, counted from 0.
  case invalidUTF8(offset: Int)
  /// Not JSON: what is wrong, and the byte it was noticed at, counted from 0.
  case malformed(reason: String, offset: Int)
  /// Nested deeper than ``JSONRawMember/depthLimit``.
  case tooDeep(offset: Int)
  /// Valid JSON, but an array, a string, a number …
  case notAnObject
  case missingText
  /// `text` holds something else; the type is named as JSON names it.
  case textNotAString(type: String)
  /// `text` holds an escape such as `\ud800` that is half of a character.
  case unpairedSurrogate

  fileprivate init(_ fault: JSONFault) {
    switch fault {
    case .malformed(let reason, let position): self = .malformed(reason: reason, offset: position)
    case .tooDeep(_, let position): self = .tooDeep(offset: position)
    }
  }

  var description: String {
    switch self {
    case .invalidUTF8(let offset): "invalid UTF-8 at byte \(offset)"
    case .malformed(let reason, let offset): "malformed JSON at byte \(offset): \(reason)"
    case .tooDeep(let offset):
      "JSON nested deeper than \(JSONRawMember.depthLimit) levels at byte \(offset)"
    case .notAnObject: "the line is not a JSON object"
    case .missingText: "no \"text\" member"
    case .textNotAString(let type): "\"text\" is \(type), not a string"
    case .unpairedSurrogate: "\"text\" holds an unpaired surrogate escape"
    }
  }
}

/// Why a line has no result.
struct LineFailure: Error {
  let message: String
}

/// What "start" and "end" count in a line's text.
enum OffsetUnit: String, CaseIterable {
  case codepoint, utf16, utf8
}
