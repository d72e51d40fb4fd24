package import Engine
package import ModelFiles

/// A BERT encoder (Devlin et al., 2019), as a list of operations over ragged batches: BERT, RoBERTa-wwm, MiniLM.
package struct BertEncoder: Sendable {
  package let configuration: BertConfiguration
  private let engine: Engine
  private let embeddings: Embeddings
  private let layers: [Layer]

  /// Reads weights, named as Hugging Face names them, onto the engine's device.
  ///
  /// - Parameters:
  ///   - configuration: the encoder's shape.
  ///   - weights: where the tensors come from.
  ///   - prefix: what the encoder's tensor names start with, such as `bert.`.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` for a tensor that is missing or has another shape; `EngineError` if the device has no room.
  package init(
    _ configuration: BertConfiguration, weights: any WeightSource, prefix: String, on engine: Engine
  ) async throws {
    self.configuration = configuration
    self.engine = engine
    let reader = WeightReader(source: weights, prefix: prefix, engine: engine)
    embeddings = try await Embeddings(configuration, reader)
    var layers: [Layer] = []
    for index in 0..<configuration.layerCount {
      layers.append(try await Layer(configuration, reader.scoped("encoder.layer.\(index).")))
    }
    self.layers = layers
  }

  /// Adds the encoder's operations for `tokens`.
  /// - Returns: the last hidden state, `[tokens, hiddenSize]`, written when the submission runs.
  package func encode(_ tokens: DeviceTokens, in submission: inout Submission) throws(EngineError) -> Tensor {
    let rows = tokens.count
    guard tokens.segments.segments.longest <= configuration.maximumPositions else {
      throw EngineError(
        .invalidOperation,
        "a sequence of \(tokens.segments.segments.longest) tokens is longer than the encoder's \(configuration.maximumPositions) positions"
      )
    }
    let buffers = try LayerBuffers(configuration, tokens, on: engine)
    try submission.append(
      EmbeddingSum(
        ids: tokens.ids, tokenPositions: tokens.positions, rows: rows, words: embeddings.words,
        positions: embeddings.positions, types: embeddings.types, into: buffers.sum))
    try submission.append(embeddings.normalization.of(buffers.sum, rows: rows, into: buffers.hidden))
    for layer in layers { try layer.append(to: &submission, buffers, tokens.segments) }
    return buffers.hidden
  }

  /// Device memory that a sequence takes while it is encoded, in bytes.
  package func bytes(forTokens count: Int) -> Int {
    // Six rows of the hidden width (three of them projections) and one of the intermediate; keys fill whole panels.
    let rows = count * (6 * configuration.hiddenSize + configuration.intermediateSize)
    return 4 * (rows + engine.panelColumns(count) * configuration.hiddenSize)
  }
}

/// What the layers of one pass write to, shared by all of them.
struct LayerBuffers {
  /// `[rows, hidden]`: a layer's input and output.
  let hidden: Tensor
  /// `[rows, hidden]`: a sum before its normalisation.
  let sum: Tensor
  /// `[rows, 3 · hidden]`: queries, keys and values side by side.
  let projected: Tensor
  let keys: Panels
  /// `[rows, hidden]`
  let attended: Tensor
  /// `[rows, intermediate]`
  let intermediate: Tensor

  init(_ configuration: BertConfiguration, _ tokens: DeviceTokens, on engine: Engine) throws(EngineError) {
    let rows = tokens.count
    let width = configuration.hiddenSize
    hidden = try engine.makeTensor(.float32, rows, width)
    sum = try engine.makeTensor(.float32, rows, width)
    projected = try engine.makeTensor(.float32, rows, 3 * width)
    keys = try engine.makePanels(
      for: .ragged(tokens.segments), heads: configuration.headCount, channels: configuration.headSize)
    attended = try engine.makeTensor(.float32, rows, width)
    intermediate = try engine.makeTensor(.float32, rows, configuration.intermediateSize)
  }
}

struct Embeddings: Sendable {
  let words: Tensor
  let positions: Tensor
  let types: Tensor
  let normalization: NormalizationWeights

  init(_ configuration: BertConfiguration, _ reader: WeightReader) async throws {
    let width = configuration.hiddenSize
    let reader = reader.scoped("embeddings.")
    words = try await reader.table("word_embeddings", [configuration.vocabularySize, width])
    positions = try await reader.table("position_embeddings", [configuration.maximumPositions, width])
    types = try await reader.table("token_type_embeddings", [configuration.segmentCount, width])
    normalization = try await reader.normalization("LayerNorm", width, epsilon: configuration.layerNormEpsilon)
  }
}

/// One encoder layer: attention and a two-layer perceptron, each with a residual and a normalisation after it.
struct Layer: Sendable {
  private let configuration: BertConfiguration
  private let projection: DenseWeights
  private let attentionOutput: DenseWeights
  private let attentionNormalization: NormalizationWeights
  private let intermediate: DenseWeights
  private let output: DenseWeights
  private let outputNormalization: NormalizationWeights

  init(_ configuration: BertConfiguration, _ reader: WeightReader) async throws {
    self.configuration = configuration
    let width = configuration.hiddenSize
    let epsilon = configuration.layerNormEpsilon
    projection = try await reader.dense(
      ["attention.self.query", "attention.self.key", "attention.self.value"], outputs: width, inputs: width)
    attentionOutput = try await reader.dense(["attention.output.dense"], outputs: width, inputs: width)
    attentionNormalization = try await reader.normalization("attention.output.LayerNorm", width, epsilon: epsilon)
    intermediate = try await reader.dense(
      ["intermediate.dense"], outputs: configuration.intermediateSize, inputs: width)
    output = try await reader.dense(["output.dense"], outputs: width, inputs: configuration.intermediateSize)
    outputNormalization = try await reader.normalization("output.LayerNorm", width, epsilon: epsilon)
  }

  func append(
    to submission: inout Submission, _ buffers: LayerBuffers, _ segments: SegmentTable
  ) throws(EngineError) {
    let rows = segments.segments.rowCount
    let width = configuration.hiddenSize
    let (heads, size) = (configuration.headCount, configuration.headSize)
    func slices(_ part: Int) -> HeadSlices {
      HeadSlices(buffers.projected, offset: part * width, headStride: size, heads: heads, channels: size)
    }
    try submission.append(
      DenseLayer(buffers.hidden, rows: rows, weights: projection, into: buffers.projected))
    try submission.append(PackColumns(slices(1), extent: .ragged(segments), into: buffers.keys))
    try submission.append(
      Attention(
        queries: slices(0), keys: buffers.keys, values: slices(2), segments: segments,
        scale: 1 / Float(size).squareRoot(), into: buffers.attended))
    try submission.append(
      DenseLayer(
        buffers.attended, rows: rows, weights: attentionOutput, residual: buffers.hidden, into: buffers.sum))
    try submission.append(attentionNormalization.of(buffers.sum, rows: rows, into: buffers.hidden))
    try submission.append(
      DenseLayer(
        buffers.hidden, rows: rows, weights: intermediate, activation: configuration.activation.engineActivation,
        into: buffers.intermediate))
    try submission.append(
      DenseLayer(
        buffers.intermediate, rows: rows, weights: output, residual: buffers.hidden, into: buffers.sum))
    try submission.append(outputNormalization.of(buffers.sum, rows: rows, into: buffers.hidden))
  }
}

extension BertConfiguration.Activation {
  var engineActivation: Activation {
    switch self {
    case .gelu: .gelu
    case .geluTanh: .geluTanh
    case .relu: .relu
    }
  }
}
