import Foundation
import Testing

/// Whole commands against what PyTorch and Hugging Face's tokenizer gave.
@Suite struct SharedDataTests {
  @Test(
    .enabled(if: Places.hasDevice, "needs an OpenCL device"),
    .enabled(if: Places.hasShared("data/litbank/test.jsonl"), "needs ../shared"),
    arguments: ["litbank-tiny", "litbank-minilm"])
  func evaluationGivesTheReportedF1(name: String) async throws {
    let model = Places.shared("models/\(name)")
    let description = try String(contentsOfFile: model + "/globalpointer.json", encoding: .utf8)
    let reported = try JSONObject(description).object("report").object("test")
    let run = try await Weft.run(
      "evaluate", "--json", "--model", model, Places.shared("data/litbank/test.jsonl"))
    #expect(run.status == 0)
    let micro = try run.object().object("micro")
    for measure in ["precision", "recall", "f1"] {
      #expect(abs(try micro.number(measure) - reported.number(measure)) <= 0.001)
    }
    #expect(try micro.integer("gold") == reported.integer("gold"))
  }

  @Test(
    .enabled(if: Places.hasDevice, "needs an OpenCL device"),
    .enabled(if: Places.hasShared("data/litbank/test.jsonl"), "needs ../shared"))
  func evaluationAtLowerPrecisionGivesNearlyTheSameF1() async throws {
    func f1(_ precision: String) async throws -> Double {
      let run = try await Weft.run(
        "evaluate", "--json", "--model", Places.shared("models/litbank-minilm"), "--precision", precision,
        Places.shared("data/litbank/test.jsonl"))
      #expect(run.status == 0)
      return try run.object().object("micro").number("f1")
    }
    let exact = try await f1("float32")
    #expect(abs(try await f1("bfloat16") - exact) <= 0.002)
  }

  @Test(.enabled(if: Places.hasShared("goldens/tokenizer.jsonl"), "needs ../shared"))
  func tokensAreThoseOfHuggingFace() async throws {
    let goldens = Places.shared("goldens/tokenizer.jsonl")
    let expected = try String(contentsOfFile: goldens, encoding: .utf8)
      .split(separator: "\n").map { try JSONObject(String($0)) }
    let run = try await Weft.run(
      "tokenize", "--model", Places.shared("models/litbank-minilm"), goldens)
    #expect(run.status == 0 && run.errorText.isEmpty)
    let found = try run.objects()
    #expect(found.count == expected.count && expected.count > 100)
    for (found, expected) in zip(found, expected) {
      let text = try expected.string("text")
      #expect(try found.integers("ids") == expected.integers("ids"), "\(text.debugDescription)")
      #expect(try found.pairs("offsets") == expected.pairs("offsets"), "\(text.debugDescription)")
    }
  }
}
