internal import ModelFiles

/// A layer of the model that is written: what it is called there and how large it is.
struct ModelLayer: Hashable {
  enum Kind: Hashable {
    /// A table of vectors: one tensor, `[outputs, inputs]`.
    case table
    /// Gain and bias of a normalisation, `[outputs]` each.
    case normalization
    /// Weights `[outputs, inputs]` and bias `[outputs]`.
    case dense
  }

  let name: String
  let kind: Kind
  let outputs: Int
  let inputs: Int

  /// One of its tensors.
  struct Part: Hashable {
    enum Role: Hashable {
      case weight
      case bias
    }

    let role: Role
    let shape: [Int]
  }

  var parts: [Part] {
    switch kind {
    case .table: [Part(role: .weight, shape: [outputs, inputs])]
    case .normalization: [Part(role: .weight, shape: [outputs]), Part(role: .bias, shape: [outputs])]
    case .dense: [Part(role: .weight, shape: [outputs, inputs]), Part(role: .bias, shape: [outputs])]
    }
  }
}

extension BertConfiguration {
  /// The encoder's layers under Hugging Face's names, without a prefix.
  var encoderLayers: [ModelLayer] {
    func table(_ name: String, _ rows: Int) -> ModelLayer {
      ModelLayer(name: name, kind: .table, outputs: rows, inputs: hiddenSize)
    }
    func norm(_ name: String) -> ModelLayer {
      ModelLayer(name: name, kind: .normalization, outputs: hiddenSize, inputs: hiddenSize)
    }
    func dense(_ name: String, _ outputs: Int, _ inputs: Int) -> ModelLayer {
      ModelLayer(name: name, kind: .dense, outputs: outputs, inputs: inputs)
    }
    let embeddings = [
      table("embeddings.word_embeddings", vocabularySize), table("embeddings.position_embeddings", maximumPositions),
      table("embeddings.token_type_embeddings", segmentCount), norm("embeddings.LayerNorm"),
    ]
    return embeddings
      + (0..<layerCount).flatMap { index in
        let layer = "encoder.layer.\(index)."
        return [
          dense(layer + "attention.self.query", hiddenSize, hiddenSize),
          dense(layer + "attention.self.key", hiddenSize, hiddenSize),
          dense(layer + "attention.self.value", hiddenSize, hiddenSize),
          dense(layer + "attention.output.dense", hiddenSize, hiddenSize),
          norm(layer + "attention.output.LayerNorm"),
          dense(layer + "intermediate.dense", intermediateSize, hiddenSize),
          dense(layer + "output.dense", hiddenSize, intermediateSize),
          norm(layer + "output.LayerNorm"),
        ]
      }
  }
}
