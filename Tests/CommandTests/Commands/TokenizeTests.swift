import Testing

/// `weft tokenize` needs no device.
@Suite struct TokenizeTests {
  @Test func formatIsOneObjectALine() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("in.jsonl", "{\"text\":\"\"}\n\n{\"id\":7,\"text\":\"Café 漢\"}".utf8)
    let run = try await Weft.run("tokenize", "--model", Places.tinyModel, "-", file, input: "{\"text\":\"the\"}")
    #expect(run.status == 0 && run.errorText.isEmpty)
    let lines = try run.objects()
    #expect(lines.count == 3)
    for line in lines {
      #expect(line.names == ["ids", "offsets", "tokens"])
      let tokens = try line.strings("tokens")
      #expect(tokens.first == "[CLS]" && tokens.last == "[SEP]")
      let offsets = try line.pairs("offsets")
      #expect(offsets.first == [0, 0] && offsets.last == [0, 0])
      #expect(try line.integers("ids").count == tokens.count && offsets.count == tokens.count)
    }
    #expect(try lines[0].strings("tokens") == ["[CLS]", "the", "[SEP]"])
    #expect(try lines[0].pairs("offsets")[1] == [0, 3])
    #expect(try lines[1].strings("tokens").count == 2)
    #expect(try lines[2].pairs("offsets").dropLast().last == [5, 6], "in code points")
  }

  @Test func bundledModelIsTheDefault() async throws {
    let input = "{\"text\":\"Mr. Reed met his aunt in London.\"}"
    let usual = try await Weft.run("tokenize", input: input)
    let named = try await Weft.run("tokenize", "--model", Places.tinyModel, input: input)
    #expect(usual.status == 0 && usual.output == named.output)
  }
}
