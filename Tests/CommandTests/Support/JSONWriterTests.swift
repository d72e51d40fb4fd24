import Testing

@testable import WeftCommand

@Suite struct JSONWriterTests {
  private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return writer.string
  }

  @Test func containersAndCommas() {
    let json = written { writer in
      writer.beginObject()
      writer.name("a")
      writer.beginArray()
      for value in 1...3 { writer.integer(value) }
      writer.beginObject()
      writer.endObject()
      writer.beginArray()
      writer.endArray()
      writer.endArray()
      writer.name("b")
      writer.boolean(true)
      writer.name("c")
      writer.null()
      writer.endObject()
      writer.newline()
      writer.beginArray()
      writer.endArray()
    }
    #expect(json == "{\"a\":[1,2,3,{},[]],\"b\":true,\"c\":null}\n[]")
  }

  @Test func stringsEscapeOnlyWhatTheyMust() {
    #expect(
      written { $0.string("\"\\/\n\r\t\0\u{1}\u{1F}\u{7F}é王😀\u{2028}") }
        == #""\"\\/\n\r\t\u0000\u0001\u001f"# + "\u{7F}é王😀\u{2028}\"")
  }

  @Test func everyStringReadsBack() throws {
    let text = (0..<0x250).compactMap(Unicode.Scalar.init).map(String.init).joined()
    let json = written { writer in
      writer.beginObject()
      writer.name("text")
      writer.string(text)
      writer.endObject()
    }
    #expect(try JSONLine(Array(json.utf8)).text == text)
  }

  @Test(
    arguments: [
      (0.1, "0.1"), (1, "1.0"), (-0.0, "-0.0"), (1e-10, "1e-10"), (3.4028235e38, "3.4028235e+38"),
      (16_777_216, "16777216.0"), (.infinity, "null"), (.nan, "null"),
    ] as [(Float, String)])
  func numbersAreShortAndExact(value: Float, json: String) {
    #expect(written { $0.number(value) } == json)
    if value.isFinite { #expect(Float(json)?.bitPattern == value.bitPattern) }
  }

  @Test func entitiesKeepTheirOrder() throws {
    var writer = JSONWriter()
    let line = try JSONLine(Array(#"{"id":"a","text":"Jo ran"}"#.utf8))
    let entity = EntityRecord(
      start: 0, end: 2, label: "PER", text: "Jo", score: 2.5, probability: 0.9241418)
    OutputRecord.write(.entities([entity, entity]), of: line, number: 1, to: &writer)
    let one =
      #"{"start":0,"end":2,"label":"PER","text":"Jo","score":2.5,"probability":0.9241418}"#
    #expect(writer.string == #"{"id":"a","text":"Jo ran","entities":[\#(one),\#(one)]}"# + "\n")
  }

  @Test func failuresNameTheLine() {
    var writer = JSONWriter()
    OutputRecord.writeFailure(line: 12, message: "no \"text\" member", to: &writer)
    #expect(writer.string == #"{"line":12,"error":"no \"text\" member"}"# + "\n")
    writer.removeAll()
    #expect(writer.bytes.isEmpty)
  }
}

@Suite struct ReportEncoderTests {
  private struct Inner: Encodable {
    let z: Float
    let a: [Int]
    let missing: String?
  }

  private struct Nested: Report {
    func text(on terminal: Terminal) -> String { "" }

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: FieldName.self)
      try fields.encode(1.0, forKey: "whole")
      try fields.encode(String?.none, forKey: "nothing")
      var object = fields.nestedContainer(keyedBy: FieldName.self, forKey: "b \"quoted\"")
      try object.encode(UInt64.max, forKey: "large")
      var list = object.nestedUnkeyedContainer(forKey: "list")
      try list.encode(true)
      try list.encodeNil()
      var element = list.nestedContainer(keyedBy: FieldName.self)
      try element.encode("é\n", forKey: "text")
      try list.encode(Inner(z: 0.1, a: [], missing: nil))
      #expect(list.count == 4)
      try fields.encode([Double.nan, -0.0, 1e300], forKey: "a")
    }
  }

  @Test func membersKeepTheirOrderAndNumbersTheirForm() throws {
    let json =
      #"{"whole":1.0,"nothing":null,"b \"quoted\"":{"large":18446744073709551615,"#
      + #""list":[true,null,{"text":"é\n"},{"z":0.1,"a":[]}]},"a":[null,-0.0,1e+300]}"# + "\n"
    #expect(try Nested().json() == json)
    #expect(try Nested().json() == json)
  }

  @Test func valuesThatAreNoObjects() throws {
    #expect(try ReportEncoder.line([Int8(-1), 2]) == "[-1,2]\n")
    #expect(try ReportEncoder.line("a") == "\"a\"\n")
    #expect(try ReportEncoder.line([String: Int]()) == "{}\n")
    #expect(try ReportEncoder.line(Inner(z: 2, a: [3], missing: "m")) == #"{"z":2.0,"a":[3],"missing":"m"}"# + "\n")
  }
}
