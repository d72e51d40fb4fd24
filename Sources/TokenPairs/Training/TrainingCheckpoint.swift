import Foundation
internal import ModelFiles

/// All that a training needs to go on as if it had never been interrupted, in one safetensors file.
///
/// Random numbers depend only on the seed, the epoch and the step, so no generator's state is part of it.
struct TrainingCheckpoint: Sendable, Hashable {
  static let version = "3"

  /// What is stored as text beside the tensors.
  struct Progress: Sendable, Hashable, Codable {
    /// Epochs that have ended.
    var epochs: [TrainingEpoch] = []
    /// Steps taken.
    var step = 0
    /// The first epoch with the best F1, from 1; nil before the first has ended.
    var bestEpoch: Int?

    var best: TrainingEpoch? { bestEpoch.map { epochs[$0 - 1] } }

    /// Whether nothing is left to do.
    func isEnded(_ recipe: TrainingRecipe) -> Bool { epochs.count >= recipe.epochs || isStopped(recipe) }

    /// Whether patience is at its end.
    func isStopped(_ recipe: TrainingRecipe) -> Bool {
      guard recipe.patience > 0, let bestEpoch else { return false }
      return epochs.count - bestEpoch >= recipe.patience
    }
  }

  let recipe: TrainingRecipe
  let data: TrainingDataKey
  var progress = Progress()
  /// What the model's next step depends on.
  var state: [NamedTensor]
  /// The heads of the best epoch; none before the first has ended.
  var best: [HeadParameters] = []

  private static let statePrefix = "state:"
  private static func bestName(_ head: Int) -> String { "best:\(head)" }

  init(recipe: TrainingRecipe, data: TrainingDataKey, state: [NamedTensor]) {
    self.recipe = recipe
    self.data = data
    self.state = state
  }

  /// Writes the file: the older one stays until the new one is on the disk.
  /// - Throws: `ModelFileError` if the system refuses.
  func write(to path: String) throws(ModelFileError) {
    var writer = SafetensorsWriter()
    let tensors =
      state.map { NamedTensor(name: Self.statePrefix + $0.name, shape: $0.shape, values: $0.values) }
      + best.enumerated().flatMap { $1.tensors(named: Self.bestName($0)) }
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      func text(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
      writer.metadata = [
        "training": Self.version, "recipe": try text(recipe), "data": try text(data), "progress": try text(progress),
      ]
      writer.metadata["checksum"] = Self.checksum(writer.metadata, tensors)
    } catch { throw ModelFileError(file: path, problem: "cannot be written: \(error)") }
    for tensor in tensors { writer.add(tensor.name, floats: tensor.values, shape: tensor.shape) }
    try writer.write(to: path)
  }

  /// Of all that the file says.
  private static func checksum(_ texts: [String: String], _ tensors: some Sequence<NamedTensor>) -> String {
    var checksum = Checksum()
    for name in ["training", "recipe", "data", "progress"] { checksum.add(texts[name] ?? "") }
    for tensor in tensors.sorted(by: { $0.name < $1.name }) {
      checksum.add(tensor.name)
      checksum.add([Int64(tensor.shape.count)] + tensor.shape.map(Int64.init))
      checksum.add(tensor.values.map(\.bitPattern))
    }
    return checksum.text
  }

  /// Reads a file.
  /// - Parameters:
  ///   - path: the file.
  ///   - heads: heads of the form that the training's have.
  ///   - recipe: the recipe that the training must have.
  ///   - data: what it must have learned from.
  /// - Throws: `ModelFileError` if the file is damaged, or `TrainingError` if it is of another training.
  init(_ path: String, heads: [HeadParameters], recipe: TrainingRecipe, data: TrainingDataKey) throws {
    let file = try SafetensorsFile(path: path)
    func broken(_ problem: String) -> ModelFileError { ModelFileError(file: path, problem: problem) }
    guard let version = file.metadata["training"] else { throw broken("is no checkpoint of a training") }
    guard version == Self.version else {
      throw broken(
        "is a checkpoint of version \(version.quoted); version \(Self.version) is read: --overwrite starts anew")
    }
    func value<Value: Decodable>(_ name: String) throws -> Value {
      guard let value = try? JSONDecoder().decode(Value.self, from: Data((file.metadata[name] ?? "").utf8)) else {
        throw broken("its \(name) cannot be read; the checkpoint is damaged")
      }
      return value
    }
    var tensors: [String: NamedTensor] = [:]
    for entry in file.tensors.values {
      // What is written is F32 alone: with that settled, the checksum need not name types.
      guard entry.elementType == .float32 else {
        throw broken("holds \(entry.elementType.rawValue); the checkpoint is damaged: --overwrite starts anew")
      }
      tensors[entry.name] = NamedTensor(
        name: entry.name, shape: entry.shape, values: try file.floats(named: entry.name))
    }
    guard Self.checksum(file.metadata, tensors.values) == file.metadata["checksum"] else {
      throw broken("its checksum is wrong; the checkpoint is damaged: --overwrite starts anew")
    }
    (self.recipe, self.data, progress) = (try value("recipe"), try value("data"), try value("progress"))
    let differences = recipe.differences(from: self.recipe) + data.differences(from: self.data)
    guard differences.isEmpty else {
      throw TrainingError("\(path) is of a training with \(differences.joined(separator: ", "))")
    }
    state = tensors.values.filter { $0.name.hasPrefix(Self.statePrefix) }.map {
      NamedTensor(name: String($0.name.dropFirst(Self.statePrefix.count)), shape: $0.shape, values: $0.values)
    }.sorted { $0.name < $1.name }
    guard (progress.bestEpoch ?? 1) <= max(1, progress.epochs.count), (progress.bestEpoch ?? 1) >= 1,
      (progress.bestEpoch == nil) == progress.epochs.isEmpty
    else { throw broken("its progress contradicts itself; the checkpoint is damaged") }
    guard progress.bestEpoch != nil else { return }
    best = try heads.enumerated().map { index, head in
      guard let head = head.replacing(named: Self.bestName(index), from: tensors) else {
        throw broken("the best heads so far are missing or have another shape; the checkpoint is damaged")
      }
      return head
    }
  }
}

extension TrainingRecipe {
  /// What differs, as the rest of "a training with ...".
  func differences(from other: TrainingRecipe) -> [String] {
    func fields(_ recipe: TrainingRecipe) -> [String: String] {
      guard let data = try? JSONEncoder().encode(recipe),
        let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
      else { return [:] }
      return object.mapValues { "\($0)" }
    }
    let (own, others) = (fields(self), fields(other))
    guard self != other else { return [] }
    return own.keys.sorted().filter { own[$0] != others[$0] }.map { name in
      "\(name) \(others[name] ?? "unknown"), not \(own[name] ?? "unknown")"
    }
  }
}
