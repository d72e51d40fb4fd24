import TestDevices
import Testing
import Weft

@testable import TokenPairs

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
