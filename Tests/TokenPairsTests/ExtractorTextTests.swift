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
