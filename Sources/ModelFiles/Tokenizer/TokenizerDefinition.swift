/// What a tokenizer's files say, whichever files they are.
struct TokenizerDefinition {
  /// The file to name in messages.
  let file: String
  /// The pieces and their ids; of equal pieces the last counts.
  var pieces: [(text: String, id: Int32)]
  /// The piece for words that cannot be spelled.
  var unknownToken = "[UNK]"
  /// What marks a piece that continues a word.
  var continuationPrefix = "##"
  /// Words of more scalars are unknown.
  var maximumWordLength = 100
  /// How text is normalised.
  var normalizer = NormalizerOptions()
  /// Tokens found as a whole.
  var addedTokens: [AddedToken] = []
  /// What begins a sequence.
  var clsID: Int32 = 0
  /// What ends a sequence.
  var sepID: Int32 = 0
  /// What fills a batch's shorter rows; `nil` if the files do not say.
  var padID: Int32?

  /// Larger ids are refused: tokens are kept in an array by id.
  static let idLimit: Int32 = 4_194_304

  /// An error about the whole or a part of these files.
  func error(_ subject: String?, _ problem: String) -> ModelFileError {
    ModelFileError(file: file, subject: subject, problem: problem)
  }
}
