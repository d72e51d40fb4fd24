import Foundation
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// Texts that are empty, or written in ways that tempt offsets to go wrong.
@Suite(.enabled(if: TestDevice.hasOpenCL)) struct ExtractorTextTests {
  @Test(arguments: ["", " ", "\n\t  \r\n", "\u{200B}\u{FEFF}", "\u{0}"])
  func aTextWithoutWordsHasNoEntities(text: String) async throws {
    let documents = try await Extractors.openCL().documents(of: [text, "Mr. Bennet .", text])
    #expect(documents.map(\.text) == [text, "Mr. Bennet .", text])
    #expect(documents[0].entities.isEmpty && documents[2].entities.isEmpty)
    #expect(!documents[1].entities.isEmpty)
    #expect(documents[0].tokenCount == 0)
  }

  static let awkward = [
    "😀 Mr. Bennet 👩‍👩‍👧‍👦 met Elizabeth 🇫🇷 in London 🏴󠁧󠁢󠁥󠁮󠁧󠁿 .",
    "Éliza\u{301}beth Be\u{301}nnet saw Jose\u{301} in Zu\u{308}rich .",
    "e\u{301}\u{323}\u{327} Mr. Da\u{300}rcy \u{1F1EB}\u{1F1F7}\u{301} went to Lo\u{304}ndon .",
    "王小明和李先生去了北京的大学 , Mr. Smith said in 東京 .",
    "قال السيد سميث إنه ذهب إلى لندن with Mr. Bennet \u{202E}txet\u{202C} .",
    "שלום Mr. Bennet אמר London .",
    "\u{FEFF}Ｍｒ．Ｂｅｎｎｅｔ and Mr. Bennet\u{200D} , \u{AD}Lon\u{AD}don\r\nParis\u{2028}Rome .",
    "𝕸𝖗. 𝓓𝓪𝓻𝓬𝔂 saw Mr. Darcy 𐍈 ﬁnd the ﬂeet in ǅungla .",
  ]

  @Test(arguments: awkward) func theThreeWaysToSayWhereAgree(text: String) async throws {
    // A low threshold, so that spans begin and end at every kind of token.
    let options = Extractor.Options(threshold: -12)
    let documents = try await Extractors.load(.openCL, options).documents(of: [text])
    let document = try #require(documents.first)
    let scalars = Array(text.unicodeScalars)
    #expect(document.entities.count > 10)
    for entity in document.entities {
      #expect(String(text[entity.range]).unicodeScalars.elementsEqual(entity.text.unicodeScalars))
      #expect(entity.codePoints.lowerBound >= 0 && entity.codePoints.upperBound <= scalars.count)
      #expect(!entity.codePoints.isEmpty)
      #expect(scalars[entity.codePoints].elementsEqual(entity.text.unicodeScalars))
      #expect(entity.score > -12)
    }
    let order = document.entities.map { [$0.codePoints.lowerBound, $0.codePoints.upperBound] }
    #expect(order == order.sorted { $0.lexicographicallyPrecedes($1) })
    #expect(Set(document.entities.map { "\($0.codePoints) \($0.label)" }).count == order.count)
  }

  @Test func namesAreFoundAmongEmoji() async throws {
    let document = try await Extractors.openCL().documents(of: [Self.awkward[0]])[0]
    #expect(document.entities.contains { $0.text == "Elizabeth" && $0.label == "PER" })
    #expect(document.entities.contains { $0.text == "London" && $0.label == "GPE" })
  }

  @Test func flatModeLeavesNoOverlap() async throws {
    let text = try ExtractorNeighbourTests.sentences().joined(separator: " ")
    let flat = try await Extractors.load(.openCL, .init(mode: .flat)).documents(of: [text])[0]
    let nested = try await Extractors.openCL().documents(of: [text])[0]
    #expect(flat.entities.count < nested.entities.count)
    for (left, right) in zip(flat.entities, flat.entities.dropFirst()) {
      #expect(left.codePoints.upperBound <= right.codePoints.lowerBound)
    }
    #expect(Set(flat.entities).isSubset(of: nested.entities))
  }
}

