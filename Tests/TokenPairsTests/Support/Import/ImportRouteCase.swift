import ModelFiles
import Testing

@testable import TokenPairs

/// A checkpoint as one training code leaves it: its names, its layout, and what else lies in its files.
struct ImportRouteCase: Sendable, CustomTestStringConvertible {
  let dialect: String
  let task: ModelTask
  let kind: HeadKind
  let names: ForeignNames
  /// The layers of each head (spans; head and tail links), by their whole names.
  let heads: [[String]]
  var format = CheckpointFormat.safetensors
  /// Buffers and heads of the pretraining, which are passed over without a word.
  var others: [String] = []

  var testDescription: String { "\(dialect), \(task.rawValue), \(kind.rawValue)" }

  init(
    _ dialect: String, _ task: ModelTask, _ kind: HeadKind, _ names: ForeignNames, _ heads: [[String]],
    _ format: CheckpointFormat = .safetensors, others: [String] = []
  ) {
    (self.dialect, self.task, self.kind, self.names, self.heads) = (dialect, task, kind, names, heads)
    (self.format, self.others) = (format, others)
  }

  static let all: [ImportRouteCase] = {
    let bert = ForeignNames.huggingFace(prefix: "bert.")
    let encoder = ForeignNames.huggingFace(prefix: "encoder.")
    let new = ForeignNames.bert4torch(norms: ("attnLayerNorm", "ffnLayerNorm"))
    let old = ForeignNames.bert4torch(norms: ("layerNorm1", "layerNorm2"))
    func three(_ spans: String, _ parts: [String]) -> [[String]] {
      [spans, "head_output", "tail_output"].map { module in parts.map { "\(module).\($0)" } }
    }
    func keras(_ base: String, _ count: Int, heads: Int) -> [[String]] {
      (0..<heads).map { head in
        (0..<count).map { "\(base)\(head == 0 ? "" : "_\(head)")/dense_\(98 + head * count + $0)" }
      }
    }
    let buffers = ["position_embedding.cos_position", "position_embedding.sin_position"]
    return [
      .init("bert4keras", .entities, .globalPointer, .keras, keras("global_pointer", 1, heads: 1), .npz),
      .init("bert4keras", .entities, .efficient, .keras, keras("efficient_global_pointer", 2, heads: 1), .npz),
      .init("bert4keras", .relations, .efficient, .keras, keras("efficient_global_pointer", 2, heads: 3), .npz),
      .init(
        "bert4keras", .events, .globalPointer, .keras, keras("global_pointer", 1, heads: 3), others: ["MLM-Bias/bias:0"]
      ),
      .init("bert4keras", .entities, .efficient, bert, [["p_dense", "q_dense"]]),
      .init("bert4torch", .entities, .globalPointer, new, [["global_pointer.dense"]]),
      .init(
        "bert4torch", .entities, .efficient, new, [["global_pointer.p_dense", "global_pointer.q_dense"]],
        others: buffers.map { "global_pointer.\($0)" } + ["bert.pooler.weight"]),
      .init("bert4torch", .relations, .efficient, bert, three("entity_output", ["p_dense", "q_dense"])),
      .init("bert4torch", .events, .globalPointer, new, three("argu_output", ["dense"])),
      .init("bert4torch-0.2.7", .entities, .globalPointer, old, [["global_pointer.dense"]]),
      .init(
        "bert4torch-0.2.7", .entities, .efficient, old, [["global_pointer.p_dense", "global_pointer.q_dense"]]),
      .init("bert4torch-0.2.5", .relations, .globalPointer, old, three("entity_output", ["dense"])),
      .init("bert4torch-0.2.5", .relations, .efficient, old, three("entity_output", ["p_dense", "q_dense"])),
      .init(
        "taishan1994", .entities, .globalPointer, bert, [["global_pointer.dense"]],
        others: buffers.map { "global_pointer.\($0)" }),
      .init("taishan1994", .entities, .efficient, bert, [["global_pointer.p_dense", "global_pointer.q_dense"]]),
      .init(
        "paddle", .entities, .efficient, .paddle, [["entity_output.dense1", "entity_output.dense2"]], .npz,
        others: ["encoder.pooler.dense.weight"]),
      .init("paddle", .relations, .efficient, .paddle, three("entity_output", ["dense1", "dense2"]), .npz),
      .init("paddle", .events, .efficient, .paddle, three("entity_output", ["dense1", "dense2"])),
      .init("junnyu", .relations, .globalPointer, bert, three("entity_output", ["dense"])),
      .init("junnyu", .relations, .efficient, bert, three("entity_output", ["dense1", "dense2"])),
      .init(
        "junnyu", .events, .efficient, bert, three("argu_output", ["dense1", "dense2"]),
        others: ["bert.embeddings.position_ids"]),
      .init("xhw205", .entities, .globalPointer, encoder, [["dense"]], others: ["encoder.pooler.dense.bias"]),
      .init("xhw205", .entities, .efficient, encoder, [["dense_1", "dense_2"]]),
      .init(
        "xhw205", .relations, .globalPointer, encoder,
        [["mention_detect.dense"], ["s_o_head.dense"], ["s_o_tail.dense"]]),
      .init("gaohongkui", .entities, .globalPointer, encoder, [["dense"]]),
      .init("powerycy", .entities, .efficient, bert, [["globalpointer.linear_1", "globalpointer.linear_2"]]),
      .init("ark-nlp", .entities, .globalPointer, bert, [["global_pointer.dense"]]),
      .init(
        "ark-nlp", .entities, .efficient, bert,
        [["efficient_global_pointer.dense_1", "efficient_global_pointer.dense_2"]]),
      .init(
        "adaseq", .entities, .efficient, .huggingFace(prefix: "embedder.transformer_model."),
        [["token_inner_embed_ffn", "type_score_ffn"]]),
    ]
  }()

