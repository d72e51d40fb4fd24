import ModelFiles
import Testing

@testable import WeftCommand

@Suite struct JSONLineTests {
  private func line(_ json: String) throws(JSONLineError) -> JSONLine {
    try JSONLine(Array(json.utf8))
  }

  private func error(_ json: String) -> JSONLineError? { error(Array(json.utf8)) }

  private func error(_ bytes: [UInt8]) -> JSONLineError? {
    do throws(JSONLineError) {
      _ = try JSONLine(bytes)
      return nil
    } catch {
      return error
    }
  }

  private func output(_ json: String, number: Int = 7) throws -> String {
    var writer = JSONWriter()
    try line(json).write(to: &writer, number: number, replacing: ["entities"]) { writer in
      writer.name("entities")
      writer.beginArray()
      writer.endArray()
    }
    return writer.string
  }

  // MARK: Text

  @Test(arguments: [
    (#"{"text":"plain"}"#, "plain"),
    (" \t{ \"text\" : \"spaced\" } \r", "spaced"),
    (#"{"text":""}"#, ""),
    (#"{"text":"caf\u00e9 \ud83d\uDE00 \"\\\/\b\f\n\r\t"}"#, "café 😀 \"\\/\u{8}\u{C}\n\r\t"),
    (#"{"text":"a\u0000b"}"#, "a\0b"),
    (#"{"text":"\uFFFF\u10FFFF"}"#, "\u{FFFF}\u{10FF}FF"),
    (#"{"te\u0078t":"escaped name"}"#, "escaped name"),
    (#"{"text":"first","text":"last"}"#, "last"),
    (#"{"text":1,"text":"last"}"#, "last"),
    ("{\"text\":\"\u{2028}王\u{7F}\"}", "\u{2028}王\u{7F}"),
    (#"{"\ud800":1,"text":"odd name"}"#, "odd name"),
  ])
  func textIsDecoded(json: String, text: String) throws {
    #expect(try Array(line(json).text.unicodeScalars) == Array(text.unicodeScalars))
  }

  // MARK: Errors

  @Test(arguments: [
    "{}", #"{"Text":"a"}"#, #"{"text ":"a"}"#, #"{"inner":{"text":"a"}}"#, #"{"\ud800":"a"}"#,
  ])
  func textMayNotBeMissing(json: String) {
    #expect(error(json) == .missingText)
  }

  @Test(arguments: [
    ("1e400", "a number"), ("null", "null"), ("true", "a boolean"), ("[\"a\"]", "an array"),
    (#"{"a":"b"}"#, "an object"),
  ])
  func textMustBeAString(value: String, type: String) {
    #expect(error(#"{"text":\#(value)}"#) == .textNotAString(type: type))
    #expect(error(#"{"text":"first","text":\#(value)}"#) == .textNotAString(type: type))
  }

  @Test(arguments: ["[]", "3", "\"text\"", "null", " [ 1 , {} ] "])
  func lineMustBeAnObject(json: String) {
    #expect(error(json) == .notAnObject)
  }

  @Test(arguments: [
    "", " ", "{", "}", "{\"text\"", "{\"text\":", "{\"text\":}", "{\"text\":\"a\"",
    "{\"text\":\"a}",
    "{\"text\":\"a\",}", "{\"text\":\"a\"}}", "{\"text\":\"a\"} x", "{\"text\":\"a\"}{}",
    "{text:\"a\"}", "{'text':'a'}", "{\"text\" \"a\"}", "{\"text\":\"a\" \"b\":1}", "{,}",
    "{\"text\":\"\\x\"}", "{\"text\":\"\\u12g4\"}", "{\"text\":\"\\u12\"}", "{\"text\":\"\\\"}",
    "{\"text\":\"a\tb\"}", "{\"text\":\"a\0b\"}", "{\"text\":\"a\",\"n\":01}",
    "{\"text\":\"a\",\"n\":1.}", "{\"text\":\"a\",\"n\":.5}", "{\"text\":\"a\",\"n\":+1}",
    "{\"text\":\"a\",\"n\":1e}", "{\"text\":\"a\",\"n\":-}", "{\"text\":\"a\",\"n\":NaN}",
    "{\"text\":\"a\",\"n\":Infinity}", "{\"text\":\"a\",\"n\":tru}", "{\"text\":\"a\",\"n\":True}",
    "{\"text\":\"a\",\"n\":[1,]}", "{\"text\":\"a\",\"n\":[1 2]}", "{\"text\":\"a\",\"n\":[}",
    "{\"text\":\"a\",\"n\":{\"k\"}}", "{\"text\":\"a\",\"n\":{\"k\":1,}}",
    "{\"text\":\"a\",\"n\":[}]",
    "{\"text\":\"a\"} // no comments", "\u{FEFF}{\"text\":\"a\"}", "[", "[1", "nul",
  ])
  func malformedLinesAreRefused(json: String) throws {
    guard case .malformed(let reason, let offset) = try #require(error(json)) else {
      Issue.record("\(json) gave another error")
      return
    }
    #expect(!reason.isEmpty)
    #expect((0...json.utf8.count).contains(offset))
  }

  @Test(
    arguments: [
      [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
    ] as [[UInt8]])
  func invalidUTF8IsPlaced(bad: [UInt8]) {
    let head = Array(#"{"text":"é"#.utf8)
    #expect(error(head + bad + Array(#"b"}"#.utf8)) == .invalidUTF8(offset: head.count))
  }

  @Test(arguments: [
    #"\ud800"#, #"\udc00"#, #"\ud800a"#, #"\ud800\n"#, #"\ud800\ud800"#, #"\udc00\ud800"#,
  ])
  func textMayNotHoldHalfACharacter(escape: String) {
    #expect(error(#"{"text":"a\#(escape)"}"#) == .unpairedSurrogate)
  }

  @Test func depthIsLimitedWithoutRecursion() {
    let limit = JSONRawMember.depthLimit
    func nested(_ depth: Int, _ open: String, _ core: String, _ close: String) -> String {
      String(repeating: open, count: depth) + core + String(repeating: close, count: depth)
    }
    func record(_ value: String) -> String { #"{"a":\#(value),"text":"t"}"# }
    #expect(error(record(nested(limit - 1, "[", "", "]"))) == nil)
    #expect(error(record(nested(limit - 1, #"{"k":"#, "1", "}"))) == nil)
    #expect(error(record(nested(limit, "[", "", "]"))) == .tooDeep(offset: 5 + limit - 1))
    for deep in [
      record(nested(200_000, "[", "", "]")), String(repeating: "[", count: 200_000),
      record(nested(200_000, #"{"k":"#, "1", "}")),
    ] {
      guard case .tooDeep = error(deep) else {
        Issue.record("a deep line passed")
        return
      }
    }
  }

  @Test func descriptionsAreSentences() {
    #expect(error("{}")?.description == #"no "text" member"#)
    #expect(error(#"{"text":null}"#)?.description == #""text" is null, not a string"#)
    #expect(
      error(#"{"text";1}"#)?.description
        == "malformed JSON at byte 7: expected ':', found ';'")
    #expect(
      error(#"{"text":"a"#)?.description == "malformed JSON at byte 10: an unterminated string")
  }

  // MARK: Output

  @Test func otherMembersPassThroughByteForByte() throws {
    let input =
      #"{"z":123456789012345678901234567890,"text":"t\u0041","b":1e400,"a":[1.50, {"x" : "\ud800"}],"b":-0.0}"#
    #expect(
      try output(input)
        == #"{"id":7,"z":123456789012345678901234567890,"text":"t\u0041","b":1e400,"a":[1.50, {"x" : "\ud800"}],"b":-0.0,"entities":[]}"#
    )
  }

  @Test func identifierComesFirstAsItWas() throws {
    #expect(
      try output(#"{"text":"t","id":"0\u00377"}"#) == #"{"id":"0\u00377","text":"t","entities":[]}"#
    )
    #expect(try output(#"{"id":1e2,"text":"t"}"#) == #"{"id":1e2,"text":"t","entities":[]}"#)
    #expect(try output(#"{"id":null,"text":"t"}"#) == #"{"id":null,"text":"t","entities":[]}"#)
    #expect(
      try output(#"{"id":1,"text":"t","id":{"a":2}}"#)
        == #"{"id":{"a":2},"text":"t","entities":[]}"#)
  }

  @Test func ourOwnMembersAreReplaced() throws {
    #expect(
      try output(#"{"entities":[1],"id":1,"text":"t","ent\u0069ties":2,"x":3}"#)
        == #"{"id":1,"text":"t","x":3,"entities":[]}"#)
    #expect(
      try output(#"{"text":"a","k":1,"text":"b"}"#) == #"{"id":7,"k":1,"text":"b","entities":[]}"#)
  }

  @Test func rawValuesCanBeAskedFor() throws {
    let line = try line(#"{"text":"t","entities":[ 1 ] ,"entities":[2]}"#)
    #expect(line.rawValue(named: "entities").map { Array($0) } == Array("[2]".utf8))
    #expect(line.rawValue(named: "id") == nil)
  }

  @Test func plainTextBecomesALine() throws {
    let line = try JSONLine(plainText: Array("say \"hi\"\t\0".utf8))
    var writer = JSONWriter()
    line.write(to: &writer, number: 3, replacing: []) { _ in }
    #expect(line.text == "say \"hi\"\t\0")
    #expect(writer.string == #"{"id":3,"text":"say \"hi\"\t\u0000"}"#)
    #expect(throws: JSONLineError.invalidUTF8(offset: 1)) {
      try JSONLine(plainText: [0x61, 0xFF])
    }
  }
}
