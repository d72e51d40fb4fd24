/// BERT's tokenizer: normalisation, word splitting and WordPiece, equal to Hugging Face's fast
/// tokenizer id for id and offset for offset.
///
/// A value that never changes: any number of tasks may encode with one tokenizer at once.
package struct WordPieceTokenizer: Sendable {
  /// One more than the largest id: the rows that an embedding table needs.
  package let vocabularySize: Int
  /// What begins every sequence.
  package let clsID: Int32
  /// What ends every sequence.
  package let sepID: Int32
  /// What fills the shorter rows of a batch; 0 if the files name none.
  package let padID: Int32
  /// What stands for a word that the vocabulary cannot spell.
  package let unknownID: Int32

  private let tokens: [String?]
  private let trie: PieceTrie
  /// Where pieces that continue a word begin; `nil` if there are none.
  private let continuation: PieceTrie.Node?
  private let maximumWordLength: Int
  private let normalizer: BertNormalizer
  private let splitter = WordSplitter()
  private let addedTokens: AddedTokenMatcher
  private let normalizedTokens: AddedTokenMatcher

  /// Reads the tokenizer of a model directory: `tokenizer.json` if it is there, else `vocab.txt`
  /// with `tokenizer_config.json`.
  /// - Throws: `ModelFileError` if neither is there, or if they describe a tokenizer of another
  ///   kind; what is not supported is named.
  package init(directory: String) throws(ModelFileError) {
    let file = path(directory, "tokenizer.json")
    if fileExists(file) {
      try self.init(try TokenizerDefinition(tokenizerFile: file))
    } else if fileExists(path(directory, "vocab.txt")) {
      try self.init(try TokenizerDefinition(vocabularyIn: directory))
    } else {
      throw ModelFileError(file: directory, problem: "has neither tokenizer.json nor vocab.txt")
    }
  }

  init(_ definition: TokenizerDefinition) throws(ModelFileError) {
    var trie = PieceTrie()
    var tokens: [String?] = []
    func keep(_ text: String, _ id: Int32) throws(ModelFileError) {
      guard id >= 0, id < TokenizerDefinition.idLimit else {
        throw definition.error("token \(text.quoted)", "id \(id) is out of range")
      }
      while tokens.count <= Int(id) { tokens.append(nil) }
      tokens[Int(id)] = text
    }
    for (text, id) in definition.pieces {
      try keep(text, id)
      guard trie.insert(text, id: id) else {
        throw definition.error(nil, "the vocabulary is too large")
      }
    }
    for token in definition.addedTokens {
      guard trie.id(of: token.content) ?? token.id == token.id else {
        throw definition.error(
          "added token \(token.content.quoted)", "has id \(token.id), another in the vocabulary")
      }
      try keep(token.content, token.id)
    }
    guard let unknownID = trie.id(of: definition.unknownToken) else {
      throw definition.error(
        nil, "the unknown token \(definition.unknownToken.quoted) is not in the vocabulary")
    }
    for id in [definition.clsID, definition.sepID, definition.padID ?? 0] {
      guard tokens.indices.contains(Int(id)) else {
        throw definition.error(nil, "the special id \(id) is not in the vocabulary")
      }
    }
    self.tokens = tokens
    self.trie = trie
    vocabularySize = tokens.count
    clsID = definition.clsID
    sepID = definition.sepID
    padID = definition.padID ?? 0
    self.unknownID = unknownID
    continuation = trie.node(after: definition.continuationPrefix)
    maximumWordLength = definition.maximumWordLength
    normalizer = BertNormalizer(definition.normalizer)

    // Among equal patterns the special ones win; the sort keeps the file's order otherwise.
    let added =
      definition.addedTokens.filter(\.isSpecial)
      + definition.addedTokens.filter { !$0.isSpecial }
    addedTokens = AddedTokenMatcher(added.filter { !$0.isNormalized })
    var normalized = added.filter(\.isNormalized)
    for index in normalized.indices {
      let content = normalizer.normalized(normalized[index].content)
      guard !content.isEmpty else {
        throw definition.error(
          "added token \(normalized[index].content.quoted)", "nothing is left of it normalised")
      }
      normalized[index].content = content
    }
    normalizedTokens = AddedTokenMatcher(normalized)
  }

  /// The token of an id; `nil` if there is none.
  package func token(for id: Int32) -> String? {
    tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil
  }

  /// Encodes a text, whole, between CLS and SEP.
  /// - Parameter text: Any text of at most 2³¹ - 1 bytes.
  /// - Returns: The ids, and the code points of `text` that each stands for.
  package func encode(_ text: String) -> Encoding {
    var text = text
    return text.withUTF8 { bytes in
      precondition(bytes.count <= Int(Int32.max), "texts are limited to 2 GiB")
      var encoding = Encoding(ids: [], offsets: [])
      encoding.ids.reserveCapacity(bytes.count / 4 + 8)
      encoding.offsets.reserveCapacity(bytes.count / 4 + 8)
      encoding.append(clsID, 0..<0)
      encode(bytes, into: &encoding)
      encoding.append(sepID, 0..<0)
      return encoding
    }
  }

  /// Finds the added tokens of the text as it is; what lies between is normalised.
  private func encode(_ bytes: UnsafeBufferPointer<UInt8>, into encoding: inout Encoding) {
    var normalized = NormalizedText()
    var byte = 0
    var scalar = 0
    for part in addedTokens.split(bytes, 0..<bytes.count) {
      // A token that begins with white space may reach back into what the one before it took.
      scalar -= scalarCount(bytes, min(part.range.lowerBound, byte)..<byte)
      byte = part.range.upperBound
      let count = scalarCount(bytes, part.range)
      if let id = part.id {
        encoding.append(id, scalar..<scalar + count)
      } else {
        normalizer.normalize(bytes, part.range, firstScalar: scalar, into: &normalized)
        encode(normalized, into: &encoding)
      }
      scalar += count
    }
  }

  /// Finds the added tokens of normalised text; what lies between is split into words.
  private func encode(_ text: NormalizedText, into encoding: inout Encoding) {
    text.bytes.withUnsafeBufferPointer { bytes in
      for part in normalizedTokens.split(bytes, 0..<bytes.count) {
        if let id = part.id {
          encoding.append(id, text.origin(of: part.range))
        } else {
          splitter.forEachWord(bytes, part.range) { word in
            encode(word, bytes, text, into: &encoding)
          }
        }
      }
    }
  }

  /// Spells one word with the longest pieces, from left to right; a word that cannot be spelled to
  /// its end is unknown as a whole.
  @inline(__always)
  private func encode(
    _ word: Range<Int>, _ bytes: UnsafeBufferPointer<UInt8>, _ text: NormalizedText,
    into encoding: inout Encoding
  ) {
    let countBefore = encoding.count
    var index = word.lowerBound
    var node: PieceTrie.Node? = PieceTrie.root
    if word.count > maximumWordLength, scalarCount(bytes, word) > maximumWordLength { node = nil }
    while index < word.upperBound {
      guard let start = node,
        let piece = trie.longestPiece(bytes, index..<word.upperBound, from: start)
      else {
        encoding.ids.removeSubrange(countBefore...)
        encoding.offsets.removeSubrange(countBefore...)
        encoding.append(unknownID, text.origin(of: word))
        return
      }
      encoding.append(piece.id, text.origin(of: index..<piece.end))
      index = piece.end
      node = continuation
    }
  }
}

extension BertNormalizer {
  /// A short text, normalised.
  fileprivate func normalized(_ text: String) -> String {
    var text = text
    var output = NormalizedText()
    text.withUTF8 { normalize($0, 0..<$0.count, firstScalar: 0, into: &output) }
    return String(decoding: output.bytes, as: UTF8.self)
  }
}
