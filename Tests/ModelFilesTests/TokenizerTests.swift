import Testing

@testable import ModelFiles

/// The tokenizer's rules, one small case each; the goldens cover their combinations.
@Suite struct TokenizerTests {
  /// A tokenizer with these pieces after [PAD] 0, [UNK] 1, [CLS] 2 and [SEP] 3, which are added
  /// tokens too.
  private func tokenizer(
    _ pieces: [String], _ change: (inout TokenizerDefinition) -> Void = { _ in }
  ) throws -> WordPieceTokenizer {
    let all = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + pieces
    let numbered = all.enumerated().map { (text: $1, id: Int32($0)) }
    var definition = TokenizerDefinition(file: "test", pieces: numbered)
    definition.addedTokens = numbered.prefix(4).map { AddedToken(content: $0.text, id: $0.id) }
    (definition.clsID, definition.sepID, definition.padID) = (2, 3, 0)
    change(&definition)
    return try WordPieceTokenizer(definition)
  }

  @Test func emptyText() throws {
    for text in ["", " ", "\n\t ", "\u{0}\u{200B}", "\u{301}"] {
      #expect(
        try tokenizer([]).encode(text) == Encoding(ids: [2, 3], offsets: [0..<0, 0..<0]))
    }
  }

  @Test func longestPieceFirst() throws {
    let tokenizer = try tokenizer(["a", "ab", "##b", "##bc", "##c", "abcd"])
    #expect(tokenizer.encode("abc").ids == [2, 5, 8, 3])
    #expect(tokenizer.encode("abcd abcde").ids == [2, 9, 1, 3])  // greedy, never a second try
    #expect(tokenizer.encode("abc").offsets == [0..<0, 0..<2, 2..<3, 0..<0])
  }

  @Test func wordsLongerThanTheLimitAreUnknown() throws {
    let tokenizer = try tokenizer(["é", "##é"]) {
      $0.maximumWordLength = 3
      $0.normalizer.stripsAccents = false
    }
    #expect(tokenizer.encode("ééé").ids == [2, 4, 5, 5, 3])  // scalars count, not bytes
    #expect(tokenizer.encode("éééé").ids == [2, 1, 3])
    #expect(tokenizer.encode("éééé").offsets[1] == 0..<4)
  }

  @Test func canonicallyEquivalentPiecesStayApart() throws {
    let tokenizer = try tokenizer(["\u{E9}", "e\u{301}", "\u{212B}", "\u{C5}"]) {
      $0.normalizer.stripsAccents = false
      $0.normalizer.lowercases = false
    }
    #expect(tokenizer.encode("\u{E9} e\u{301} \u{212B} \u{C5}").ids == [2, 4, 5, 6, 7, 3])
    #expect(tokenizer.token(for: 5).map { Array($0.utf8) } == Array("e\u{301}".utf8))
  }

  @Test func offsetsCountScalarsOfTheOriginal() throws {
    let tokenizer = try tokenizer(["i", "a", "中", "##a"])
    let text = "\u{200B}\u{1F600} I\u{307}\u{323}a中\u{301}A"  // 😀 is unknown, marks vanish
    #expect(tokenizer.encode(text).ids == [2, 1, 4, 7, 6, 5, 3])
    #expect(
      tokenizer.encode(text).offsets == [0..<0, 1..<2, 3..<4, 6..<7, 7..<8, 9..<10, 0..<0])
  }

  @Test func expansionPointsBackToOneScalar() throws {
    let tokenizer = try tokenizer(["i", "##\u{307}", "ᄀ", "##ᅡ"]) {
      $0.normalizer.stripsAccents = false
    }
    #expect(tokenizer.encode("\u{130}").offsets == [0..<0, 0..<1, 0..<1, 0..<0])
    let stripping = try self.tokenizer(["ᄀ", "##ᅡ"])
    #expect(stripping.encode("가").ids == [2, 4, 5, 3])
    #expect(stripping.encode("가").offsets == [0..<0, 0..<1, 0..<1, 0..<0])
  }

  @Test func addedTokensAreFoundInsideWords() throws {
    let tokenizer = try tokenizer(["a"])
    #expect(tokenizer.encode("a[SEP]a[sep]").ids == [2, 4, 3, 4, 1, 1, 1, 3])
    #expect(tokenizer.encode("a[SEP]a").offsets == [0..<0, 0..<1, 1..<6, 6..<7, 0..<0])
  }

  @Test func anotherContinuationPrefix() throws {
    let tokenizer = try tokenizer(["a", "b", "@@b"]) { $0.continuationPrefix = "@@" }
    #expect(tokenizer.encode("ab b").ids == [2, 4, 6, 5, 3])
    let none = try self.tokenizer(["a", "b"]) { $0.continuationPrefix = "" }
    #expect(none.encode("abba").ids == [2, 4, 5, 5, 4, 3])
    let absent = try self.tokenizer(["a", "b"])
    #expect(absent.encode("ab").ids == [2, 1, 3])
  }

  @Test func tokensById() throws {
    let tokenizer = try tokenizer(["a"]) {
      $0.addedTokens.append(AddedToken(content: "<x>", id: 9))
    }
    #expect(tokenizer.vocabularySize == 10)
    #expect(tokenizer.token(for: 4) == "a")
    #expect(tokenizer.token(for: 9) == "<x>")
    for id: Int32 in [-1, 5, 10, .max, .min] { #expect(tokenizer.token(for: id) == nil) }
  }

  @Test func nothingIsCut() throws {
    let tokenizer = try tokenizer(["a"])
    let encoding = tokenizer.encode(String(repeating: "a ", count: 5_000))
    #expect(encoding.count == 5_002)
    #expect(encoding.offsets[5_000] == 9_998..<9_999)
  }

  @Test func everyScalarKeepsItsPlace() throws {
    // One token a scalar: whatever the scalar becomes, its neighbours' offsets must not move.
    let tokenizer = try tokenizer(["a", "##a"])
    for value in UInt32(0)..<0x3_0000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let offsets = tokenizer.encode("a \(Character(scalar)) a").offsets
      #expect(offsets.dropLast().last == 4..<5 && offsets[1] == 0..<1)
    }
  }

  @Test func wrongDefinitions() throws {
    #expect(
      failure { try tokenizer([]) { $0.unknownToken = "?" } }?.problem.contains("'?'") == true)
    #expect(failure { try tokenizer([]) { $0.clsID = 70 } } != nil)
    #expect(failure { try tokenizer([]) { $0.sepID = -1 } } != nil)
    #expect(failure { try tokenizer([]) { $0.pieces.append(("z", -5)) } } != nil)
    #expect(failure { try tokenizer([]) { $0.pieces.append(("z", .max)) } } != nil)
    let moved = AddedToken(content: "a", id: 2)
    #expect(failure { try tokenizer(["a"]) { $0.addedTokens.append(moved) } } != nil)
    var empty = AddedToken(content: "\u{301}", id: 4)
    empty.isNormalized = true
    #expect(failure { try tokenizer([]) { $0.addedTokens.append(empty) } } != nil)
  }
}
