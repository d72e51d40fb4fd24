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
    /// The part of the training code's computation that the model does not do; nil if it does all of it.
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
    let directories = self.directories
    let configuration = try configuration(in: directories)
    let tokenizer = try tokenizer(in: directories, configuration)
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
        try ModelDescriptionFile(
          task: request.task, labels: request.labels, links: request.links, head: plan.head
        ).json
      }
      try Self.verify(directory)
    }
    return Summary(
      kind: plan.head.kind, headSize: plan.head.headSize, layerCount: configuration.layerCount,
      hiddenSize: configuration.hiddenSize, tensorCount: plan.tensors.count, leftOut: plan.leftOut,
      caveat: ImportRoute.caveat(request.dialect, isRotated: request.rope))
  }

  /// The directories that may hold what belongs to the weights.
  private var directories: [String] {
    let own = isDirectory(request.source) ? request.source : directory(of: request.source)
    return [own] + (request.base.map { [$0] } ?? [])
  }

  private func configuration(in directories: [String]) throws(ModelFileError) -> BertConfiguration {
    let names = ["config.json", "bert_config.json"]
    for directory in directories {
      for name in names where fileExists("\(directory)/\(name)") {
        // PaddleNLP's ERNIE is a BERT by another name.
        let types: Set<String> = request.dialect.name == "paddle" ? ["bert", "ernie"] : ["bert"]
        return try BertConfiguration(file: "\(directory)/\(name)", types: types)
      }
    }
    throw ModelFileError(
      file: directories[0],
      problem: "there is no config.json or bert_config.json; give the pretrained model's directory with --base")
  }

  /// The directory with the tokenizer.
  private func tokenizer(
    in directories: [String], _ configuration: BertConfiguration
  ) throws(ModelFileError) -> String {
    let directory = directories.first { directory in
      ["tokenizer.json", "vocab.txt"].contains { fileExists("\(directory)/\($0)") }
    }
    guard let directory else {
      throw ModelFileError(
        file: directories[0],
        problem: "there is no tokenizer.json or vocab.txt; give the pretrained model's directory with --base")
    }
    _ = try EncoderFiles.tokenizer(in: directory, for: configuration)
    return directory
  }

  private func checkRotation(_ plan: ImportPlan, _ store: TensorStore) throws(ModelFileError) {
    guard !plan.head.rope || plan.head.headSize.isMultiple(of: 2) else {
      throw ModelFileError(
        file: store.path,
        problem: "a head size of \(plan.head.headSize) is odd, and rotation needs pairs of channels; "
          + "a head that was trained without is imported with --no-rope")
    }
  }

  /// Reads back what was written, as the users of the model will.
  static func verify(_ directory: String) throws(ModelFileError) {
    let description = try ModelDescription(directory: directory)
    let configuration = try BertConfiguration(directory: directory)
    let checkpoint = try Checkpoint(directory: directory)
    for head in description.heads {
      _ = try head.parameters(from: checkpoint, hiddenSize: configuration.hiddenSize)
    }
  }
}
