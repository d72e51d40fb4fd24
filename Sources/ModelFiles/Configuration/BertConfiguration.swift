/// The shape of a BERT encoder, from Hugging Face's `config.json`.
package struct BertConfiguration: Hashable, Sendable {
  /// The function between the two dense layers of a block.
  package enum Activation: String, Hashable, Sendable, CaseIterable {
    /// x · Φ(x), with the error function.
    case gelu
    /// Its approximation by a hyperbolic tangent, which the files call `gelu_new` or
    /// `gelu_pytorch_tanh`.
    case geluTanh = "gelu_new"
    /// max(x, 0).
    case relu
  }

  /// Width D of the encoder's output.
  package let hiddenSize: Int
  /// Number of blocks.
  package let layerCount: Int
  /// Number of attention heads; divides `hiddenSize`.
  package let headCount: Int
  /// Width of the feed-forward layer.
  package let intermediateSize: Int
  /// Rows of the token embedding.
  package let vocabularySize: Int
  /// Rows of the position embedding: the longest sequence, CLS and SEP included.
  package let maximumPositions: Int
  /// Rows of the segment embedding.
  package let segmentCount: Int
  /// Added to the variance by layer normalisation.
  package let layerNormEpsilon: Double
  /// The feed-forward activation.
  package let activation: Activation

  /// Width of one attention head.
  package var headSize: Int { hiddenSize / headCount }

  /// Reads `config.json` of a model directory.
  /// - Throws: `ModelFileError` if the file is missing or describes another kind of model.
  package init(directory: String) throws(ModelFileError) {
    try self.init(file: path(directory, "config.json"))
  }

  /// Reads a configuration file.
  ///
  /// The bounds are far above any published model; they keep the product of a few sizes from
  /// overflowing and a damaged file from asking for terabytes.
  /// - Parameters:
  ///   - file: the file's path.
  ///   - types: the names under which the caller knows a BERT.
  /// - Throws: `ModelFileError` naming the field that is missing, out of bounds or unsupported.
  package init(file: String, types: Set<String> = ["bert"]) throws(ModelFileError) {
    let fields = try JSONFields(file: file)
    // The first released configurations carry no type. Chinese "RoBERTa-wwm" models are BERTs with
    // other weights and say so.
    if let type = try fields.string("model_type"), !types.contains(type) {
      throw fields.error(
        "model_type", "\(type.quoted) is not supported; the encoder must be of type 'bert'")
    }
    hiddenSize = try Self.size("hidden_size", 65_536, fields)
    layerCount = try Self.size("num_hidden_layers", 1_024, fields)
    headCount = try Self.size("num_attention_heads", 4_096, fields)
    intermediateSize = try Self.size("intermediate_size", 1_048_576, fields)
    vocabularySize = try Self.size("vocab_size", 16_777_216, fields)
    maximumPositions = try Self.size("max_position_embeddings", 1_048_576, fields)
    segmentCount = try Self.size("type_vocab_size", 65_536, fields, default: 2)

    guard hiddenSize.isMultiple(of: headCount) else {
      throw fields.error(
        "hidden_size", "\(hiddenSize) is not divisible by num_attention_heads, \(headCount)")
    }
    layerNormEpsilon = try fields.number("layer_norm_eps") ?? 1e-12
    guard layerNormEpsilon > 0, layerNormEpsilon < 1 else {
      throw fields.error("layer_norm_eps", "\(layerNormEpsilon) is not between 0 and 1")
    }
    activation = try Self.activation(fields)
    if let kind = try fields.string("position_embedding_type"), kind != "absolute" {
      throw fields.error(
        "position_embedding_type", "\(kind.quoted) is not supported; it must be 'absolute'")
    }
  }

  private static func size(
    _ name: String, _ limit: Int, _ fields: JSONFields, default fallback: Int? = nil
  ) throws(ModelFileError) -> Int {
    guard let size = try fields.integer(name, in: 1...limit) ?? fallback else {
      throw fields.error(name, "is missing")
    }
    return size
  }

  private static func activation(_ fields: JSONFields) throws(ModelFileError) -> Activation {
    switch try fields.string("hidden_act") ?? "gelu" {
    case "gelu": return .gelu
    case "gelu_new", "gelu_pytorch_tanh": return .geluTanh
    case "relu": return .relu
    case let other:
      throw fields.error(
        "hidden_act",
        "\(other.quoted) is not supported; gelu, gelu_new, gelu_pytorch_tanh and relu are")
    }
  }
}

extension BertConfiguration {
  /// A BERT of a given shape with the usual remaining settings. The numbers are the caller's responsibility.
  package init(
    hiddenSize: Int, layerCount: Int, headCount: Int, intermediateSize: Int, vocabularySize: Int,
    maximumPositions: Int = 512
  ) {
    precondition(hiddenSize > 0 && headCount > 0 && hiddenSize.isMultiple(of: headCount))
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.intermediateSize = intermediateSize
    self.vocabularySize = vocabularySize
    self.maximumPositions = maximumPositions
    segmentCount = 2
    layerNormEpsilon = 1e-12
    activation = .gelu
  }
}
