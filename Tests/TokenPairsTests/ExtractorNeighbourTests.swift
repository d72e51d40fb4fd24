import Foundation
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// A text's result is its own: whatever batch it travels in, and close on whatever device.
@Suite(.serialized) struct ExtractorNeighbourTests {
  /// Sentences of the example text, and a few of awkward lengths.
  static func sentences() throws -> [String] {
    let text = try String(contentsOfFile: BundledModels.exampleText(), encoding: .utf8)
    let sentences = text.split { ".;\n".contains($0) }.map { "\($0) ." }
    return sentences + ["", "Yes .", String(repeating: "Sir William Lucas said . ", count: 20)]
  }

  private static func options(_ batchTokens: Int) -> Extractor.Options {
    Extractor.Options(threshold: -2, batchTokens: batchTokens)
  }

  @Test(.enabled(if: TestDevice.hasOpenCL))
  func aResultDoesNotDependOnItsBatch() async throws {
    let sentences = try Self.sentences()
    let alone = try await Extractors.load(.openCL, Self.options(1)).documents(of: sentences)
    #expect(alone.reduce(0) { $0 + $1.entities.count } > 100)
    for batchTokens in [7, 64, 4096] {
      let extractor = try await Extractors.load(.openCL, Self.options(batchTokens))
      // Equal to the bit: the scores are compared as numbers, and none is NaN or zero.
      #expect(try await extractor.documents(of: sentences) == alone, "\(batchTokens) a batch")
    }
  }

  @Test(.enabled(if: TestDevice.hasOpenCL), arguments: 1...3)
  func aResultDoesNotDependOnTheOrder(seed: Int) async throws {
    let sentences = try Self.sentences()
    let extractor = try await Extractors.load(.openCL, Self.options(512))
    let straight = try await extractor.documents(of: sentences)
    #expect(try await extractor.documents(of: sentences) == straight, "a second run differs")
    var random = SeededGenerator(UInt64(seed))
    let order = sentences.indices.shuffled(using: &random)
    let shuffled = try await extractor.documents(of: order.map { sentences[$0] })
    for (document, original) in zip(shuffled, order) {
      #expect(document.text == sentences[original])
      #expect(document.entities == straight[original].entities, "seed \(seed)")
    }
  }

  @Test(.enabled(if: TestDevice.hasOpenCL))
  func manyTasksShareOneExtractor() async throws {
    let sentences = try Self.sentences()
    let extractor = try await Extractors.openCL()
    let expected = try await extractor.documents(of: sentences)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<6 {
        group.addTask { try await extractor.documents(of: sentences) == expected }
      }
      for try await same in group { #expect(same) }
    }
  }

  @Test(.enabled(if: TestDevice.hasOpenCL))
  func devicesAgree() async throws {
    let sentences = [
      "Mr. Bennet went to London .", "Alice was tired .", "The ship left the harbour .",
      "He walked into the kitchen of the old house .", "My dear Lydia !", "What ?",
      "The king of France and his army marched .", "Paris , Rome and Vienna .",
    ]
    let options = Extractor.Options(threshold: -1e-3)
    let slow = try await Extractors.load(.reference, options).documents(of: sentences)
    let fast = try await Extractors.load(.openCL, options).documents(of: sentences)
    #expect(slow.reduce(0) { $0 + $1.entities.count } > 8)
    for (a, b) in zip(slow, fast) {
      let first = Dictionary(uniqueKeysWithValues: a.entities.map { (key($0), $0.score) })
      let second = Dictionary(uniqueKeysWithValues: b.entities.map { (key($0), $0.score) })
      for key in Set(first.keys).union(second.keys) {
        let scores = [first[key], second[key]].compactMap { $0 }
        if scores.count == 2 {
          #expect(abs(scores[0] - scores[1]) <= 1e-4, "\(key)")
        } else {
          #expect(scores.allSatisfy { abs($0) < 2e-3 }, "\(key) is found on one device only")
        }
      }
    }
  }

  private func key(_ entity: Entity) -> EntityKey {
    EntityKey(range: entity.codePoints, label: entity.label)
  }
}
