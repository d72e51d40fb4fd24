import Foundation
internal import ModelFiles

/// A model whose heads were trained: the files that `Extractor` takes.
struct TrainedModel {
  let encoder: EncoderFiles
  /// What the encoder's tensor names start with in its own files.
  let prefix: String
  let inventory: LabelInventory
  let recipe: TrainingRecipe
  /// The heads of the best epoch.
  let heads: [HeadParameters]
  let epochs: [TrainingEpoch]
  let best: TrainingEpoch

  /// Writes the files into a directory, and reads them back as a user of the model does.
  /// - Throws: `ModelFileError` if the system refuses, or the encoder's own files have changed meanwhile.
  func write(into directory: String) throws {
    try weights().write(to: "\(directory)/model.safetensors")
    for name in ["config.json"] + ModelImporter.tokenizerFiles where fileExists("\(encoder.directory)/\(name)") {
      try writeFile(fileContent("\(encoder.directory)/\(name)"), to: "\(directory)/\(name)")
    }
    try writeFile(Array(epochs.map(\.jsonLine).joined().utf8), to: "\(directory)/history.jsonl")
    let description = try ModelDescriptionFile(
      task: recipe.task, labels: inventory.labels, links: inventory.links, kind: recipe.head,
      headSize: recipe.headSize, rope: heads[0].rope, biasScale: heads[0].biasScale, biasInput: heads[0].biasInput,
      training: .init(
        scores: .init(best.scores), recipe: recipe, bestEpoch: best.epoch, epochs: epochs.count))
    try writeFile(Array(description.json), to: "\(directory)/\(description.name)")
    try ModelImporter.verify(directory)
  }

  /// The encoder's tensors as they are stored, and the heads in float32.
  private func weights() throws -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    for layer in encoder.configuration.encoderLayers {
      for part in layer.parts {
        let name = "\(layer.name).\(part.role == .weight ? "weight" : "bias")"
        guard let tensor = try encoder.checkpoint.tensor(named: prefix + name) else {
          throw ModelFileError(
            file: encoder.checkpoint.path, subject: "tensor \((prefix + name).quoted)", problem: "is missing")
        }
        writer.add(ImportPlanner.encoderPrefix + name, tensor)
      }
    }
    for (place, head) in zip([ModelHead.spans, .head, .tail], heads) {
      let layers = [head.projection, head.bias].compactMap { $0 }
      for (name, layer) in zip(place.layers(of: head.kind, recipe.task), layers) {
        writer.add("\(name).weight", floats: layer.weights, shape: [layer.outputs, layer.inputs])
        writer.add("\(name).bias", floats: layer.bias, shape: [layer.outputs])
      }
    }
    return writer
  }
}
