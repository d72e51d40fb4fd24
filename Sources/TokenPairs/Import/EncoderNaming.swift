/// How a code names the layers of a BERT encoder: for each of Hugging Face's names, its own.
struct EncoderNaming: Sendable {
  let style: TensorStyle
  /// What comes before a layer's number, and what after.
  private let layer: (before: String, after: String)
  /// Names that differ from Hugging Face's, by those.
  private let names: [String: [String]]

  /// The tensor by which an encoder of this naming is told, without a prefix.
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
