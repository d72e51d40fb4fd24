import Foundation
import Testing

@testable import ModelFiles

@Suite struct JSONTests {
  private func parse(_ text: String) throws -> JSONValue {
    try parse(Array(text.utf8))
  }

  private func parse(_ bytes: [UInt8]) throws -> JSONValue {
    try bytes.withUnsafeBytes { bytes throws(JSONParser.Fault) in try JSONParser.parse(bytes) }
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
  func refused(text: String) { #expect(throws: JSONParser.Fault.self) { try parse(text) } }

  @Test func invalidUTF8IsRefused() {
    for bytes: [UInt8] in [
      [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80],
    ] {
      #expect(throws: JSONParser.Fault.self) { try parse([0x22] + bytes + [0x22]) }
      #expect(throws: JSONParser.Fault.self) { try parse([0x22, 0x5C, 0x6E] + bytes + [0x22]) }
    }
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(JSONParser.depthLimit))
    #expect(throws: JSONParser.Fault.self) { try parse(nested(JSONParser.depthLimit + 1)) }
    #expect(throws: JSONParser.Fault.self) { try parse(String(repeating: "[", count: 1_000_000)) }
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
        == "not valid JSON at byte 6: a value expected")
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
