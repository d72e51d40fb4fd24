internal import Foundation
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

  /// The part of a training code's computation that a model in normal form does not do, for people who import from it.
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
  func modules(for task: ModelTask, in tensors: ForeignTensors, _ style: TensorStyle) -> [HeadRole: [String]] {
    var modules = [HeadRole.spans: spans[task] ?? [], .head: links.head, .tail: links.tail]
    guard style == .keras else { return modules }
    // Heads without a name are told apart by the order in which they were made.
    let found = KerasNames.pointerModules(among: tensors.entries.keys)
    let roles = HeadRole.all(of: task)
    guard found.count == roles.count else { return modules }
    for (role, module) in zip(roles, found) { modules[role, default: []].append(module) }
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

/// How a code names the layers of a BERT encoder: for each of Hugging Face's names, its own.
struct EncoderNaming: Sendable {
  let style: TensorStyle
  /// What comes before a layer's number, and what after.
  private let layer: (before: String, after: String)
  /// Names that differ from Hugging Face's, by those.
  private let names: [String: [String]]

  /// The tensors by which an encoder of this naming is recognised, without a prefix.
  var landmarks: [String] {
    candidates(for: "embeddings.LayerNorm").flatMap { style.names(of: .weight, in: $0, .normalization) }
  }

  /// What the names of all numbered layers begin with.
  var layersStart: String { layer.before }

  /// What a layer may be called, the usual name first.
  func candidates(for name: String) -> [String] {
    let start = "encoder.layer."
    guard name.hasPrefix(start), let dot = name.dropFirst(start.count).firstIndex(of: ".") else {
      return names[name] ?? [name]
    }
    let number = name[name.index(name.startIndex, offsetBy: start.count)..<dot]
    let part = String(name[name.index(after: dot)...])
    return (names[part] ?? [part]).map { "\(layer.before)\(number)\(layer.after)\($0)" }
  }

  static let huggingFace = EncoderNaming(style: .torch, layer: ("encoder.layer.", "."), names: [:])

  static let bert4torch = EncoderNaming(
    style: .torch, layer: ("encoderLayer.", "."),
    names: [
      "embeddings.token_type_embeddings": ["embeddings.segment_embeddings"],
      "embeddings.LayerNorm": ["embeddings.layerNorm"],
      "attention.self.query": ["multiHeadAttention.q"],
      "attention.self.key": ["multiHeadAttention.k"],
      "attention.self.value": ["multiHeadAttention.v"],
      "attention.output.dense": ["multiHeadAttention.o"],
      "attention.output.LayerNorm": ["attnLayerNorm", "layerNorm1"],
      "intermediate.dense": ["feedForward.intermediateDense"],
      "output.dense": ["feedForward.outputDense"],
      "output.LayerNorm": ["ffnLayerNorm", "layerNorm2"],
    ])

  static let paddle = EncoderNaming(
    style: .paddle, layer: ("encoder.layers.", "."),
    names: [
      "embeddings.LayerNorm": ["embeddings.layer_norm"],
      "attention.self.query": ["self_attn.q_proj"],
      "attention.self.key": ["self_attn.k_proj"],
      "attention.self.value": ["self_attn.v_proj"],
      "attention.output.dense": ["self_attn.out_proj"],
      "attention.output.LayerNorm": ["norm1"],
      "intermediate.dense": ["linear1"],
      "output.dense": ["linear2"],
      "output.LayerNorm": ["norm2"],
    ])

  /// bert4keras names layers, Keras numbers the dense layers inside: see `KerasNames`.
  static let keras = EncoderNaming(
    style: .keras, layer: ("Transformer-", "-"),
    names: [
      "embeddings.word_embeddings": ["Embedding-Token"],
      "embeddings.position_embeddings": ["Embedding-Position"],
      "embeddings.token_type_embeddings": ["Embedding-Segment"],
      "embeddings.LayerNorm": ["Embedding-Norm"],
      "attention.self.query": ["MultiHeadSelfAttention/0"],
      "attention.self.key": ["MultiHeadSelfAttention/1"],
      "attention.self.value": ["MultiHeadSelfAttention/2"],
      "attention.output.dense": ["MultiHeadSelfAttention/3"],
      "attention.output.LayerNorm": ["MultiHeadSelfAttention-Norm"],
      "intermediate.dense": ["FeedForward/0"],
      "output.dense": ["FeedForward/1"],
      "output.LayerNorm": ["FeedForward-Norm"],
    ])
}

/// How a framework names and stores the tensors of a layer.
struct TensorStyle: Sendable, Hashable {
  /// Between the parts of a name.
  let separator: String
  /// Dense weights are stored `[inputs, outputs]`.
  let storesInputsFirst: Bool
  private let denseWeight: String
  private let tableWeight: String
  private let gains: [String]
  private let shifts: [String]

  static let torch = TensorStyle(
    separator: ".", storesInputsFirst: false, denseWeight: "weight", tableWeight: "weight",
    gains: ["weight", "gamma"], shifts: ["bias", "beta"])
  static let paddle = TensorStyle(
    separator: ".", storesInputsFirst: true, denseWeight: "weight", tableWeight: "weight", gains: ["weight"],
    shifts: ["bias"])
  static let keras = TensorStyle(
    separator: "/", storesInputsFirst: true, denseWeight: "kernel", tableWeight: "embeddings", gains: ["gamma"],
    shifts: ["beta"])

  /// What a tensor of a layer may be called, the usual name first.
  func names(of role: ModelLayer.Part.Role, in layer: String, _ form: ModelLayer.Form) -> [String] {
    let endings =
      switch (role, form) {
      case (.weight, .dense): [denseWeight]
      case (.weight, .table): [tableWeight]
      case (.weight, .normalization): gains
      case (.bias, .normalization): shifts
      case (.bias, _): ["bias"]
      }
    return endings.map { join(layer, $0) }
  }

  /// The layer that a tensor belongs to.
  func layer(of tensor: String) -> String {
    guard let end = tensor.range(of: separator, options: .backwards)?.lowerBound else { return "" }
    return String(tensor[..<end])
  }

  func join(_ first: String, _ second: String) -> String { first.isEmpty ? second : first + separator + second }
}
