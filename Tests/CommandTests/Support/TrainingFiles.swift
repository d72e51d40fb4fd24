import Foundation
import Testing

/// A folder with a small encoder and a few texts, and trainings there.
struct TrainingFiles {
  static let train = """
    {"text": "mr. reeds left a reed.", "entities": [{"start": 0, "end": 9, "label": "PER"}, {"start": 15, "end": 21, "label": "THING"}]}
    {"text": "a reed left mr. reed.", "entities": [{"start": 0, "end": 6, "label": "THING"}, {"start": 12, "end": 20, "label": "PER"}]}

    {"text": "left", "entities": [{"start": 0, "end": 4, "label": "THING"}], "id": 7}
    {"text": "a reed mr. left. a a a a reed mr. left left.", "entities": []}

    """
  static let dev = """
    {"text": "mr. reed left.", "entities": [{"start": 0, "end": 8, "label": "PER"}]}

    """

  let folder: TemporaryFolder

  init(_ change: (inout SmallModel) -> Void = { _ in }) throws {
    folder = try TemporaryFolder()
    let encoder = try TemporaryFolder()
    var model = SmallModel()
    change(&model)
    try model.write(into: encoder)
    try FileManager.default.copyItem(atPath: encoder.path, toPath: folder.path + "/encoder")
    _ = try folder.file("train.jsonl", Self.train.utf8)
    _ = try folder.file("dev.jsonl", Self.dev.utf8)
  }

  /// The arguments of a training of three epochs into `model`.
  static func arguments(_ more: [String] = []) -> [String] {
    [
      "train", "--device", "cpu", "--encoder", "encoder", "--data", "train.jsonl", "--dev", "dev.jsonl", "--task",
      "entities", "--output", "model", "--epochs", "3", "--batch", "2",
    ] + more
  }

  /// Runs a training here.
  func train(_ more: String...) async throws -> CommandRun {
    try await Weft.run(Self.arguments(more), directory: folder.path)
  }

  /// Starts a training in the shell and has `rest` do with it what it likes: `$TRAIN` is the command.
  func shell(_ rest: String, _ more: String...) async throws -> CommandRun {
    try await Weft.shell(
      rest, environment: ["TRAIN": ([Weft.program] + Self.arguments(more)).joined(separator: " ")],
      directory: folder.path)
  }

  /// Whether the output is a model.
  var hasModel: Bool { folder.contents(of: "model/globalpointer.json") != nil }

  var weights: Data? { FileManager.default.contents(atPath: folder.path + "/model/model.safetensors") }

  var outputNames: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/model")) ?? []).sorted()
  }
}
