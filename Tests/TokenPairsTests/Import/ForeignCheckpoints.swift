import Foundation
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

/// How one training code names an encoder's tensors: written down here from its source, apart from the library.
enum ForeignNames: Sendable {
  case huggingFace(prefix: String)
  case bert4torch(norms: (String, String))
  case paddle
  case keras

  var storesInputsFirst: Bool {
    switch self {
    case .paddle, .keras: true
    case .huggingFace, .bert4torch: false
    }
  }

  /// The name of one of Hugging Face's tensors.
  func name(_ tensor: String) -> String {
    switch self {
    case .huggingFace(let prefix): prefix + tensor
    case .bert4torch(let norms): "bert." + Self.bert4torch(tensor, norms)
    case .paddle: "encoder." + Self.paddle(tensor)
    case .keras: Self.keras(tensor)
    }
  }

  private static func bert4torch(_ tensor: String, _ norms: (String, String)) -> String {
    replacing(
      tensor,
      [
        "token_type_embeddings": "segment_embeddings", "embeddings.LayerNorm": "embeddings.layerNorm",
        "encoder.layer.": "encoderLayer.", "attention.self.query": "multiHeadAttention.q",
        "attention.self.key": "multiHeadAttention.k", "attention.self.value": "multiHeadAttention.v",
        "attention.output.dense": "multiHeadAttention.o", "attention.output.LayerNorm": norms.0,
        "intermediate.dense": "feedForward.intermediateDense", ".output.LayerNorm": ".\(norms.1)",
        ".output.dense": ".feedForward.outputDense",
      ])
  }

  private static func paddle(_ tensor: String) -> String {
    replacing(
      tensor,
      [
        "embeddings.LayerNorm": "embeddings.layer_norm", "encoder.layer.": "encoder.layers.",
        "attention.self.query": "self_attn.q_proj", "attention.self.key": "self_attn.k_proj",
        "attention.self.value": "self_attn.v_proj", "attention.output.dense": "self_attn.out_proj",
        "attention.output.LayerNorm": "norm1", "intermediate.dense": "linear1", ".output.LayerNorm": ".norm2",
        ".output.dense": ".linear2",
      ])
  }

  /// Replaces the longest keys first: an attention's output before a layer's.
  private static func replacing(_ text: String, _ names: [String: String]) -> String {
    var text = text
    for (old, new) in names.sorted(by: { ($1.key.count, $0.key) < ($0.key.count, $1.key) }) {
      text = text.replacing(old, with: new)
    }
    return text
  }

  /// Keras counts dense layers through the program. Counting from 7, the first attention has 7, 8, 9 and 10, which in
  /// the order of the alphabet are 10, 7, 8, 9.
  private static func keras(_ tensor: String) -> String {
    let isBias = tensor.hasSuffix(".bias")
    switch tensor {
    case "embeddings.word_embeddings.weight": return "Embedding-Token/embeddings:0"
    case "embeddings.position_embeddings.weight": return "Embedding-Position/embeddings:0"
    case "embeddings.token_type_embeddings.weight": return "Embedding-Segment/embeddings:0"
    case "embeddings.LayerNorm.weight": return "Embedding-Norm/gamma:0"
    case "embeddings.LayerNorm.bias": return "Embedding-Norm/beta:0"
    default: break
    }
    let parts = tensor.split(separator: ".")
    let index = Int(parts[2]) ?? 0
    let place = parts[3..<parts.count - 1].joined(separator: ".")
    let layer = "Transformer-\(index)-"
    if place == "attention.output.LayerNorm" {
      return "\(layer)MultiHeadSelfAttention-Norm/\(isBias ? "beta" : "gamma"):0"
    }
    if place == "output.LayerNorm" { return "\(layer)FeedForward-Norm/\(isBias ? "beta" : "gamma"):0" }
    let order = [
      "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
      "intermediate.dense", "output.dense",
    ]
    let number = 7 + 6 * index + (order.firstIndex(of: place) ?? 0)
    let module = place.hasPrefix("attention") ? "MultiHeadSelfAttention" : "FeedForward"
    return "\(layer)\(module)/dense_\(number)/\(isBias ? "bias" : "kernel"):0"
  }
}

/// A tensor as a test has made it up.
struct NamedArray {
  var name: String
  var values: [Float]
  var shape: [Int]

