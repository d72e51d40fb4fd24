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
