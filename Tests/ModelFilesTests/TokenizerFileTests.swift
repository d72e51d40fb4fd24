import Testing

@testable import ModelFiles

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
