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

/// Reading `tokenizer.json`, the file of Hugging Face's fast tokenizers.
///
/// `decoder` is not needed. `truncation` and `padding` are ignored on purpose: they hold what the
/// model was trained with, and Weft never cuts a text and pads by itself.
extension TokenizerDefinition {
  /// Reads the file.
  /// - Throws: `ModelFileError` naming the component that is missing or of an unsupported kind.
  init(tokenizerFile file: String) throws(ModelFileError) {
    let fields = try JSONFields(file: file)
    guard let model = try fields.object("model") else { throw fields.error("model", "is missing") }
    self.init(file: file, pieces: try Self.pieces(of: model))
    unknownToken = try model.string("unk_token") ?? "[UNK]"
    continuationPrefix = try model.string("continuing_subword_prefix") ?? "##"
    maximumWordLength = try model.integer("max_input_chars_per_word", in: 0...Int.max) ?? 100
    normalizer = try Self.normalizer(of: fields)
    _ = try Self.component("pre_tokenizer", of: fields, kinds: ["BertPreTokenizer"])
    addedTokens = try addedTokens(of: fields)
    (clsID, sepID) = try specialIDs(of: fields)
    if let padding = try fields.object("padding") {
      padID = try padding.integer("pad_id", in: 0...Int(Self.idLimit) - 1).map(Int32.init)
    }
    padID = padID ?? id(of: "[PAD]")
  }

  /// A component that must be there and be of one of the kinds.
  private static func component(
    _ name: String, of fields: JSONFields, kinds: [String]
  ) throws(ModelFileError) -> (fields: JSONFields, kind: String) {
    let expected = kinds.joined(separator: " or ")
    guard let component = try fields.object(name) else {
      throw fields.error(name, "is missing; \(expected) is expected")
    }
    let kind = try component.string("type") ?? ""
    guard kinds.contains(kind) else {
      throw component.error("type", "\(kind.quoted) is not supported; \(expected) is")
    }
    return (component, kind)
  }

  private static func pieces(
    of model: JSONFields
  ) throws(ModelFileError) -> [(text: String, id: Int32)] {
    // The oldest files do not name the model's type; only WordPiece has this field.
    let type = try model.string("type")
    guard type == "WordPiece" || type == nil && model["continuing_subword_prefix"] != nil else {
      throw model.error(
        "type", "\((type ?? "null").quoted) is not supported; WordPiece is")
    }
    guard let vocabulary = try model.object("vocab") else {
      throw model.error("vocab", "is missing")
    }
    var pieces: [(text: String, id: Int32)] = []
    pieces.reserveCapacity(vocabulary.members.count)
    for member in vocabulary.members {
      guard case .integer(let id) = member.value, 0..<Int(idLimit) ~= id else {
        throw vocabulary.error(member.name, "an id between 0 and \(idLimit - 1) expected")
      }
      pieces.append((member.name, Int32(id)))
    }
    return pieces
  }

  private static func normalizer(of fields: JSONFields) throws(ModelFileError) -> NormalizerOptions {
    let settings = try component("normalizer", of: fields, kinds: ["BertNormalizer"]).fields
    let lowercases = try settings.bool("lowercase") ?? true
    return NormalizerOptions(
      cleansText: try settings.bool("clean_text") ?? true,
      separatesIdeographs: try settings.bool("handle_chinese_chars") ?? true,
      // null: as BERT had it, accents go with the case
      stripsAccents: try settings.bool("strip_accents") ?? lowercases,
      lowercases: lowercases)
  }

