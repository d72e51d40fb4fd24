import Foundation
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

/// Reading `tokenizer.json`, `vocab.txt` and `tokenizer_config.json`.
@Suite struct TokenizerFileTests {
  private static let valid = """
    {"truncation": {"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
     "padding": null,
     "added_tokens": [{"id": 1, "content": "[CLS]", "special": true}],
     "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                    "strip_accents": null, "lowercase": true},
     "pre_tokenizer": {"type": "BertPreTokenizer"},
     "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
     "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 100,
               "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "\\u00e9": 4, "e\\u0301": 5}}}
    """

  private func tokenizer(_ text: String) throws -> WordPieceTokenizer {
    let scratch = try Scratch()
    try scratch.write("tokenizer.json", text)
    return try WordPieceTokenizer(directory: scratch.path)
  }

  @Test func truncationIsIgnored() throws {
    #expect(try tokenizer(Self.valid).encode("a a a a a a a a").count == 10)
  }

  @Test func vocabulariesKeepEquivalentKeysApart() throws {
    let kept = Self.valid.replacing("\"strip_accents\": null", with: "\"strip_accents\": false")
    #expect(try tokenizer(kept).encode("\u{E9} e\u{301}").ids == [1, 4, 5, 2])
  }

  @Test(arguments: [
    ("\"BertNormalizer\"", "\"NFKC\"", "NFKC"),
    ("\"BertPreTokenizer\"", "\"Whitespace\"", "Whitespace"),
    ("\"BertProcessing\"", "\"RobertaProcessing\"", "RobertaProcessing"),
    ("\"type\": \"WordPiece\"", "\"type\": \"BPE\"", "BPE"),
    ("\"type\": \"WordPiece\"", "\"type\": \"Unigram\"", "Unigram"),
  ])
  func otherComponentsAreNamed(old: String, new: String, name: String) throws {
    let error = failure { try tokenizer(Self.valid.replacing(old, with: new)) }
    #expect(error?.problem.contains("'\(name)' is not supported") == true)
  }

  @Test(arguments: [
    ("\"lowercase\": true", "\"lowercase\": \"yes\"", "normalizer.lowercase"),
    ("\"a\": 3", "\"a\": -3", "model.vocab.a"),
    ("\"a\": 3", "\"a\": \"3\"", "model.vocab.a"),
    ("\"a\": 3", "\"a\": 99999999", "model.vocab.a"),
    ("[\"[SEP]\", 2]", "[2]", "post_processor.sep"),
    ("\"content\": \"[CLS]\"", "\"content\": \"\"", "added_tokens[0].content"),
  ])
  func wrongFieldsAreNamed(old: String, new: String, field: String) throws {
    let error = failure { try tokenizer(Self.valid.replacing(old, with: new)) }
    #expect(error?.subject == "field '\(field)'")
  }

  @Test(arguments: [
    ("\"[UNK]\": 0, ", ""), ("\"a\": 3", "\"a\": 3, \"a\": 6"), ("\"[SEP]\", 2", "\"[SEP]\", 70"),
    ("\"normalizer\"", "\"normaliser\""), ("\"model\"", "\"modem\""), ("{\"[UNK]\": 0,", "["),
  ])
  func wrongFilesAreRefused(old: String, new: String) throws {
    #expect(failure { try tokenizer(Self.valid.replacing(old, with: new)) } != nil)
  }

  @Test func oldFilesWithoutModelType() throws {
    let old = Self.valid.replacing("\"type\": \"WordPiece\", ", with: "")
    #expect(try tokenizer(old).encode("a").ids == [1, 3, 2])
  }

