import ModelFiles
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// LitBank's development part, against the scores that PyTorch gave.
@Suite(.serialized, .enabled(if: TestDevice.hasOpenCL)) struct DocumentGoldenTests {
  private struct Text: Decodable {
    let id: String
    let text: String
  }

  private struct Golden: Decodable {
    struct Span: Decodable {
      let start: Int
      let end: Int
      let label: String
      let score: Float
    }

    let id: String
    let entities: [Span]
  }

  @Test(
    .enabled(
      if: Places.hasShared(
        "goldens/litbank-tiny/dev.jsonl", "goldens/litbank-minilm/dev.jsonl",
        "data/litbank/dev.jsonl"), "needs ../shared"),
    arguments: ["litbank-tiny", "litbank-minilm"])
  func everyScoreIsThatOfPyTorch(model: String) async throws {
    let texts = try Places.lines(Places.inShared("data/litbank/dev.jsonl"), as: Text.self)
    let goldens = try Places.lines(
      Places.inShared("goldens/\(model)/dev.jsonl"), as: Golden.self)
    #expect(texts.count == 806)
    #expect(texts.map(\.id) == goldens.map(\.id))

    // The goldens end at -0.05; a score may differ by 0.005.
    let (threshold, tolerance): (Float, Float) = (-0.04, 0.005)
    let extractor = try await Extractor(
      model: Places.inShared("models/\(model)"), on: TestDevice.openCL.engine(),
      options: .init(threshold: threshold))
    let documents = try await extractor.documents(of: texts.map(\.text))
    #expect(documents.count == texts.count)

    var worst: Float = 0
    var compared = 0
    for (golden, document) in zip(goldens, documents) {
      let expected = Dictionary(
        uniqueKeysWithValues: golden.entities.map {
          (EntityKey(range: $0.start..<$0.end, label: $0.label), $0.score)
        })
      let found = Dictionary(
        uniqueKeysWithValues: document.entities.map {
          (EntityKey(range: $0.codePoints, label: $0.label), $0.score)
        })
      for (key, score) in expected {
        if let other = found[key] {
          worst = max(worst, abs(score - other))
          compared += 1
        } else {
          #expect(score <= threshold + tolerance, "\(golden.id): \(key) was not found")
        }
      }
      for (key, score) in found where expected[key] == nil {
        Issue.record("\(golden.id): \(key) at \(score) is not PyTorch's")
      }
    }
    #expect(worst <= tolerance, "\(compared) scores, the largest difference \(worst)")
    #expect(compared > 1000)
  }
}