  /// The added tokens. The library numbers those that the vocabulary lacks by itself, from the
  /// vocabulary's size on; a file that has other ids would mean other tokens there than here.
  private func addedTokens(of fields: JSONFields) throws(ModelFileError) -> [AddedToken] {
    let vocabulary = Set(pieces.map { ExactString($0.text) })
    var tokens: [AddedToken] = []
    var unused = pieces.count
    for settings in try fields.objects("added_tokens") ?? [] {
      guard let id = try settings.integer("id", in: 0...Int(Self.idLimit) - 1) else {
        throw settings.error("id", "is missing")
      }
      let token = try AddedToken(settings, id: Int32(id))
      guard !tokens.contains(where: { $0.content.hasSameBytes(as: token.content) }) else {
        throw settings.error("content", "\(token.content.quoted) is added twice")
      }
      if !vocabulary.contains(ExactString(token.content)), id != unused {
        throw settings.error(
          "id",
          "\(token.content.quoted) has id \(id), where \(unused) is the next after the "
            + "vocabulary's")
      }
      unused = max(unused, id + 1)
      tokens.append(token)
    }
    return tokens
  }

  /// The ids around a single sequence, from `TemplateProcessing` or `BertProcessing`.
  private func specialIDs(
    of fields: JSONFields
  ) throws(ModelFileError) -> (cls: Int32, sep: Int32) {
    let (processor, kind) = try Self.component(
      "post_processor", of: fields, kinds: ["TemplateProcessing", "BertProcessing"])
    if kind == "BertProcessing" {
      return (try pairID("cls", of: processor), try pairID("sep", of: processor))
    }
    let template = try processor.objects("single") ?? []
    guard template.count == 3, try template[1].object("Sequence") != nil,
      let cls = try template[0].object("SpecialToken")?.string("id"),
      let sep = try template[2].object("SpecialToken")?.string("id")
    else {
      throw processor.error(
        "single", "is not supported; one special token, the sequence and one special token are")
    }
    return (try templateID(cls, of: processor), try templateID(sep, of: processor))
  }

  /// The id in a field such as `"cls": ["[CLS]", 101]`.
  private func pairID(_ name: String, of fields: JSONFields) throws(ModelFileError) -> Int32 {
    guard let pair = try fields.array(name), pair.count == 2, case .integer(let id) = pair[1],
      let id = Int32(exactly: id)
    else { throw fields.error(name, "a token and its id expected") }
    return id
  }

  /// The id of a special token of a template; one that stands for several ids is refused.
  private func templateID(
    _ token: String, of processor: JSONFields
  ) throws(ModelFileError) -> Int32 {
    guard let ids = try processor.object("special_tokens")?.object(token)?.array("ids"),
      ids.count == 1, case .integer(let id) = ids[0], let id = Int32(exactly: id)
    else { throw processor.error("special_tokens", "one id for \(token.quoted) expected") }
    return id
  }
}

extension TokenizerDefinition {
  /// The id of a token that must be spelled exactly so; the last counts.
  func id(of token: String) -> Int32? {
    pieces.last { $0.text.hasSameBytes(as: token) }?.id
      ?? addedTokens.last { $0.content.hasSameBytes(as: token) }?.id
  }
}

extension AddedToken {
  /// Reads a token with its flags, as both kinds of tokenizer file write them.
  init(_ settings: JSONFields, id: Int32) throws(ModelFileError) {
    guard let content = try settings.string("content"), !content.isEmpty else {
      throw settings.error("content", "is missing or empty")
    }
    let isSpecial = try settings.bool("special") ?? false
    self.init(
      content: content, id: id, isSpecial: isSpecial,
      isSingleWord: try settings.bool("single_word") ?? false,
      stripsLeft: try settings.bool("lstrip") ?? false,
      stripsRight: try settings.bool("rstrip") ?? false,
      isNormalized: try settings.bool("normalized") ?? !isSpecial)
  }
}

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
    var pieces: [(text: String, id: Int32)] = []
    var lines = try fileContent(file).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
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

extension JSONFields {
  /// A special token, written as a string or as an object with `content`.
  fileprivate func tokenText(_ name: String) throws(ModelFileError) -> String? {
    if case .object? = self[name] { return try object(name)?.string("content") }
    return try string(name)
  }
}