  /// A matrix the other way round.
  var turned: NamedArray {
    let (rows, columns) = (shape[0], shape[1])
    let values = (0..<columns).flatMap { c in (0..<rows).map { self.values[$0 * columns + c] } }
    return NamedArray(name: name, values: values, shape: [columns, rows])
  }
}

/// The two formats of foreign checkpoints.
enum CheckpointFormat: CaseIterable {
  case safetensors
  case npz

  var fileName: String { self == .npz ? "weights.npz" : "model.safetensors" }

  func write(_ arrays: [NamedArray], to directory: String, half: Bool = false) throws {
    let path = "\(directory)/\(fileName)"
    guard self == .npz else {
      var writer = SafetensorsWriter()
      for array in arrays {
        writer.add(array.name, floats: array.values, shape: array.shape, as: half ? .float16 : .float32)
      }
      return try writer.write(to: path)
    }
    try Data(Self.archive(arrays)).write(to: URL(fileURLWithPath: path))
  }

  /// A ZIP archive of stored arrays, as `np.savez` writes it.
  private static func archive(_ arrays: [NamedArray]) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for array in arrays {
      let name = Array("\(array.name).npy".utf8)
      let content = NumPyWriter.file(array.values, shape: array.shape)
      let numbers =
        little(0, 8) + little(crc(content), 4) + little(content.count, 4) + little(content.count, 4)
        + little(name.count, 2) + little(0, 2)
      directory += little(0x0201_4B50, 4) + little(45, 2) + little(20, 2) + numbers + little(0, 10)
      directory += little(bytes.count, 4) + name
      bytes += little(0x0403_4B50, 4) + little(20, 2) + numbers + name + content
    }
    let start = bytes.count
    bytes += directory + little(0x0605_4B50, 4) + little(0, 4) + little(arrays.count, 2) + little(arrays.count, 2)
    return bytes + little(directory.count, 4) + little(start, 4) + little(0, 2)
  }

  private static func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// CRC-32, bit by bit.
  private static func crc(_ bytes: [UInt8]) -> Int {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return Int(~crc)
  }
}

/// A BERT of two layers with random weights, under Hugging Face's names.
struct SmallEncoder {
  static let hiddenSize = 8
  static let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "mr", ".", "reed", "left", "##s", "a"]
  static let configuration = """
    {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
     "intermediate_size": 12, "vocab_size": 10, "max_position_embeddings": 16, "type_vocab_size": 3,
     "layer_norm_eps": 1e-9, "hidden_act": "gelu_new"}
    """

  /// Without a prefix; weights `[outputs, inputs]`.
  let arrays: [NamedArray]

  init(seed: UInt64) {
    var random = SeededGenerator(seed)
    var arrays: [NamedArray] = []
    func add(_ name: String, _ shape: [Int], around center: Float = 0) {
      let values = random.floats(shape.reduce(1, *)).map { center + $0 / 2 }
      arrays.append(NamedArray(name: name, values: values, shape: shape))
    }
    func dense(_ name: String, _ outputs: Int, _ inputs: Int) {
      add(name + ".weight", [outputs, inputs])
      add(name + ".bias", [outputs])
    }
    func norm(_ name: String) {
      add(name + ".weight", [8], around: 1)
      add(name + ".bias", [8])
    }
    add("embeddings.word_embeddings.weight", [10, 8])
    add("embeddings.position_embeddings.weight", [16, 8])
    add("embeddings.token_type_embeddings.weight", [3, 8])
    norm("embeddings.LayerNorm")
    for index in 0..<2 {
      let layer = "encoder.layer.\(index)."
      for part in ["query", "key", "value"] { dense(layer + "attention.self." + part, 8, 8) }
      dense(layer + "attention.output.dense", 8, 8)
      norm(layer + "attention.output.LayerNorm")
      dense(layer + "intermediate.dense", 12, 8)
      dense(layer + "output.dense", 8, 12)
      norm(layer + "output.LayerNorm")
    }
    self.arrays = arrays
  }

  /// Whether a tensor is a dense layer's weights, which some frameworks store the other way round.
  static func isDenseWeight(_ name: String) -> Bool {
    name.hasSuffix(".weight") && !name.contains("LayerNorm") && !name.contains("embeddings")
  }

  /// Writes what lies beside the weights.
  static func writeFiles(to scratch: Scratch) throws {
    try scratch.write("config.json", configuration)
    try scratch.write("vocab.txt", vocabulary.joined(separator: "\n"))
  }
}