/// Texts that are longer than the encoder's window.
@Suite(.enabled(if: TestDevice.hasOpenCL)) struct ExtractorLongTextTests {
  /// More than 3,000 words: the same sentence again and again, far apart.
  private static func marked() -> (text: String, sentence: String, starts: [Int]) {
    let filler = "It was a fine day and nothing at all happened for a long time . "
    let sentence = "Mr. Bennet went to London with Elizabeth . "
    var text = ""
    var starts: [Int] = []
    for _ in 0..<24 {
      text += String(repeating: filler, count: 8)
      starts.append(text.unicodeScalars.count)
      text += sentence
    }
    return (text, sentence, starts)
  }

  @Test func entitiesAreFoundPastTheWindow() async throws {
    let (text, sentence, starts) = Self.marked()
    #expect(text.split(separator: " ").count > 3000)
    let extractor = try await Extractors.openCL()
    let alone = try await extractor.documents(of: [sentence])[0].entities
    let found = try await extractor.documents(of: [text])[0].entities
    for name in ["Mr. Bennet", "London"] {
      let entity = try #require(alone.first { $0.text == name })
      for start in starts {
        let place = entity.codePoints.lowerBound + start..<entity.codePoints.upperBound + start
        let there = found.contains { $0.codePoints == place && $0.label == entity.label }
        #expect(there, "\(name) at \(start)")
      }
    }
  }

  @Test func eachSpanIsThatOfTheWindowWithTheMostContext() async throws {
    let (text, _, _) = Self.marked()
    let extractor = try await Extractors.load(.openCL, .init(threshold: -4))
    let tokenized = extractor.reader.read(text)
    let windows = tokenized.plan.windows
    #expect(windows.count > 5)
    #expect(tokenized.windows.map(\.count) == windows.map { $0.count + 2 })
    #expect(tokenized.windows.allSatisfy { $0.count <= 512 })

    // Each window as a text of its own; every word of this text is cut from the next by a space.
    let scalars = Array(text.unicodeScalars)
    var expected: [EntityKey: (context: Int, score: Float)] = [:]
    for window in windows {
      let start = tokenized.offsets[window.lowerBound].lowerBound
      let end = tokenized.offsets[window.upperBound - 1].upperBound
      var part = String.UnicodeScalarView()
      part.append(contentsOf: scalars[start..<end])
      let document = try await extractor.documents(of: [String(part)])[0]
      #expect(document.tokenCount == window.count)
      for entity in document.entities {
        let place = entity.codePoints.lowerBound + start..<entity.codePoints.upperBound + start
        let before = window.lowerBound == 0 ? Int.max : tokens(tokenized, start..<place.lowerBound)
        let after =
          window.upperBound == tokenized.offsets.count
          ? Int.max : tokens(tokenized, place.upperBound..<end)
        let key = EntityKey(range: place, label: entity.label)
        let context = min(before, after)
        if context > expected[key]?.context ?? -1 { expected[key] = (context, entity.score) }
      }
    }
    let found = try await extractor.documents(of: [text])[0].entities
    #expect(found.count > 100)
    for entity in found {
      let key = EntityKey(range: entity.codePoints, label: entity.label)
      // A span that another window alone would have found is not in question here.
      #expect(expected[key]?.score == entity.score, "\(key)")
    }
  }

  /// Tokens that lie within a range of code points.
  private func tokens(_ text: TokenizedText, _ range: Range<Int>) -> Int {
    text.offsets.count {
      range.lowerBound <= $0.lowerBound && $0.upperBound <= range.upperBound
    }
  }

  @Test func aLongTextIsTheSameWhateverTravelsWithIt() async throws {
    let long = String(repeating: "Mr. Bennet left Longbourn for London , and said so . ", count: 120)
    var results: [ExtractedDocument] = []
    for batchTokens in [1, 700, 4096] {
      let options = Extractor.Options(threshold: -1, batchTokens: batchTokens)
      let extractor = try await Extractors.load(.openCL, options)
      results.append(try await extractor.documents(of: ["Short .", long, "Alice ."])[1])
    }
    #expect(results[0].entities.count > 300)
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }

  @Test func oneLongTextAmongManyShortOnesPasses() async throws {
    // The batch has thousands of segments and one of the longest: no bound may multiply the two.
    let options = Extractor.Options(batchTokens: 16_384)
    let extractor = try await Extractors.load(.openCL, options)
    let long = String(repeating: "Mr. Bennet left . ", count: 120)
    let texts = Array(repeating: "Alice", count: 4000) + [long]
    let documents = try await extractor.documents(of: texts)
    #expect(documents.count == texts.count)
    #expect(documents[4000].entities.count > 60)
  }
}

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
