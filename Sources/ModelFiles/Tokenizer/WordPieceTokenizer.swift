/// A text as token ids, with the place of each token in the text.
package struct Encoding: Hashable, Sendable {
  /// The ids, from CLS to SEP. Never cut: a text of any length is encoded whole.
  package internal(set) var ids: [Int32]
  /// For each id, the code points (Unicode scalars) of the original text that it stands for;
  /// `0..<0` for CLS and SEP.
  package internal(set) var offsets: [Range<Int>]

  /// The number of tokens, CLS and SEP included.
  package var count: Int { ids.count }

  mutating func append(_ id: Int32, _ range: Range<Int>) {
    ids.append(id)
    offsets.append(range)
  }
}

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

/// BERT's splitting of normalised text into words: white space separates, and each punctuation
/// character is a word.
struct WordSplitter: Sendable {
  private enum CharacterClass {
    case letter, space, punctuation
  }

  private let traits = ScalarTraitsTable.shared
  private let ascii: [CharacterClass]

  init() {
    ascii = (UInt8(0)..<0x80).map { Self.characterClass(ScalarTraitsTable.shared[Unicode.Scalar($0)]) }
  }

  private static func characterClass(_ traits: ScalarTraits) -> CharacterClass {
    traits.contains(.whiteSpace)
      ? .space : traits.contains(.punctuation) ? .punctuation : .letter
  }

  /// Calls `body` with each word in turn.
  /// - Parameters:
  ///   - bytes: Valid UTF-8.
  ///   - range: The part to split, on scalar boundaries.
  ///   - body: Receives the range of a word, never empty.
  @inline(__always)
  func forEachWord(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void
  ) {
    var start = range.lowerBound
    var index = start
    while index < range.upperBound {
      let kind: CharacterClass
      let length: Int
      if bytes[index] < 0x80 {
        (kind, length) = (ascii[Int(bytes[index])], 1)
      } else {
        let decoded = decodeScalar(bytes, at: index)
        (kind, length) = (Self.characterClass(traits[decoded.scalar]), decoded.length)
      }
      let end = index + length
      if kind != .letter {
        if start < index { body(start..<index) }
        if kind == .punctuation { body(index..<end) }
        start = end
      }
      index = end
    }
    if start < index { body(start..<index) }
  }
}

/// The vocabulary as a trie over bytes, for the longest piece that begins at a place.
///
/// The edges live in one open-addressed hash table, so that a step costs one look-up whatever the
/// fan-out. Bytes rather than strings: `String` compares by canonical equivalence, a vocabulary
/// does not.
struct PieceTrie: Sendable {
  /// A place in the trie.
  typealias Node = UInt32

  /// Where every piece begins.
  static let root: Node = 0
  /// Nodes are numbered below this; an edge's key packs a node and a byte into 32 bits.
  static let nodeLimit = 1 << 24

  /// Edges: the key (node and byte) above, the child below; 0 marks a free slot, as no edge leads
  /// to the root. The count is a power of two, at most half of it used.
  private var slots: [UInt64]
  /// The id of the piece that ends at each node, or -1.
  private var ids: [Int32] = [-1]

  /// An empty trie.
  init() { slots = Array(repeating: 0, count: 1 << 12) }

  /// Adds a piece or gives it another id.
  /// - Returns: Whether there was room; a trie has at most `nodeLimit` nodes.
  mutating func insert(_ piece: String, id: Int32) -> Bool {
    var node = Self.root
    for byte in piece.utf8 {
      if let child = child(of: node, byte) {
        node = child
      } else {
        guard ids.count < Self.nodeLimit else { return false }
        node = addChild(of: node, byte)
      }
    }
    ids[Int(node)] = id
    return true
  }

  /// The place that a text leads to; `nil` if no piece begins with it.
  func node(after text: String) -> Node? {
    var node = Self.root
    for byte in text.utf8 {
      guard let child = child(of: node, byte) else { return nil }
      node = child
    }
    return node
  }

  /// The id of a piece; `nil` if it is not in the vocabulary.
  func id(of piece: String) -> Int32? {
    guard let node = node(after: piece), ids[Int(node)] >= 0 else { return nil }
    return ids[Int(node)]
  }

  /// The longest piece.
  /// - Parameters:
  ///   - bytes: The text.
  ///   - range: Where the piece begins and the last place at which it may end.
  ///   - start: The node that stands for what precedes the text.
  /// - Returns: The piece's id and its end, or `nil` if no piece of one byte or more fits.
  @inline(__always)
  func longestPiece(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, from start: Node
  ) -> (id: Int32, end: Int)? {
    var best: (id: Int32, end: Int)?
    var node = start
    for index in range {
      guard let child = child(of: node, bytes[index]) else { break }
      node = child
      let id = ids[Int(node)]
      if id >= 0 { best = (id, index + 1) }
    }
    return best
  }

  @inline(__always)
  private func child(of node: Node, _ byte: UInt8) -> Node? {
    let key = UInt64(node << 8 | UInt32(byte))
    let mask = slots.count - 1
    var slot = Self.home(key, mask)
    while slots[slot] != 0 {
      if slots[slot] >> 32 == key { return UInt32(truncatingIfNeeded: slots[slot]) }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func addChild(of node: Node, _ byte: UInt8) -> Node {
    if ids.count * 2 > slots.count { grow() }
    let child = UInt32(ids.count)
    ids.append(-1)
    place(UInt64(node << 8 | UInt32(byte)) << 32 | UInt64(child))
    return child
  }

  private mutating func place(_ edge: UInt64) {
    let mask = slots.count - 1
    var slot = Self.home(edge >> 32, mask)
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = edge
  }

  private mutating func grow() {
    let edges = slots
    slots = Array(repeating: 0, count: edges.count * 2)
    for edge in edges where edge != 0 { place(edge) }
  }

  /// Fibonacci hashing: the product's upper bits are well mixed.
  @inline(__always)
  private static func home(_ key: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: key &* 0x9E37_79B9_7F4A_7C15 >> 32) & mask
  }
}
