import Engine
import Testing

/// Each rule of the dense layer, the normalisation and the embedding, broken once.
@Suite struct OperationValidationLayerTests {
  typealias DenseRule = BrokenRule<DenseLayer>

  /// 6 rows of 3 channels to 5 outputs.
  private static var dense: DenseLayer {
    DenseLayer(
      shaped(.float32, 6, 3), rows: 6, weights: weights(), residual: shaped(.float32, 6, 5),
      into: shaped(.float32, 6, 5))
  }

  private static func weights(
    panels: Int = 2, inputs: Int = 3, bias: Tensor = shaped(.float32, 5)
  ) -> DenseWeights {
    DenseWeights(panels: shapedPanels(panels, channels: inputs), bias: bias, outputs: 5)
  }

  static let denseRules: [DenseRule] = [
    DenseRule("input is floats", says: "float32") { $0.input = shaped(.int32, 6, 3) },
    DenseRule("there are rows", says: "0 rows") { $0.rows = 0 },
    DenseRule("rows lie within the input", says: "7 rows") { $0.rows = 7 },
    DenseRule("input is as wide as the weights take", says: "rows have 4 channels") {
      $0.input = shaped(.float32, 6, 4)
    },
    DenseRule("input is not narrower than the weights take", says: "do not fit rows of 2") {
      $0.input = shaped(.float32, 6, 2)
    },
    DenseRule("weights are complete", says: "2 panels") { $0.weights = weights(panels: 1) },
    DenseRule("bias is complete", says: "bias needs 5") {
      $0.weights = weights(bias: shaped(.float32, 4))
    },
    DenseRule("bias is floats", says: "bias must be float32") {
      $0.weights = weights(bias: shaped(.int32, 5))
    },
    DenseRule("result has room", says: "result needs 30") { $0.out = shaped(.float32, 5, 5) },
    DenseRule("result is floats", says: "result must be float32") { $0.out = shaped(.int32, 6, 5) },
    DenseRule("result is as wide as the outputs", says: "result has 6 channels") {
      $0.out = shaped(.float32, 6, 6)
    },
    DenseRule("residual is complete", says: "residual needs 30") {
      $0.residual = shaped(.float32, 5, 5)
    },
    DenseRule("residual is floats", says: "residual must be float32") {
      $0.residual = shaped(.int32, 6, 5)
    },
  ]

  @Test(arguments: denseRules) func denseLayer(_ rule: DenseRule) {
    expectRefusal(of: rule, in: Self.dense) { $0 }
  }

  typealias NormalizationRule = BrokenRule<LayerNormalization>

  private static var normalization: LayerNormalization {
    LayerNormalization(
      shaped(.float32, 6, 3), rows: 6, gain: shaped(.float32, 3), bias: shaped(.float32, 3),
      epsilon: 0, into: shaped(.float32, 6, 3))
  }

  static let normalizationRules: [NormalizationRule] = [
    .init("input is floats", says: "float32") { $0.input = shaped(.int32, 6, 3) },
    .init("there are rows", says: "-1 rows") { $0.rows = -1 },
    .init("rows lie within the input", says: "7 rows") { $0.rows = 7 },
    .init("gain is complete", says: "gain needs 3") { $0.gain = shaped(.float32, 2) },
    .init("gain is floats", says: "gain must be") { $0.gain = shaped(.int32, 3) },
    .init("bias is complete", says: "bias needs 3") { $0.bias = shaped(.float32, 2) },
    .init("bias is floats", says: "bias must be") { $0.bias = shaped(.int32, 3) },
    .init("result has room", says: "result needs 18") { $0.out = shaped(.float32, 17) },
    .init("result is floats", says: "result must be") { $0.out = shaped(.int32, 6, 3) },
    .init("epsilon is not negative", says: "epsilon") { $0.epsilon = -1 },
    .init("epsilon is a number", says: "epsilon") { $0.epsilon = .nan },
    .init("epsilon is finite", says: "epsilon") { $0.epsilon = .infinity },
  ]

  @Test(arguments: normalizationRules) func layerNormalization(_ rule: NormalizationRule) {
    expectRefusal(of: rule, in: Self.normalization) { $0 }
  }

  typealias EmbeddingRule = BrokenRule<EmbeddingSum>

  private static var embedding: EmbeddingSum {
    EmbeddingSum(
      ids: shaped(.int32, 6), tokenPositions: shaped(.int32, 6), rows: 6,
      words: shaped(.float32, 10, 3), positions: shaped(.float32, 8, 3),
      types: shaped(.float32, 2, 3), into: shaped(.float32, 6, 3))
  }

  static let embeddingRules: [EmbeddingRule] = [
    .init("there are rows", says: "0 rows") { $0.rows = 0 },
    .init("rows can be counted", says: "rows") { $0.rows = Int(Int32.max) + 1 },
    .init("ids are complete", says: "ids needs 6") { $0.ids = shaped(.int32, 5) },
    .init("ids are integers", says: "ids must be int32") { $0.ids = shaped(.float32, 6) },
    .init("positions are complete", says: "positions needs 6") {
      $0.tokenPositions = shaped(.int32, 5)
    },
    .init("positions are integers", says: "positions must be int32") {
      $0.tokenPositions = shaped(.float32, 6)
    },
    .init("word table is floats", says: "word table must be") { $0.words = shaped(.int32, 10, 3) },
    .init("position table is floats", says: "position table must be") {
      $0.positions = shaped(.int32, 8, 3)
    },
    .init("type table is floats", says: "type table must be") { $0.types = shaped(.int32, 2, 3) },
    .init("position table is as wide", says: "tables are") {
      $0.positions = shaped(.float32, 8, 4)
    },
    .init("type table is as wide", says: "tables are") { $0.types = shaped(.float32, 2, 2) },
    .init("result has room", says: "result needs 18") { $0.out = shaped(.float32, 5, 3) },
    .init("result is floats", says: "result must be") { $0.out = shaped(.int32, 6, 3) },
  ]

  @Test(arguments: embeddingRules) func embeddingSum(_ rule: EmbeddingRule) {
    expectRefusal(of: rule, in: Self.embedding) { $0 }
  }
}