  var labels: [String] {
    switch task {
    case .entities: ["PER", "LOC", "ORG"]
    case .relations: ["subject", "object"]
    case .events: ["Attack/trigger", "Attack/target", "Meet/trigger", "Meet/who", "Meet/where"]
    }
  }

  var predicates: [String] { task == .relations ? ["Kill", "Live_In", "Work_For", "Based_In"] : [] }
}

/// A checkpoint of a case with random weights, in a directory of its own.
struct ForeignCheckpoint {
  let scratch: Scratch
  let encoder: SmallEncoder
  /// As the training code computes them: spans, and for links head and tail.
  let heads: [StoredHead]
  var arrays: [NamedArray]
  let route: ImportRouteCase

  init(_ route: ImportRouteCase, headSize: Int = 4, rope: Bool = true, seed: UInt64 = 5) throws {
    self.route = route
    scratch = try Scratch()
    encoder = SmallEncoder(seed: seed)
    let row = try #require(DialectRow.all.first { $0.name == route.dialect })
    let links = route.task == .events ? 1 : route.predicates.count
    heads = route.heads.indices.map { index in
      StoredHead(
        row, route.kind, types: index == 0 ? route.labels.count : links, headSize: headSize,
        hiddenSize: SmallEncoder.hiddenSize, rope: rope && index == 0, triangular: index == 0 || route.task == .events,
        seed: seed + 10 + UInt64(index))
    }
    arrays = []
    let inputsFirst = route.names.storesInputsFirst
    for var array in encoder.arrays {
      if inputsFirst, SmallEncoder.isDenseWeight(array.name) { array = array.turned }
      array.name = route.names.name(array.name)
      arrays.append(array)
    }
    for (head, layers) in zip(heads, route.heads) {
      for (layer, name) in zip([head.projection, head.bias], layers) {
        let (weight, bias) = if case .keras = route.names { ("/kernel:0", "/bias:0") } else { (".weight", ".bias") }
        let matrix = NamedArray(
          name: name + weight, values: layer.weights, shape: [layer.bias.count, layer.inputs])
        arrays.append(inputsFirst ? matrix.turned : matrix)
        arrays.append(NamedArray(name: name + bias, values: layer.bias, shape: [layer.bias.count]))
      }
    }
    arrays += route.others.map { NamedArray(name: $0, values: [1, 2], shape: [2]) }
  }

  /// Writes the checkpoint and what lies beside it.
  func write(half: Bool = false) throws {
    try SmallEncoder.writeFiles(to: scratch)
    try route.format.write(arrays, to: scratch.path, half: half)
  }

  var request: ImportRequest {
    get throws {
      ImportRequest(
        source: scratch.path, destination: scratch.file("model"),
        dialect: try #require(HeadDialect.named(route.dialect)), task: route.task, labels: route.labels,
        predicates: route.predicates)
    }
  }
}
