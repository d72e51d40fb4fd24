import Foundation

@testable import ModelFiles
@testable import TokenPairs

extension FuzzTarget {
  /// What a training keeps on the disk.
  static let trainings = [
    FuzzTarget(name: "checkpoint") { input in
      let folder = try FuzzFolder()
      let path = try folder.write("checkpoint.safetensors", input)
      func read(_ path: String) throws -> TrainingCheckpoint {
        try TrainingCheckpoint(path, heads: Self.heads, recipe: Self.recipe, data: Self.data)
      }
      guard let checkpoint = try? read(path) else { return }
      try checkpoint.write(to: "\(folder.path)/copy")
      defer { unlink("\(folder.path)/copy") }
      try require(try read("\(folder.path)/copy") == checkpoint, "another checkpoint was written")
    },

    FuzzTarget(name: "features") { input in
      let folder = try FuzzFolder()
      guard let cache = try? FeatureCache(folder.write("features.bin", input), layout) else { return }
      for window in 0..<3 {
        let rows = try cache.rows(of: window)
        try require(rows.count == layout.lengths[window] * 2, "window \(window) has \(rows.count) numbers")
      }
    },
  ]

  /// What the files of features hold.
  static let layout = FeatureLayout(
    key: .init(encoder: Checksum(), device: Checksum(), tokens: Checksum()), precision: .float16, hiddenSize: 2,
    lengths: [2, 0, 3])

  /// Of the training that checkpoints are of.
  static let recipe: TrainingRecipe = {
    var recipe = TrainingRecipe(task: .entities)
    recipe.headSize = 2
    return recipe
  }()
  static let heads = HeadParameters.initial(
    recipe, LabelInventory(task: .entities, labels: ["A"], links: []), hiddenSize: 2)
  static let data = TrainingDataKey(
    encoder: "e", train: "t", development: "d", features: .float32, device: "x")
}
