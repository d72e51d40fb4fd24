internal import Engine
package import ModelFiles

extension TextGraph {
  /// A BERT encoder (Devlin et al., 2019): BERT, RoBERTa-wwm, MiniLM.
  ///
  /// Each layer is attention and a perceptron of two layers, each with a residual and a normalisation after it.
  package static func bert(_ configuration: BertConfiguration) -> TextGraph {
    let (width, inner) = (configuration.hiddenSize, configuration.intermediateSize)
    func table(_ name: String, _ rows: Int) -> TableLayer {
      TableLayer("embeddings.\(name)_embeddings", rows: rows, channels: width)
    }
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> LinearLayer {
      LinearLayer(name, inputs: inputs, outputs: outputs)
    }
    func normalization(_ name: String) -> NormalizationLayer {
      NormalizationLayer(name, channels: width, epsilon: configuration.layerNormEpsilon)
    }
    var writer = GraphWriter()
    let embedded = writer.embeddings(
      words: table("word", configuration.vocabularySize),
      positions: table("position", configuration.maximumPositions),
      types: table("token_type", configuration.segmentCount))
    var hidden = writer.normalized(normalization("embeddings.LayerNorm"), embedded)
    for index in 0..<configuration.layerCount {
      let name = "encoder.layer.\(index)"
      let projection = LinearLayer(
        ["query", "key", "value"].map { "\(name).attention.self.\($0)" }, inputs: width,
        outputs: [width, width, width])
      let attended = writer.attention(
        writer.linear(projection, hidden), among: .tokens, heads: configuration.headCount)
      let attention = writer.linear(
        linear("\(name).attention.output.dense", width, width), attended, residual: hidden)
      hidden = writer.normalized(normalization("\(name).attention.output.LayerNorm"), attention)
      let intermediate = writer.linear(
        linear("\(name).intermediate.dense", width, inner), hidden, activation: configuration.activation.operation)
      let output = writer.linear(linear("\(name).output.dense", inner, width), intermediate, residual: hidden)
      hidden = writer.normalized(normalization("\(name).output.LayerNorm"), output)
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
