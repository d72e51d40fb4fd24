import Testing

/// A result depends on its text alone: not on the batch, the order or the run.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct RepeatabilityTests {
  private let input = Samples.manyLines.joined(separator: "\n")

  @Test(arguments: ["1", "50", "2048", "100000"])
  func outputDoesNotDependOnTheBatch(tokens: String) async throws {
    let usual = try await Weft.run("extract", input: input)
    let batched = try await Weft.run("extract", "--batch-tokens", tokens, input: input)
    #expect(usual.status == 0 && usual.lines.count == Samples.manyLines.count)
    #expect(batched.status == 0)
    #expect(batched.output == usual.output)
  }

  @Test func outputDoesNotDependOnTheOrder() async throws {
    let usual = try await Weft.run("extract", "--batch-tokens", "200", input: input)
    let count = Samples.manyLines.count
    // Steps of a number without a common factor visit every line once.
    let order = (0..<count).map { $0 * 37 % count }
    let shuffled = order.map { Samples.manyLines[$0] }.joined(separator: "\n")
    let run = try await Weft.run("extract", "--batch-tokens", "200", input: shuffled)
    #expect(run.status == 0)
    #expect(run.lines == order.map { usual.lines[$0] })
  }

  /// A text longer than the encoder's 512 positions is read in windows, to its end.
  @Test func longTextsAreReadWhole() async throws {
    let sentence = Samples.sentences[1]
    let text = Array(repeating: sentence, count: 60).joined(separator: " ")
    var outputs: Set<String> = []
    for tokens in ["1", "700", "100000"] {
      let run = try await Weft.run(
        "extract", "--batch-tokens", tokens, input: "{\"text\":\"\(text)\"}\n{\"text\":\"Mr. Reed\"}")
      #expect(run.status == 0)
      outputs.insert(run.text)
    }
    #expect(outputs.count == 1)
    let run = try #require(outputs.first).split(separator: "\n").map { try JSONObject(String($0)) }
    let starts = try run[0].objects("entities").map { try $0.integer("start") }
    #expect(try #require(starts.max()) > text.count - sentence.count)
    #expect(starts == starts.sorted())
  }
}
