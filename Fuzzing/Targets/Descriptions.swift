import Foundation

@testable import Diffusion
@testable import ModelFiles
@testable import Networks
@testable import TokenPairs

extension FuzzTarget {
  /// Descriptions of models and samplers.
  static let descriptions = [
    FuzzTarget(name: "encoder-configuration") { input in
      let folder = try FuzzFolder()
      guard let configuration = try? BertConfiguration(file: folder.write("config.json", input)) else { return }
      // Of many layers only the first would be new.
      if configuration.layerCount <= 24 { _ = TextGraph.bert(configuration) }
    },

    FuzzTarget(name: "unet-configuration") { input in
      let folder = try FuzzFolder()
      guard let configuration = try? UNetConfiguration(file: folder.write("config.json", input)) else { return }
      _ = ImageGraph.unet2D(configuration)
    },

    FuzzTarget(name: "scheduler") { input in
      let folder = try FuzzFolder()
      guard let configuration = try? SchedulerConfiguration(file: folder.write("scheduler_config.json", input)) else {
        return
      }
      for steps in [1, 2, 7, 20] {
        guard let plan = try? configuration.plan(steps: steps) else { continue }
        try require(!plan.instructions.isEmpty, "a plan without steps")
      }
      _ = try? configuration.plan(steps: 10, strength: 0.5)
    },

    FuzzTarget(name: "head-description") { input in
      for task in [ModelTask.entities, .relations] {
        let folder = try FuzzFolder()
        _ = try folder.write(task.descriptionFile, input)
        guard let description = try? ModelDescription(directory: folder.path) else { continue }
        try require(!description.labels.isEmpty, "a model of nothing")
      }
    },

    FuzzTarget(name: "gamma-table") { input in
      guard let table = try? GammaTable(json: String(decoding: input, as: UTF8.self)) else { return }
      let again = try GammaTable(json: table.json)
      try require(again == table, "another table was written")
    },
  ]
}