  @Test func vocabularyText() throws {
    let scratch = try Scratch()
    try scratch.write("vocab.txt", "[PAD]\r\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nÉ\n\u{E9}")
    let uncased = try WordPieceTokenizer(directory: scratch.path)
    #expect(uncased.encode("A É [MASK]").ids == [2, 5, 1, 4, 3])
    try scratch.write("tokenizer_config.json", "{\"do_lower_case\": false}")
    let cased = try WordPieceTokenizer(directory: scratch.path)
    #expect(cased.encode("A a É").ids == [2, 1, 5, 6, 3])
    #expect(cased.vocabularySize == 8 && cased.padID == 0)
    try scratch.write(
      "tokenizer_config.json",
      """
      {"strip_accents": false, "cls_token": {"content": "[MASK]"}, "tokenizer_class": "BertTokenizer",
       "added_tokens_decoder": {"5": {"content": "a", "single_word": true}}}
      """)
    let changed = try WordPieceTokenizer(directory: scratch.path)
    #expect(changed.encode("É a").ids == [4, 7, 5, 3])
  }

  @Test func wrongVocabularyText() throws {
    let scratch = try Scratch()
    #expect(
      failure { try WordPieceTokenizer(directory: scratch.path) }?.problem
        == "has neither tokenizer.json nor vocab.txt")
    try scratch.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n")
    #expect(failure { try WordPieceTokenizer(directory: scratch.path) }?.subject == "token '[SEP]'")
    try scratch.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n")
    for configuration in [
      #"{"tokenizer_class": "BertJapaneseTokenizer"}"#, #"{"do_lower_case": 1}"#, "[]", "{",
      #"{"additional_special_tokens": ["<x>"]}"#, #"{"added_tokens_decoder": {"x": {}}}"#,
    ] {
      try scratch.write("tokenizer_config.json", configuration)
      #expect(failure { try WordPieceTokenizer(directory: scratch.path) } != nil)
    }
    try scratch.write("tokenizer_config.json", "{}")
    _ = try WordPieceTokenizer(directory: scratch.path)
    try scratch.write("added_tokens.json", "{}")
    #expect(failure { try WordPieceTokenizer(directory: scratch.path) } != nil)
    try scratch.write("vocab.txt", [0x61, 0x0A, 0xFF, 0x0A])
    #expect(
      failure { try WordPieceTokenizer(directory: scratch.path) }?.problem
        == "line 2 is not valid UTF-8")
  }
}

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

/// A text and what Hugging Face's tokenizer answered.
struct TokenizerCase {
  let text: String
  let expected: Encoding

  /// Reads a file of cases, one JSON object a line: `{"text", "ids", "offsets"}`.
  static func read(_ path: String) throws -> [TokenizerCase] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try data.split(separator: UInt8(ascii: "\n")).map { line in
      let value = try Array(line).withUnsafeBytes { try JSONParser.parse($0) }
      guard case .object(let members) = value else { throw Malformed() }
      var text: String?
      var expected = Encoding(ids: [], offsets: [])
      for member in members {
        switch (member.name, member.value) {
        case ("text", .string(let string)): text = string
        case ("ids", .array(let ids)): expected.ids = try ids.map { Int32(try integer($0)) }
        case ("offsets", .array(let pairs)): expected.offsets = try pairs.map(range)
        default: throw Malformed()
        }
      }
      guard let text else { throw Malformed() }
      return TokenizerCase(text: text, expected: expected)
    }
  }

  /// Expects the tokenizer to answer the same.
  func check(_ tokenizer: WordPieceTokenizer, _ location: SourceLocation = #_sourceLocation) {
    let actual = tokenizer.encode(text)
    let scalars = text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
    #expect(actual.ids == expected.ids, "text \(scalars)", sourceLocation: location)
    #expect(actual.offsets == expected.offsets, "text \(scalars)", sourceLocation: location)
  }

  private struct Malformed: Error {}

  private static func integer(_ value: JSONValue) throws -> Int {
    guard case .integer(let integer) = value else { throw Malformed() }
    return integer
  }

  private static func range(_ value: JSONValue) throws -> Range<Int> {
    guard case .array(let pair) = value, pair.count == 2 else { throw Malformed() }
    return try integer(pair[0])..<integer(pair[1])
  }
}
