/// Builds compact JSON: the same values always give the same bytes.
///
/// The caller opens and closes containers in order; the writer puts commas and colons.
/// Strings escape only what they must, so text stays readable in any language.
struct JSONWriter: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Whether a comma belongs before the next value or name.
  private var needsComma = false

  var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Forgets what was written but keeps the memory.
  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  // MARK: Containers

  mutating func beginObject() { open("{") }
  mutating func endObject() { close("}") }
  mutating func beginArray() { open("[") }
  mutating func endArray() { close("]") }

  /// The name of the object's next member.
  mutating func name(_ name: String) {
    separate()
    escape(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A name that is already JSON, quotes included.
  mutating func rawName(_ name: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  // MARK: Values

  mutating func string(_ value: String) {
    separate()
    escape(value)
    needsComma = true
  }

  mutating func integer(_ value: some BinaryInteger) { raw(String(value).utf8) }

  mutating func boolean(_ value: Bool) { raw((value ? "true" : "false").utf8) }

  mutating func null() { raw("null".utf8) }

  /// The shortest decimal that reads back as the same number; whole numbers keep their `.0`.
  /// JSON has no infinity or NaN: they become `null`.
  mutating func number<Value: BinaryFloatingPoint & CustomStringConvertible>(_ value: Value) {
    if value.isFinite { raw(value.description.utf8) } else { null() }
  }

  /// A value that is already JSON.
  mutating func raw(_ value: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: value)
    needsComma = true
  }

  // MARK: Members

  mutating func field(_ name: String, _ value: String?) {
    self.name(name)
    if let value { string(value) } else { null() }
  }

  mutating func field(_ name: String, _ value: some BinaryInteger) {
    self.name(name)
    integer(value)
  }

  mutating func field<Value: BinaryFloatingPoint & CustomStringConvertible>(_ name: String, _ value: Value?) {
    self.name(name)
    if let value { number(value) } else { null() }
  }

  mutating func field(_ name: String, _ values: [Int]) {
    self.name(name)
    beginArray()
    for value in values { integer(value) }
    endArray()
  }

  mutating func field(_ name: String, _ values: [Double]) {
    self.name(name)
    beginArray()
    for value in values { number(value) }
    endArray()
  }

  /// Ends a line of JSONL.
  mutating func newline() {
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  // MARK: Parts

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    bytes.append(UInt8(ascii: bracket))
    needsComma = false
  }

  private mutating func close(_ bracket: Unicode.Scalar) {
    bytes.append(UInt8(ascii: bracket))
    needsComma = true
  }

  private mutating func escape(_ value: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes.append(contentsOf: [0x5C, byte])
      case UInt8(ascii: "\\"): bytes.append(contentsOf: [0x5C, byte])
      case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
      case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
      case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        bytes.append(contentsOf: (byte < 0x10 ? #"\u000"# : #"\u00"#).utf8)
        bytes.append(contentsOf: digits.utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
