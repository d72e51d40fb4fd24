internal import Foundation
internal import ModelFiles

/// What a command found, for people and for programs: one value with a text and, by `Encodable`, a JSON form.
protocol Report: Encodable {
  /// The report for people, line breaks included.
  func text(on terminal: Terminal) -> String
}

extension Report {
  /// One JSON object on one line, the line break included. Members come in the order in which they are encoded.
  func json() throws -> String { try ReportEncoder.line(self) }

  /// Writes the report to standard output, as JSON or as text. A reader that has gone is no failure.
  /// - Throws: `OutputError` if it cannot be written, as on a full disk.
  func show(json: Bool) throws {
    try printReport(json ? self.json() : text(on: Terminal(describing: STDOUT_FILENO)))
  }
}

/// Writes a text to standard output, without what names in it could do to a terminal. A reader that has gone is no
/// failure.
/// - Throws: `OutputError` if it cannot be written, as on a full disk.
func printReport(_ text: String) throws(OutputError) {
  do throws(OutputError) {
    let output = try OutputFile(path: nil)
    try output.write(text.printableStyledLines.utf8)
    try output.commit()
  } catch {
    guard error == .readerLeft else { throw error }
  }
}

/// The name of a member that no enumeration lists.
struct FieldName: CodingKey, ExpressibleByStringLiteral {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.init(stringValue) }
  init(stringLiteral name: String) { self.init(name) }
  init?(intValue: Int) { nil }
}

/// Encodes a value as compact JSON with ``JSONWriter``: members in the order in which the value encodes them, numbers as
/// all other JSON of the command has them. Foundation's encoder has an order of its own and writes 1.0 as 1.
///
/// A value asks its encoder for one container, as synthesised conformances do.
struct ReportEncoder: Encoder {
  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]
  private let output = Output()

  /// A value on a line of its own.
  static func line(_ value: some Encodable) throws -> String {
    let encoder = ReportEncoder()
    try encoder.output.encode(value, by: encoder)
    encoder.output.writer.newline()
    return encoder.output.writer.string
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Members(encoder: self, depth: output.open(.object)))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { Elements(encoder: self, depth: output.open(.array)) }

  func singleValueContainer() -> any SingleValueEncodingContainer { Scalar(encoder: self) }

  // MARK: Parts

  /// What has been written, and what has to be closed. A container is not told of its end: it ends when one around it
  /// goes on.
  private final class Output {
    enum Container { case array, object }

    var writer = JSONWriter()
    private var containers: [Container] = []

    /// - Returns: how many containers are open now.
    func open(_ container: Container) -> Int {
      switch container {
      case .array: writer.beginArray()
      case .object: writer.beginObject()
      }
      containers.append(container)
      return containers.count
    }

    func close(to depth: Int) {
      while containers.count > depth {
        switch containers.removeLast() {
        case .array: writer.endArray()
        case .object: writer.endObject()
        }
      }
    }

    func encode(_ value: some Encodable, by encoder: ReportEncoder) throws {
      let depth = containers.count
      try value.encode(to: encoder)
      close(to: depth)
    }
  }

  private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let codingPath: [any CodingKey] = []
    let encoder: ReportEncoder
    let depth: Int

    private func begin(_ key: Key) {
      encoder.output.close(to: depth)
      encoder.output.writer.name(key.stringValue)
    }

    func encodeNil(forKey key: Key) {
      begin(key)
      encoder.output.writer.null()
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
      begin(key)
      try encoder.output.encode(value, by: encoder)
    }

    func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
      begin(key)
      return encoder.container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      begin(key)
      return encoder.unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
      encoder.output.close(to: depth)
      encoder.output.writer.name("super")
      return encoder
    }

    func superEncoder(forKey key: Key) -> any Encoder {
      begin(key)
      return encoder
    }
  }

  private struct Elements: UnkeyedEncodingContainer {
    let codingPath: [any CodingKey] = []
    let encoder: ReportEncoder
    let depth: Int
    private(set) var count = 0

    init(encoder: ReportEncoder, depth: Int) { (self.encoder, self.depth) = (encoder, depth) }

    private mutating func begin() {
      encoder.output.close(to: depth)
      count += 1
    }

    mutating func encodeNil() {
      begin()
      encoder.output.writer.null()
    }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
      begin()
      try encoder.output.encode(value, by: encoder)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
      begin()
      return encoder.container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
      begin()
      return encoder.unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
      begin()
      return encoder
    }
  }

  private struct Scalar: SingleValueEncodingContainer {
    let codingPath: [any CodingKey] = []
    let encoder: ReportEncoder

    func encodeNil() { encoder.output.writer.null() }
    func encode(_ value: Bool) { encoder.output.writer.boolean(value) }
    func encode(_ value: String) { encoder.output.writer.string(value) }
    func encode(_ value: Double) { encoder.output.writer.number(value) }
    func encode(_ value: Float) { encoder.output.writer.number(value) }
    func encode<Integer: BinaryInteger & Encodable>(_ value: Integer) { encoder.output.writer.integer(value) }
    func encode<Value: Encodable>(_ value: Value) throws { try encoder.output.encode(value, by: encoder) }
  }
}
