internal import ModelFiles

/// What a head is for in its model, and what its layers are called in the normal form.
enum HeadRole: Hashable {
  case spans
  case head
  case tail

  /// The heads of a model, in their order.
  static func all(of task: ModelTask) -> [HeadRole] { task == .entities ? [.spans] : [.spans, .head, .tail] }

  /// The module that the layers are in; none for entities.
  func module(_ task: ModelTask) -> String {
    switch (self, task) {
    case (.spans, .entities): ""
    case (.spans, .relations): "entity_output"
    case (.spans, .events): "argument_output"
    case (.head, _): "head_output"
    case (.tail, _): "tail_output"
    }
  }

  /// The layers inside the module.
  static func parts(of kind: HeadKind) -> [String] {
    kind == .efficient ? ["p_dense", "q_dense"] : ["dense"]
  }

  /// The layers by their whole names.
  func layers(of kind: HeadKind, _ task: ModelTask) -> [String] {
    let module = module(task)
    return Self.parts(of: kind).map { module.isEmpty ? $0 : "\(module).\($0)" }
  }

  /// What the head finds, for messages.
  func purpose(_ task: ModelTask) -> String {
    switch (self, task) {
    case (.spans, .entities): "entities"
    case (.spans, .relations): "subjects and objects"
    case (.spans, .events): "arguments"
    case (.head, _): "links between first tokens"
    case (.tail, _): "links between last tokens"
    }
  }
}

/// A layer of the model that is written: what it is called there and how large it is.
struct ModelLayer: Hashable {
  enum Form: Hashable {
    /// A table of vectors: one tensor, `[outputs, inputs]`.
    case table
    /// Gain and bias of a normalisation, `[outputs]` each.
    case normalization
    /// Weights `[outputs, inputs]` and bias `[outputs]`.
    case dense
  }

  let name: String
  let form: Form
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

    /// The tensor's name in the model that is written.
    func name(in layer: String) -> String { layer + (role == .weight ? ".weight" : ".bias") }
  }

  var parts: [Part] {
    switch form {
    case .table: [Part(role: .weight, shape: [outputs, inputs])]
    case .normalization: [Part(role: .weight, shape: [outputs]), Part(role: .bias, shape: [outputs])]
    case .dense: [Part(role: .weight, shape: [outputs, inputs]), Part(role: .bias, shape: [outputs])]
    }
  }
}

extension BertConfiguration {
  /// What the encoder's tensor names begin with in a model that is written.
  static let modelPrefix = "bert."

  /// The encoder's layers under Hugging Face's names, without a prefix.
  var encoderLayers: [ModelLayer] {
    func table(_ name: String, _ rows: Int) -> ModelLayer {
      ModelLayer(name: name, form: .table, outputs: rows, inputs: hiddenSize)
    }
    func norm(_ name: String) -> ModelLayer {
      ModelLayer(name: name, form: .normalization, outputs: hiddenSize, inputs: hiddenSize)
    }
    func dense(_ name: String, _ outputs: Int, _ inputs: Int) -> ModelLayer {
      ModelLayer(name: name, form: .dense, outputs: outputs, inputs: inputs)
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

/// `config.json` as Hugging Face writes it, with what a BERT encoder needs.
struct ConfigurationFile: Encodable {
  private let architectures = ["BertModel"]
  private let modelType = "bert"
  private let hiddenSize: Int
  private let numHiddenLayers: Int
  private let numAttentionHeads: Int
  private let intermediateSize: Int
  private let hiddenAct: String
  private let layerNormEps: Double
  private let maxPositionEmbeddings: Int
  private let typeVocabSize: Int
  private let vocabSize: Int
  private let positionEmbeddingType = "absolute"

  init(_ configuration: BertConfiguration) {
    hiddenSize = configuration.hiddenSize
    numHiddenLayers = configuration.layerCount
    numAttentionHeads = configuration.headCount
    intermediateSize = configuration.intermediateSize
    hiddenAct = configuration.activation.rawValue
    layerNormEps = configuration.layerNormEpsilon
    maxPositionEmbeddings = configuration.maximumPositions
    typeVocabSize = configuration.segmentCount
    vocabSize = configuration.vocabularySize
  }
}
