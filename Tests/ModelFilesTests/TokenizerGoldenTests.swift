import Foundation
import Testing

@testable import ModelFiles

/// Equality with Hugging Face's fast tokenizer, id for id and offset for offset.
@Suite struct TokenizerGoldenTests {
  @Test(arguments: ["uncased", "uncased-accents", "cased", "raw", "added-tokens"])
  func difficultText(kind: String) throws {
    let folder = "\(Places.goldens)/\(kind)"
    let tokenizer = try WordPieceTokenizer(directory: folder)
    let cases = try TokenizerCase.read("\(folder)/cases.jsonl")
    #expect(cases.count == 150)
    for example in cases { example.check(tokenizer) }
  }

  @Test(
    "ordinary text with a published vocabulary",
    .enabled(if: Places.hasShared("models/litbank-minilm"), "needs ../shared/models"))
  func publishedVocabulary() throws {
    let shared = try #require(Places.shared)
    let tokenizer = try WordPieceTokenizer(directory: "\(shared)/models/litbank-minilm")
    #expect(tokenizer.vocabularySize == 30_522)
    #expect(tokenizer.clsID == 101 && tokenizer.sepID == 102 && tokenizer.padID == 0)
    let cases = try TokenizerCase.read("\(shared)/goldens/tokenizer.jsonl")
    #expect(cases.count == 193)
    for example in cases { example.check(tokenizer) }
  }

  @Test(
    "both kinds of files describe the same tokenizer",
    .enabled(if: Places.hasShared("models/duee-events/vocab.txt"), "needs ../shared/models"),
    arguments: ["litbank-tiny", "duee-events"])
  func vocabularyText(model: String) throws {
    let source = "\(try #require(Places.shared))/models/\(model)"
    let scratch = try Scratch()
    for name in ["vocab.txt", "tokenizer_config.json"] {
      try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: scratch.file(name))
    }
    let expected = try WordPieceTokenizer(directory: source)
    let tokenizer = try WordPieceTokenizer(directory: scratch.path)
    #expect(tokenizer.vocabularySize == expected.vocabularySize)
    #expect(tokenizer.padID == expected.padID)
    for example in try TokenizerCase.read("\(Places.goldens)/uncased/cases.jsonl") {
      #expect(tokenizer.encode(example.text) == expected.encode(example.text))
    }
  }

  @Test func manyTasksAtOnce() async throws {
    let folder = "\(Places.goldens)/uncased"
    let tokenizer = try WordPieceTokenizer(directory: folder)
    let texts = try TokenizerCase.read("\(folder)/cases.jsonl").map(\.text)
    let expected = texts.map { tokenizer.encode($0) }
    await withTaskGroup(of: [Encoding].self) { group in
      for _ in 0..<16 { group.addTask { texts.map { tokenizer.encode($0) } } }
      for await encodings in group { #expect(encodings == expected) }
    }
  }
}
