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
    /// The value's bytes, without the whitespace around it.
    let rawValue: ArraySlice<UInt8>
  }

  let text: String
  /// Every member in the order of the input, `text` and `id` included.
  let members: [Member]

  /// Reads one line, without its line break.
  init(_ bytes: [UInt8]) throws(JSONLineError) {
    if let offset = UTF8Validation.firstInvalidByte(of: bytes) {
      throw .invalidUTF8(offset: offset)
    }
    let all = try Self.scanMembers(bytes[...])

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
    if let offset = UTF8Validation.firstInvalidByte(of: bytes) {
      throw .invalidUTF8(offset: offset)
    }
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

  private static func scanMembers(_ bytes: ArraySlice<UInt8>) throws(JSONLineError) -> [Member] {
    var scanner = JSONScanner(bytes)
    scanner.skipWhitespace()
    guard scanner.take(UInt8(ascii: "{")) else {
      _ = try scanner.scanValue(depth: 0)
      try requireEnd(&scanner)
      throw .notAnObject
    }

    var members: [Member] = []
    scanner.skipWhitespace()
    if !scanner.take(UInt8(ascii: "}")) {
      repeat {
        scanner.skipWhitespace()
        guard scanner.peek() == UInt8(ascii: "\"") else {
          throw scanner.unexpected("a member name in quotes")
        }
        let name = try scanner.scanString()
        scanner.skipWhitespace()
        try scanner.require(UInt8(ascii: ":"))
        scanner.skipWhitespace()
        let value = try scanner.scanValue(depth: 1)
        members.append(Member(name: JSONString.decode(name), rawName: name, rawValue: value))
        scanner.skipWhitespace()
      } while scanner.take(UInt8(ascii: ","))
      guard scanner.take(UInt8(ascii: "}")) else { throw scanner.unexpected("',' or '}'") }
    }
    try requireEnd(&scanner)
    return members
  }

  private static func requireEnd(_ scanner: inout JSONScanner) throws(JSONLineError) {
    scanner.skipWhitespace()
    if !scanner.isAtEnd { throw scanner.unexpected("the end of the line") }
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
}
