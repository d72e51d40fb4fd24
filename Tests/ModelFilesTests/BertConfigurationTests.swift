import Testing

@testable import ModelFiles

@Suite struct BertConfigurationTests {
  private static let valid = """
    {"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
     "intermediate_size": 1536, "vocab_size": 30522, "max_position_embeddings": 512,
     "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
     "position_embedding_type": "absolute", "hidden_dropout_prob": 0.1, "pad_token_id": 0}
    """

  private func read(_ text: String) throws -> BertConfiguration {
    let scratch = try Scratch()
    try scratch.write("config.json", text)
    return try BertConfiguration(directory: scratch.path)
  }

  @Test func allFields() throws {
    let configuration = try read(Self.valid)
    #expect(configuration.hiddenSize == 384 && configuration.layerCount == 6)
    #expect(configuration.headCount == 12 && configuration.headSize == 32)
    #expect(configuration.intermediateSize == 1_536 && configuration.vocabularySize == 30_522)
    #expect(configuration.maximumPositions == 512 && configuration.segmentCount == 2)
    #expect(configuration.layerNormEpsilon == 1e-12 && configuration.activation == .gelu)
  }

  @Test func defaults() throws {
    let short = """
      {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
       "vocab_size": 10, "max_position_embeddings": 4}
      """
    let configuration = try read(short)
    #expect(configuration.segmentCount == 2 && configuration.activation == .gelu)
    #expect(configuration.layerNormEpsilon == 1e-12)
  }

  @Test(arguments: [
    ("gelu_new", BertConfiguration.Activation.geluTanh), ("gelu_pytorch_tanh", .geluTanh),
    ("relu", .relu),
  ])
  func activations(name: String, activation: BertConfiguration.Activation) throws {
    let text = Self.valid.replacing("\"gelu\"", with: "\"\(name)\"")
    #expect(try read(text).activation == activation)
  }

  @Test(arguments: [
    ("\"bert\"", "\"gpt2\"", "model_type", "'gpt2' is not supported"),
    ("\"bert\"", "7", "model_type", "a string expected"),
    ("\"gelu\"", "\"silu\"", "hidden_act", "'silu' is not supported"),
    ("\"absolute\"", "\"relative_key\"", "position_embedding_type", "'relative_key' is not"),
    ("\"hidden_size\": 384", "\"hidden_size\": 0", "hidden_size", "0 is not between 1 and 65536"),
    ("\"hidden_size\": 384", "\"hidden_size\": -384", "hidden_size", "-384 is not between"),
    ("\"hidden_size\": 384", "\"hidden_size\": 65537", "hidden_size", "65537 is not between"),
    ("\"hidden_size\": 384", "\"hidden_size\": 384.5", "hidden_size", "an integer expected"),
    ("\"hidden_size\": 384", "\"hidden_size\": 385", "hidden_size", "not divisible"),
    ("\"vocab_size\": 30522", "\"vocab_size\": \"30522\"", "vocab_size", "an integer expected"),
    ("\"vocab_size\": 30522, ", "", "vocab_size", "is missing"),
    ("1e-12", "0", "layer_norm_eps", "0.0 is not between 0 and 1"),
    ("1e-12", "-1e-12", "layer_norm_eps", "is not between 0 and 1"),
  ])
  func refused(old: String, new: String, field: String, problem: String) throws {
    let error = failure { try read(Self.valid.replacing(old, with: new)) }
    #expect(error?.subject == "field '\(field)'")
    #expect(error?.problem.contains(problem) == true)
  }

  @Test func missingFile() throws {
    let scratch = try Scratch()
    let error = failure { try BertConfiguration(directory: scratch.path) }
    #expect(error?.file == scratch.file("config.json"))
    #expect(error?.problem == "cannot be opened: No such file or directory")
  }
}
