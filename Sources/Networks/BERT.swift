internal import Engine
package import ModelFiles

extension TextGraph {
  /// A BERT encoder (Devlin et al., 2019): BERT, RoBERTa-wwm, MiniLM.
  ///
  /// Each layer is attention and a perceptron of two layers, each with a residual and a normalisation after it.
  package static func bert(_ configuration: BertConfiguration) -> TextGraph {
    let width = configuration.hiddenSize
    let epsilon = configuration.layerNormEpsilon
    var writer = GraphWriter()
    func table(_ name: String, _ rows: Int) -> TableLayer {
      TableLayer("embeddings.\(name)_embeddings", rows: rows, channels: width)
    }
    let embedded = writer.value(.positions(.tokens), width)
    writer.add(
      EmbeddingStep(
        words: table("word", configuration.vocabularySize),
        positions: table("position", configuration.maximumPositions),
        types: table("token_type", configuration.segmentCount), output: embedded))
    var hidden = writer.normalized(embedded, "embeddings.LayerNorm", epsilon: epsilon)
    for index in 0..<configuration.layerCount {
      let name = "encoder.layer.\(index)"
      let projection = LinearLayer(
        ["query", "key", "value"].map { "\(name).attention.self.\($0)" }, inputs: width,
        outputs: [width, width, width])
      let attended = writer.attention(
        writer.linear(projection, hidden), among: .tokens, heads: configuration.headCount)
      let attention = writer.linear(
        LinearLayer("\(name).attention.output.dense", inputs: width, outputs: width), attended, residual: hidden)
      hidden = writer.normalized(attention, "\(name).attention.output.LayerNorm", epsilon: epsilon)
      let intermediate = writer.linear(
        LinearLayer("\(name).intermediate.dense", inputs: width, outputs: configuration.intermediateSize), hidden,
        activation: configuration.activation.operation)
      let output = writer.linear(
        LinearLayer("\(name).output.dense", inputs: configuration.intermediateSize, outputs: width), intermediate,
        residual: hidden)
      hidden = writer.normalized(output, "\(name).output.LayerNorm", epsilon: epsilon)
    }
    return TextGraph(family: "BERT", writer, hidden: hidden, longestSequence: configuration.maximumPositions)
  }
}

extension BertConfiguration.Activation {
  fileprivate var operation: Activation {
    switch self {
    case .gelu: .gelu
    case .geluTanh: .geluTanh
    case .relu: .relu
    }
  }
}
