import Foundation
import Testing

/// `weft extract` from text to entities.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct ExtractTests {
  @Test func linesComeBackInOrderWithEntities() async throws {
    let run = try await Weft.run("extract", input: Samples.jsonLines(Samples.sentences))
    #expect(run.status == 0)
    #expect(run.errorText.isEmpty)
    let objects = try run.objects()
    #expect(try objects.map { try $0.integer("id") } == Array(Samples.sentences.indices))
    #expect(try objects.map { try $0.string("text") } == Samples.sentences)
    let first = try objects[0].objects("entities")
    #expect(try first.contains { try $0.string("text") == "Mr. Reed" && $0.string("label") == "PER" })
    #expect(try objects[4].objects("entities").isEmpty, "an empty text has no entities")
    for entity in try objects.flatMap({ try $0.objects("entities") }) {
      #expect(entity.names == ["start", "end", "label", "text", "score", "probability"])
      let score = try entity.number("score")
      #expect(score > 0)
      #expect(abs(try entity.number("probability") - 1 / (1 + exp(-2 * score))) < 1e-6)
    }
  }

  @Test func otherFieldsPassThroughByteForByte() async throws {
    let input = #"""
      {"z":1.50,"text":"It rained.","big":123456789012345678901234567890,"e":1e400,"s":"\u00e9\/é"}
      {"nested":{"a":[1, 2,{"b" : null}]},"text":"\u0049t rained.","id":"x-7"}
      {"text":"It rained.","id":null,"entities":[{"start":0}],"text2":""}
      {"text":"first","text":"It rained.","id":{"k":[]}}
      """#
    let run = try await Weft.run("extract", input: input)
    #expect(run.status == 0)
    let expected = #"""
      {"id":1,"z":1.50,"text":"It rained.","big":123456789012345678901234567890,"e":1e400,"s":"\u00e9\/é","entities":[]}
      {"id":"x-7","nested":{"a":[1, 2,{"b" : null}]},"text":"\u0049t rained.","entities":[]}
      {"id":null,"text":"It rained.","text2":"","entities":[]}
      {"id":{"k":[]},"text":"It rained.","entities":[]}
      """#
    #expect(run.lines == expected.split(separator: "\n").map(String.init))
  }

  @Test func linesWithoutIdsAreNumbered() async throws {
    let run = try await Weft.run("extract", input: "{\"text\":\"Yes!\"}\n\n  \n{\"text\":\"No!\"}")
    #expect(try run.objects().map { try $0.integer("id") } == [1, 4], "as an editor counts them")
  }

  @Test func plainLines() async throws {
    let run = try await Weft.run("extract", "--lines", input: "Mr. Reed\t\"left\".\r\n\n{\"text\": 1}\n")
    #expect(run.status == 0)
    let objects = try run.objects()
    #expect(try objects.map { try $0.string("text") } == ["Mr. Reed\t\"left\".", "", "{\"text\": 1}"])
    #expect(try objects[0].objects("entities").contains { try $0.string("text") == "Mr. Reed" })
    #expect(try objects[1].objects("entities").isEmpty)
  }

  @Test func severalInputsAndStandardInputAmongThem() async throws {
    let folder = try TemporaryFolder()
    let first = try folder.file("first.jsonl", "{\"text\":\"Mr. Reed\"}\n{\"text\":\"1\"}".utf8)
    let last = try folder.file("last.jsonl", "\u{FEFF}{\"text\":\"2\"}\n".utf8)
    let run = try await Weft.run("extract", first, "-", last, input: "{\"text\":\"-\"}\n")
    #expect(run.status == 0)
    #expect(try run.objects().map { try $0.string("text") } == ["Mr. Reed", "1", "-", "2"])
    #expect(try run.objects().map { try $0.integer("id") } == [1, 2, 3, 4])

    let piped = try await Weft.shell("cat first.jsonl | \"$WEFT\" extract", directory: folder.path)
    #expect(piped.status == 0)
    #expect(piped.lines == Array(run.lines.prefix(2)))
  }

  @Test func emptyInputGivesEmptyOutput() async throws {
    for input in ["", "\n", "\n \n"] {
      let run = try await Weft.run("extract", input: input)
      #expect(run.status == 0)
      #expect(run.output.isEmpty && run.errorText.isEmpty)
    }
  }

  @Test func thresholdMovesTheLine() async throws {
    let input = Samples.jsonLines(Samples.sentences)
    func scores(_ threshold: String) async throws -> [Double] {
      let run = try await Weft.run("extract", "--threshold", threshold, input: input)
      #expect(run.status == 0)
      return try run.objects().flatMap { try $0.objects("entities").map { try $0.number("score") } }
    }
    let usual = try await scores("0")
    let strict = try await scores("4.5")
    let lenient = try await scores("-1")
    #expect(strict == usual.filter { $0 > 4.5 } && strict.count < usual.count)
    #expect(usual == lenient.filter { $0 > 0 } && usual.count < lenient.count)
    #expect(lenient.allSatisfy { $0 > -1 })
    #expect(try await scores("inf").isEmpty)
  }

  @Test func flatModeHasNoOverlaps() async throws {
    let input = Samples.jsonLines(Samples.sentences)
    let nested = try await Weft.run("extract", input: input).objects()
    let flat = try await Weft.run("extract", "--mode", "flat", input: input).objects()
    var hasNesting = false
    for (all, chosen) in zip(nested, flat) {
      let all = try all.objects("entities").map { try Span($0) }
      let chosen = try chosen.objects("entities").map { try Span($0) }
      #expect(Set(chosen).isSubset(of: all))
      for (index, span) in chosen.enumerated() {
        #expect(!chosen[..<index].contains { $0.range.overlaps(span.range) })
      }
      for span in all {  // what was left out gave way to something at least as good
        #expect(chosen.contains { $0.range.overlaps(span.range) && $0.score >= span.score })
      }
      hasNesting = hasNesting || chosen.count < all.count
    }
    #expect(hasNesting, "the samples should nest")
  }

  @Test(arguments: ["codepoint", "utf16", "utf8"])
  func offsetsCutTheText(unit: String) async throws {
    let run = try await Weft.run(
      "extract", "--offsets", unit, input: Samples.jsonLines(Samples.manyScripts))
    #expect(run.status == 0)
    for object in try run.objects() {
      let text = try object.string("text")
      let entities = try object.objects("entities")
      #expect(!entities.isEmpty, "\(text)")
      for entity in entities {
        let (start, end) = (try entity.integer("start"), try entity.integer("end"))
        let expected = try entity.string("text")
        switch unit {
        case "codepoint":
          #expect(Array(text.unicodeScalars)[start..<end].elementsEqual(expected.unicodeScalars))
        case "utf16": #expect(Array(text.utf16)[start..<end].elementsEqual(expected.utf16))
        default: #expect(Array(text.utf8)[start..<end].elementsEqual(expected.utf8))
        }
      }
    }
  }

  private struct Span: Hashable {
    let range: Range<Int>
    let label: String
    let score: Double

    init(_ entity: JSONObject) throws {
      range = try entity.integer("start")..<entity.integer("end")
      label = try entity.string("label")
      score = try entity.number("score")
    }
  }
}
