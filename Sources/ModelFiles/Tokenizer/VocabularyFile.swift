/// Reading `vocab.txt` and `tokenizer_config.json`, the files of BERT's original tokenizer.
extension TokenizerDefinition {
  /// The roles of special tokens and their usual spelling. Only the first three must be in the
  /// vocabulary; one without an entry is not searched for, since no row of an embedding table would
  /// stand for it.
  private static let roles = [
    ("unk_token", "[UNK]"), ("cls_token", "[CLS]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"),
    ("mask_token", "[MASK]"),
  ]

  /// The tokenizer classes that are BERT's under another name; others, such as the Japanese one,
  /// split words in ways of their own.
  private static let classes = ["Bert", "DistilBert", "Electra", "MobileBert", "RetriBert"]

  /// Reads a directory's files; without `tokenizer_config.json` BERT's defaults hold.
  /// - Throws: `ModelFileError` if a file is not valid or asks for what is not supported.
  init(vocabularyIn directory: String) throws(ModelFileError) {
    let file = path(directory, "vocab.txt")
    self.init(file: file, pieces: try Self.lines(of: file))
    let configurationFile = path(directory, "tokenizer_config.json")
    let settings = fileExists(configurationFile) ? try JSONFields(file: configurationFile) : nil
    if let settings { try read(settings) }

    for (role, usual) in Self.roles {
      let content = try settings?.tokenText(role) ?? usual
      if let id = id(of: content) {
        add(AddedToken(content: content, id: id))
        switch role {
        case "unk_token": unknownToken = content
        case "cls_token": clsID = id
        case "sep_token": sepID = id
        case "pad_token": padID = id
        default: break
        }
      } else if ["unk_token", "cls_token", "sep_token"].contains(role) {
        throw error("token \(content.quoted)", "the \(role) is not in the vocabulary")
      }
    }
    let others = path(directory, "added_tokens.json")
    guard !fileExists(others) else {
      throw ModelFileError(
        file: others, problem: "is not supported; save the tokenizer with its tokenizer.json")
    }
  }

  private mutating func read(_ settings: JSONFields) throws(ModelFileError) {
    if let name = try settings.string("tokenizer_class") {
      let known = Self.classes.flatMap { ["\($0)Tokenizer", "\($0)TokenizerFast"] }
      guard known.contains(name) else {
        throw settings.error("tokenizer_class", "\(name.quoted) is not supported; BertTokenizer is")
      }
    }
    normalizer.lowercases = try settings.bool("do_lower_case") ?? true
    normalizer.stripsAccents = try settings.bool("strip_accents") ?? normalizer.lowercases
    normalizer.separatesIdeographs = try settings.bool("tokenize_chinese_chars") ?? true

    for token in try settings.strings("additional_special_tokens") ?? [] {
      guard let id = id(of: token) else {
        throw settings.error(
          "additional_special_tokens",
          "\(token.quoted) is not in the vocabulary; save the tokenizer with its tokenizer.json")
      }
      add(AddedToken(content: token, id: id))
    }
    guard let decoder = try settings.object("added_tokens_decoder") else { return }
    for member in decoder.members {
      guard let id = Int32(member.name), let flags = try decoder.object(member.name) else {
        throw decoder.error(member.name, "an id and a token expected")
      }
      add(try AddedToken(flags, id: id))
    }
  }

  /// Adds a token unless it is there already: what says more about it is read first.
  private mutating func add(_ token: AddedToken) {
    if !addedTokens.contains(where: { $0.content.hasSameBytes(as: token.content) }) {
      addedTokens.append(token)
    }
  }

  /// The lines of `vocab.txt`: the piece of id n in line n, from 0.
  private static func lines(
    of file: String
  ) throws(ModelFileError) -> [(text: String, id: Int32)] {
    let mapped = try MappedFile(path: file)
    return try mapped.withBytes { (bytes) throws(ModelFileError) in
      var pieces: [(text: String, id: Int32)] = []
      var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      if lines.last?.isEmpty == true { lines.removeLast() }  // after the last line feed
      guard lines.count <= Int(idLimit) else {
        throw ModelFileError(file: file, problem: "\(lines.count) lines are too many")
      }
      for (number, line) in lines.enumerated() {
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        guard let text = String(validating: line, as: UTF8.self) else {
          throw ModelFileError(file: file, problem: "line \(number + 1) is not valid UTF-8")
        }
        pieces.append((text, Int32(number)))
      }
      return pieces
    }
  }
}

extension JSONFields {
  /// A special token, written as a string or as an object with `content`.
  fileprivate func tokenText(_ name: String) throws(ModelFileError) -> String? {
    if case .object? = self[name] { return try object(name)?.string("content") }
    return try string(name)
  }
}
