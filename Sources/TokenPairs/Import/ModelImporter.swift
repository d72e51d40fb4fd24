import Foundation
package import ModelFiles

/// Turns a checkpoint of another training code into a model directory in normal form.
///
/// The directory holds `config.json`, the tokenizer's files, `model.safetensors` with Hugging Face's names for the
/// encoder and heads in the dialect `weft`, and `globalpointer.json` or `gplinker.json`. Numbers are moved, not
/// rounded: float16 stays float16. The one exception is ERNIE's task embedding, which is added to the segments'.
package struct ModelImporter {
  /// What an import has written.
  package struct Summary: Sendable, Hashable {
    package let kind: HeadKind
    package let headSize: Int
    package let layerCount: Int
    package let hiddenSize: Int
    package let tensorCount: Int
    /// Tensors of the checkpoint that the model has no place for, by their names there.
    package let leftOut: [String]
    /// What of the training code's computation the model does not do; nil if it does all of it.
    package let caveat: String?
  }

  /// What a tokenizer may be spread over.
  static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json", "added_tokens.json",
  ]

  private let request: ImportRequest

  /// - Throws: `ImportError` for labels that no model can have.
  package init(_ request: ImportRequest) throws(ImportError) {
    try request.validate()
    self.request = request
  }

  /// Reads, checks and writes. The destination appears when all of it is there.
  /// - Throws: `ModelFileError` that names what is missing or does not fit; nothing is left behind then.
  @discardableResult
  package func run() throws(ModelFileError) -> Summary {
    let folder = try DestinationFolder(request.destination)
    let store = try TensorStore(path: request.source)
    let places = self.places
    let configuration = try configuration(in: places)
    let tokenizer = try tokenizer(in: places, configuration)
    var planner = try ImportPlanner(request, configuration, store)
    let plan = try planner.plan()
    try checkRotation(plan, store)

    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    for tensor in plan.tensors { writer.add(tensor.name, try tensor.read(from: store)) }
    try folder.fill { (directory) throws(ModelFileError) in
      try writer.write(to: "\(directory)/model.safetensors")
      for name in Self.tokenizerFiles where fileExists("\(tokenizer)/\(name)") {
        try folder.copy("\(tokenizer)/\(name)", as: name)
      }
      try folder.write("config.json") { try ModelDescriptionFile.encode(ConfigurationFile(configuration)) }
      try folder.write(request.task.descriptionFile) {
        try ModelDescriptionFile(request, kind: plan.kind, headSize: plan.headSize).json
      }
      try Self.verify(directory)
    }
    return Summary(
      kind: plan.kind, headSize: plan.headSize, layerCount: configuration.layerCount,
      hiddenSize: configuration.hiddenSize, tensorCount: plan.tensors.count, leftOut: plan.leftOut,
      caveat: ImportRoute.caveat(request.dialect, isRotated: request.rope))
  }

  /// The directories that may hold what belongs to the weights.
  private var places: [String] {
    let own = isDirectory(request.source) ? request.source : directory(of: request.source)
    return [own] + (request.base.map { [$0] } ?? [])
  }

  private func configuration(in places: [String]) throws(ModelFileError) -> BertConfiguration {
    let names = ["config.json", "bert_config.json"]
    for place in places {
      for name in names where fileExists("\(place)/\(name)") {
        // PaddleNLP's ERNIE is a BERT by another name.
        let types: Set<String> = request.dialect.name == "paddle" ? ["bert", "ernie"] : ["bert"]
        return try BertConfiguration(file: "\(place)/\(name)", types: types)
      }
    }
    throw ModelFileError(
      file: places[0],
      problem: "there is no config.json or bert_config.json; give the pretrained model's directory with --base")
  }

  /// The directory with the tokenizer.
  private func tokenizer(
    in places: [String], _ configuration: BertConfiguration
  ) throws(ModelFileError) -> String {
    let place = places.first { place in
      ["tokenizer.json", "vocab.txt"].contains { fileExists("\(place)/\($0)") }
    }
    guard let place else {
      throw ModelFileError(
        file: places[0],
        problem: "there is no tokenizer.json or vocab.txt; give the pretrained model's directory with --base")
    }
    let tokenizer = try WordPieceTokenizer(directory: place)
    guard tokenizer.vocabularySize <= configuration.vocabularySize else {
      throw ModelFileError(
        file: place,
        problem: "the tokenizer knows \(tokenizer.vocabularySize) tokens, the encoder embeds "
          + "\(configuration.vocabularySize)")
    }
    return place
  }

  private func checkRotation(_ plan: ImportPlan, _ store: TensorStore) throws(ModelFileError) {
    let isTurned = request.rope && !(plan.kind == .globalPointer && request.dialect.plainHeadIsUnrotated)
    guard !isTurned || plan.headSize.isMultiple(of: 2) else {
      throw ModelFileError(
        file: store.path,
        problem: "a head size of \(plan.headSize) is odd, and rotation needs pairs of channels; "
          + "a head that was trained without is imported with --no-rope")
    }
  }

  /// Reads back what was written, as whoever uses the model will.
  static func verify(_ directory: String) throws(ModelFileError) {
    let description = try ModelDescription(directory: directory)
    let configuration = try BertConfiguration(directory: directory)
    let checkpoint = try Checkpoint(directory: directory)
    for head in [description.spanHead, description.linkHeads?.head, description.linkHeads?.tail] {
      _ = try head?.parameters(from: checkpoint, hiddenSize: configuration.hiddenSize)
    }
  }
}
