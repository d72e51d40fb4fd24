import Foundation
import Testing

@testable import ModelFiles

@Suite struct JSONTests {
  private func parse(_ text: String) throws -> JSONValue {
    try parse(Array(text.utf8))
  }

  private func parse(_ bytes: [UInt8]) throws -> JSONValue {
    try bytes.withUnsafeBytes { bytes throws(JSONFault) in try JSONValue(parsing: bytes) }
  }

  @Test func values() throws {
    let value = try parse(
      #" {"a": [1, -2.5e2, true, false, null, {}, []], "b\n": "\u00e9\ud83d\ude00\"\\\/" } "#)
    guard case .object(let members) = value, members.count == 2,
      case .array(let elements) = members[0].value, case .string(let text) = members[1].value
    else {
      Issue.record("another structure: \(value)")
      return
    }
    #expect(
      elements.map(\.kind) == [
        "an integer", "a number", "a boolean", "a boolean", "null", "an object", "an array",
      ])
    #expect(members[1].name == "b\n")
    #expect(Array(text.unicodeScalars) == ["\u{E9}", "\u{1F600}", "\"", "\\", "/"])
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "1.", ".5", "+1", "1e",
    "1e400",
    "-", "tru", "nul", "[1 2]", "1 2", "\"", "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
    "\"\\udc00\"", "\"\\ud800\\u0041\"", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1,\"a\":2}", "NaN",
    "\u{FEFF}1", "{\"a\":1}x", "\u{0}",
  ])
  func refused(text: String) { #expect(throws: JSONFault.self) { try parse(text) } }

  @Test func invalidUTF8IsRefused() {
    for bytes: [UInt8] in [
      [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80],
    ] {
      #expect(throws: JSONFault.self) { try parse([0x22] + bytes + [0x22]) }
      #expect(throws: JSONFault.self) { try parse([0x22, 0x5C, 0x6E] + bytes + [0x22]) }
    }
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(JSONScanner.Rules.document.depthLimit))
    #expect(throws: JSONFault.self) { try parse(nested(JSONScanner.Rules.document.depthLimit + 1)) }
    #expect(throws: JSONFault.self) { try parse(String(repeating: "[", count: 1_000_000)) }
  }

  @Test(arguments: [
    ("", 0, "expected a value, found the end of the text"), ("[1", 2, "expected ',' or ']', found the end of the text"),
    ("{\"a\":tru}", 5, "expected 'true', found 't'"), ("[-Inf]", 2, "expected 'Infinity', found 'I'"),
    ("1 \u{1}", 2, "expected the end of the text, found byte 0x1"), ("{\"a\" 1}", 5, "expected ':', found '1'"),
    ("{a:1}", 1, "expected a member name in quotes, found 'a'"), ("[1.]", 3, "expected a digit, found ']'"),
    ("[\"a\n\"]", 3, "a raw control character in a string"), ("\"a", 2, "an unterminated string"),
    ("\"\\x\"", 2, "expected an escape such as \\n or \\u00e9, found 'x'"),
    ("\"\\u12g4\"", 5, "expected four hexadecimal digits, found 'g'"),
    ("\"ab\\ud800\\n\"", 3, "half a surrogate pair"), ("[1e400]", 1, "a number out of range"),
    ("{\"a\":1,\"a\":2}", 7, "the name 'a' appears twice"),
  ])
  func faultsNameTheirPlace(text: String, position: Int, problem: String) {
    #expect(throws: JSONFault.malformed(reason: problem, position: position)) { try parse(text) }
  }

  /// A line and a document are read with one grammar. Lines differ in what is said here, and nothing else.
  @Test(arguments: [
    ("{\"a\":1,\"a\":2}", true, false), ("{\"a\":1e400}", true, false), ("{\"a\":\"\\ud800\"}", true, false),
    ("{\"a\":Infinity}", false, true), ("{\"a\":-Infinity}", false, true), ("{\"a\":NaN}", false, false),
    ("{\"a\":[1, {\"b\": null}, true, -0.5e+3, \"\\u00e9\"]} ", true, true), ("{\"a\":[1,]}", false, false),
    ("{\"a\":01}", false, false), ("{\"a\":1}{}", false, false), ("\u{FEFF}{}", false, false), ("{}", true, true),
  ])
  func linesAndDocumentsShareAGrammar(text: String, asLine: Bool, asDocument: Bool) {
    #expect(((try? JSONRawMember.members(of: Array(text.utf8))) != nil) == asLine)
    #expect(((try? parse(text)) != nil) == asDocument)
  }

  @Test func membersOfALineStandAsTheyAre() throws {
    let text = " { \"\\u0061\" : [ 1 , {\"b\":2} ] , \"\\ud800\":1e400,\"c\":\"}\" } "
    let bytes = Array(text.utf8)
    let members = try #require(try JSONRawMember.members(of: bytes))
    func written(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    #expect(members.map(\.name) == ["a", nil, "c"])
    #expect(members.map { written($0.rawName) } == ["\"\\u0061\"", "\"\\ud800\"", "\"c\""])
    #expect(members.map { written($0.rawValue) } == ["[ 1 , {\"b\":2} ]", "1e400", "\"}\""])
    #expect(try JSONRawMember.members(of: Array("[{\"a\":1}]".utf8)) == nil)
  }

  @Test func equivalentNamesAreDifferentNames() throws {
    guard case .object(let members) = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}") else {
      Issue.record("an object expected")
      return
    }
    #expect(members.map { $0.name.utf8.count } == [2, 3])
  }

  @Test func damagedTextNeverCrashes() {
    let valid = Array(#"{"a":[1,-2.5e2,true,null,{"é":"\u00e9\n"}],"b":{"c":"d"}}"#.utf8)
    var random = Seeded(3)
    for _ in 0..<20_000 {
      var bytes = valid
      for _ in 0...Int.random(in: 0...2, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      let ours = (try? parse(bytes)) != nil
      if ours {  // what we accept, Foundation accepts too
        #expect((try? JSONSerialization.jsonObject(with: Data(bytes))) != nil)
      }
    }
  }

  @Test func fieldsNameTheirPlace() throws {
    let scratch = try Scratch()
    let file = try scratch.write("c.json", #"{"a": {"b": [{"c": 1}]}, "n": null, "i": 7}"#)
    let fields = try JSONFields(file: file)
    let inner = try #require(try fields.object("a")?.objects("b")?.first)
    #expect(try inner.integer("c", in: 0...1) == 1)
    #expect(failure { try inner.string("c") }?.subject == "field 'a.b[0].c'")
    #expect(
      failure { try inner.required("d") }?.description == "\(file): field 'a.b[0].d': is missing")
    #expect(failure { try fields.integer("i", in: 0...6) }?.problem == "7 is not between 0 and 6")
    #expect(try fields.string("n") == nil && fields.bool("z") == nil)
    #expect(failure { try JSONFields(file: try scratch.write("d.json", "[1]")) } != nil)
    #expect(
      failure { try JSONFields(file: try scratch.write("e.json", "{\"a\": }")) }?.problem
        == "not valid JSON at byte 6: expected a value, found '}'")
  }

  @Test func fieldsOfALine() throws {
    func fields(_ text: String) throws(ModelFileError) -> JSONFields { try JSONFields(line: Array(text.utf8), of: "l") }
    let line = try fields(#" {"a": {"b": [1, "x"]}, "c": "d"} "#)
    #expect(try line.string("c") == "d" && line.file == "l")
    let inner = try #require(try line.object("a"))
    #expect(try inner.array("b")?.count == 2)
    #expect(failure { try inner.strings("b") }?.description == "l: field 'a.b[0]': a string expected, an integer found")
    for (text, problem) in [
      ("", "not valid JSON"), ("{\"a\":1", "not valid JSON"), ("{} {}", "not valid JSON"),
      ("{\"a\":1}\n{}", "not valid JSON"),
      ("[1]", "an object expected, an array found"), ("null", "an object expected, null found"),
    ] {
      #expect(failure { try fields(text) }?.description == "l: \(problem)", "\(text)")
    }
  }
}
