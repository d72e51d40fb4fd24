@testable import TokenPairs

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
