internal import ModelFiles

/// Where the training codes put what they train: the names of the encoder's layers and of the heads'.
///
/// Read from the published source of each code that the dialect is named after.
struct ImportRoute: Sendable {
  /// The encoder's namings, the usual one first.
  let encoders: [EncoderNaming]
  /// What the encoder's names begin with.
  let prefixes: [String]
  /// The module of the head that finds spans, by task; an empty name is the model itself.
  private let spans: [ModelTask: [String]]
  private let links: (head: [String], tail: [String])
  /// The layer of a plain head.
  private let plain: [String]
  /// Projection and bias of an efficient head.
  private let efficient: [[String]]

  /// What of a training code's computation a model in normal form does not do, for those who import from it.
  static func caveat(_ dialect: HeadDialect, isRotated: Bool) -> String? {
    switch dialect.name {
    case "ark-nlp" where isRotated:
      "ark-nlp turns the two channels of a pair by different angles, Weft by the same: scores will differ from those "
        + "in training"
    case "adaseq":
      "AdaSeq scores one vector a word, that of its first piece, Weft one a piece: scores of words with several pieces "
        + "will differ"
    default: nil
    }
  }

  /// The modules that may hold each head of a task, likely ones first.
  struct Modules {
    var spans: [String]
    var head: [String]
    var tail: [String]
  }

  func modules(for task: ModelTask, in tensors: ForeignTensors, _ style: TensorStyle) -> Modules {
    var modules = Modules(spans: spans[task] ?? [], head: links.head, tail: links.tail)
    guard style == .keras else { return modules }
    // Heads without a name are told by the order in which they were made.
    let found = KerasNames.pointerModules(among: tensors.entries.keys)
    if task == .entities, found.count == 1 { modules.spans += found }
    if task != .entities, found.count == 3 {
      modules = Modules(
        spans: modules.spans + [found[0]], head: modules.head + [found[1]], tail: modules.tail + [found[2]])
    }
    return modules
  }

  /// The layers that may make up a head of a kind.
  func layers(of kind: HeadKind, _ style: TensorStyle) -> [[String]] {
    switch (style == .keras, kind) {
    case (true, .globalPointer): [["0"]]
    case (true, .efficient): [["0", "1"]]
    case (false, .globalPointer): plain.map { [$0] }
    case (false, .efficient): efficient
    }
  }

  static func of(_ dialect: HeadDialect) -> ImportRoute {
    switch dialect.name {
    case "bert4keras":
      ImportRoute(
        encoders: [.keras, .huggingFace], prefixes: ["", "bert."], entities: ["", "entity_output", "global_pointer"],
        plain: ["dense"], efficient: [["p_dense", "q_dense"], ["dense1", "dense2"]])
    case "paddle":
      ImportRoute(
        encoders: [.paddle], prefixes: ["encoder."], entities: ["entity_output"], plain: [],
        efficient: [["dense1", "dense2"]])
    case "junnyu":
      ImportRoute(
        encoders: [.huggingFace], prefixes: ["bert."], entities: ["entity_output", "global_pointer"],
        plain: ["dense"], efficient: [["dense1", "dense2"]])
    case "powerycy":
      ImportRoute(
        encoders: [.huggingFace], prefixes: ["bert."], entities: ["globalpointer"], plain: [],
        efficient: [["linear_1", "linear_2"]])
    case "adaseq":
      ImportRoute(
        encoders: [.huggingFace], prefixes: ["embedder.transformer_model.", "encoder."], entities: [""], plain: [],
        efficient: [["token_inner_embed_ffn", "type_score_ffn"], ["dense_1", "dense_2"]])
    case "xhw205", "gaohongkui":
      ImportRoute(
        encoders: [.huggingFace], prefixes: ["encoder."], entities: [""], linkSpans: ["mention_detect"],
        head: ["s_o_head"], tail: ["s_o_tail"], plain: ["dense"], efficient: [["dense_1", "dense_2"]])
    case "ark-nlp":
      ImportRoute(
        encoders: [.huggingFace], prefixes: ["bert."], entities: ["global_pointer", "efficient_global_pointer"],
        plain: ["dense"], efficient: [["dense_1", "dense_2"]])
    default:  // bert4torch in all its versions, and taishan1994, which took its heads from there
      ImportRoute(
        encoders: [.bert4torch, .huggingFace], prefixes: ["bert."], entities: ["global_pointer"], plain: ["dense"],
        efficient: [["p_dense", "q_dense"]])
    }
  }

  private init(
    encoders: [EncoderNaming], prefixes: [String], entities: [String], linkSpans: [String] = [], head: [String] = [],
    tail: [String] = [], plain: [String], efficient: [[String]]
  ) {
    self.encoders = encoders
    self.prefixes = prefixes
    spans = [
      .entities: entities,
      .relations: ["entity_output"] + linkSpans,
      .events: ["argu_output", "argument_output", "entity_output"],
    ]
    links = (["head_output"] + head, ["tail_output"] + tail)
    self.plain = plain
    self.efficient = efficient
  }
}
