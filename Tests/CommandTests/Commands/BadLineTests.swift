import Foundation
import Testing

/// One bad line costs that line, and the exit status says so.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct BadLineTests {
  private static let good = Data(#"{"text":"Mr. Reed met his aunt in London."}"#.utf8)

  private static let badLines: [(String, [UInt8])] = [
    ("malformed JSON at byte 8", Array(#"{"text":}"#.utf8)),
    ("malformed JSON", Array(#"{"text":"a"} x"#.utf8)),
    ("malformed JSON", Array(#"{"text":"a"#.utf8)),
    ("malformed JSON", Array("{\"text\":\"a\u{1}\"}".utf8)),
    ("malformed JSON", Array("Mr. Reed met his aunt.".utf8)),
    ("no \"text\" member", Array(#"{"Text":"a"}"#.utf8)),
    ("\"text\" is a number", Array(#"{"text":7}"#.utf8)),
    ("\"text\" is null", Array(#"{"text":null}"#.utf8)),
    ("\"text\" is an array", Array(#"{"text":["a"]}"#.utf8)),
    ("unpaired surrogate", Array(#"{"text":"\ud83d"}"#.utf8)),
    ("invalid UTF-8 at byte 10", Array(#"{"text":"a"#.utf8) + [0xFF] + Array(#""}"#.utf8)),
    ("nested deeper than 512", Array((#"{"text":"a","x":"# + String(repeating: "[", count: 9_000)).utf8)),
    ("not a JSON object", Array(#"["text"]"#.utf8)),
    ("not a JSON object", Array("7".utf8)),
  ]

  @Test func everyKindIsReportedInItsPlace() async throws {
    var input = Data()
    for (_, bytes) in Self.badLines {
      for line in [Self.good, Data(bytes)] {
        input.append(line)
        input.append(0x0A)
      }
    }
    let run = try await Weft.run(Weft.program, ["extract"], input: input)
    #expect(run.status == 3)
    let objects = try run.objects()
    #expect(objects.count == 2 * Self.badLines.count)
    for (index, object) in objects.enumerated() {
      if index.isMultiple(of: 2) {
        #expect(try object.integer("id") == index + 1)
        #expect(try object.objects("entities").contains { try $0.string("text") == "London" })
      } else {
        #expect(object.names == ["line", "error"])
        #expect(try object.integer("line") == index + 1)
        #expect(try object.string("error").contains(Self.badLines[index / 2].0))
      }
    }
    #expect(run.complaints.count == 1)
    #expect(run.errorText.contains("\(Self.badLines.count) lines could not be used"))
  }

  @Test func plainLinesFailOnlyByTheirBytes() async throws {
    let run = try await Weft.run(
      Weft.program, ["extract", "--lines"], input: Data([0x7B, 0x0A, 0xC3, 0x28, 0x0A]))
    #expect(run.status == 3)
    #expect(try run.objects()[0].string("text") == "{")
    #expect(try run.objects()[1].integer("line") == 2)
    #expect(run.errorText.contains("1 line could not be used"))
  }

  @Test func theFileIsWrittenAllTheSame() async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.run(
      ["extract", "--output", "out.jsonl"], input: "{}\n{\"text\":\"Yes!\"}", directory: folder.path)
    #expect(run.status == 3)
    #expect(run.output.isEmpty)
    #expect(folder.names == ["out.jsonl"])
    #expect(folder.contents(of: "out.jsonl")?.split(separator: "\n").count == 2)
  }

  @Test func tokenizeGoesOnToo() async throws {
    let run = try await Weft.run("tokenize", input: "{\"text\":\"Yes!\"}\n[]\n{\"text\":\"No!\"}")
    #expect(run.status == 3)
    #expect(run.lines.count == 3)
    #expect(try run.objects()[1].integer("line") == 2)
    #expect(run.errorText.contains("1 line could not be used"))
  }
}
