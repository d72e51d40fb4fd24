import Foundation

/// A complete model directory of a few kilobytes, for tests to break in one place.
struct SmallModel {
  struct Tensor {
    var type = "F32"
    var shape: [Int]
    var values: [Float]

    init(_ shape: [Int], value: Float? = nil) {
      self.shape = shape
      let count = shape.reduce(1, *)
      // Any numbers will do that are not all alike.
      values = (0..<count).map { value ?? Float($0 * 7919 % 201 - 100) / 400 }
    }
  }

  static let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "mr", ".", "reed", "left", "##s", "a"]

  /// Texts of the directory's files; one that is nil is not written.
  var files: [String: String?] = [
    "config.json": """
    {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
     "intermediate_size": 16, "vocab_size": 10, "max_position_embeddings": 12}
    """,
    "globalpointer.json": """
    {"task": "entities", "labels": ["PER", "LOC"], "encoder_prefix": "bert.",
     "head": {"kind": "efficient", "dialect": "bert4keras", "head_size": 4}}
    """,
    "vocab.txt": Self.vocabulary.joined(separator: "\n"),
  ]
  var tensors: [String: Tensor] = Self.tensors()
  /// Changes the finished safetensors header.
  var header: (String) -> String = { $0 }
  /// Changes the finished safetensors file.
  var bytes: (Data) -> Data = { $0 }

  private static func tensors() -> [String: Tensor] {
    var tensors: [String: Tensor] = [
      "p_dense.weight": Tensor([8, 8]), "p_dense.bias": Tensor([8]),
      "q_dense.weight": Tensor([4, 8]), "q_dense.bias": Tensor([4]),
    ]
    func normalization(_ name: String) {
      tensors[name + ".weight"] = Tensor([8], value: 1)
      tensors[name + ".bias"] = Tensor([8], value: 0)
    }
    func dense(_ name: String, _ outputs: Int, _ inputs: Int) {
      tensors[name + ".weight"] = Tensor([outputs, inputs])
      tensors[name + ".bias"] = Tensor([outputs])
    }
    tensors["bert.embeddings.word_embeddings.weight"] = Tensor([10, 8])
    tensors["bert.embeddings.position_embeddings.weight"] = Tensor([12, 8])
    tensors["bert.embeddings.token_type_embeddings.weight"] = Tensor([2, 8])
    normalization("bert.embeddings.LayerNorm")
    let layer = "bert.encoder.layer.0."
    for part in ["query", "key", "value"] { dense(layer + "attention.self." + part, 8, 8) }
    dense(layer + "attention.output.dense", 8, 8)
    normalization(layer + "attention.output.LayerNorm")
    dense(layer + "intermediate.dense", 16, 8)
    dense(layer + "output.dense", 8, 16)
    normalization(layer + "output.LayerNorm")
    return tensors
  }

  /// Replaces text in one of the files.
  mutating func replace(_ old: String, with new: String, in file: String) {
    files[file] = files[file]??.replacingOccurrences(of: old, with: new)
  }

  /// Writes the directory.
  func write(into folder: TemporaryFolder) throws {
    for case (let name, let text?) in files { _ = try folder.file(name, text.utf8) }
    _ = try folder.file("model.safetensors", bytes(checkpoint))
  }

  /// Header length, header, data; tensors in the order of their names.
  private var checkpoint: Data {
    var entries: [String] = []
    var data = Data()
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let start = data.count
      for value in tensor.values {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
      entries.append(
        "\"\(name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),"
          + "\"data_offsets\":[\(start),\(data.count)]}")
    }
    let text = Data(header("{" + entries.joined(separator: ",") + "}").utf8)
    return Self.bytes(of: UInt64(text.count)) + text + data
  }

  static func bytes(of length: UInt64) -> Data {
    withUnsafeBytes(of: length.littleEndian) { Data($0) }
  }
}
