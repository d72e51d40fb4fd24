import Foundation
import Testing

@testable import ModelFiles

/// A text and what Hugging Face's tokenizer answered.
struct TokenizerCase {
  let text: String
  let expected: Encoding

  /// Reads a file of cases, one JSON object a line: `{"text", "ids", "offsets"}`.
  static func read(_ path: String) throws -> [TokenizerCase] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try data.split(separator: UInt8(ascii: "\n")).map { line in
      let value = try Array(line).withUnsafeBytes { try JSONValue(parsing: $0) }
      guard case .object(let members) = value else { throw Malformed() }
      var text: String?
      var expected = Encoding(ids: [], offsets: [])
      for member in members {
        switch (member.name, member.value) {
        case ("text", .string(let string)): text = string
        case ("ids", .array(let ids)): expected.ids = try ids.map { Int32(try integer($0)) }
        case ("offsets", .array(let pairs)): expected.offsets = try pairs.map(range)
        default: throw Malformed()
        }
      }
      guard let text else { throw Malformed() }
      return TokenizerCase(text: text, expected: expected)
    }
  }

  /// Expects the tokenizer to answer the same.
  func check(_ tokenizer: WordPieceTokenizer, _ location: SourceLocation = #_sourceLocation) {
    let actual = tokenizer.encode(text)
    let scalars = text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
    #expect(actual.ids == expected.ids, "text \(scalars)", sourceLocation: location)
    #expect(actual.offsets == expected.offsets, "text \(scalars)", sourceLocation: location)
  }

  private struct Malformed: Error {}

  private static func integer(_ value: JSONValue) throws -> Int {
    guard case .integer(let integer) = value else { throw Malformed() }
    return integer
  }

  private static func range(_ value: JSONValue) throws -> Range<Int> {
    guard case .array(let pair) = value, pair.count == 2 else { throw Malformed() }
    return try integer(pair[0])..<integer(pair[1])
  }
}
