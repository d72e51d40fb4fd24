import ArgumentParser
import Foundation
import TokenPairs
import Weft

struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model of entities, relations or events on texts whose answers are known.",
    usage: """
      weft train --encoder <directory> --data <file> --dev <file>
                        --task <task> --output <directory> [<options>]
      """,
    discussion: """
      A model is an encoder of the BERT family, which stays as it is, and heads that learn to find things in what it \
      makes of a text. The encoder is any Hugging Face directory of a BERT (config.json, model.safetensors, \
      tokenizer.json or vocab.txt), or one of Weft's models, whose heads are not read:

        weft train --encoder bert-base-cased/ --data train.jsonl --dev dev.jsonl \\
          --task entities --output model/
        weft extract --model model/ --lines book.txt

      Each line of both files has a "text" and what is true of it, in code points, end-exclusive, as 'weft evaluate' \
      takes it:

        "entities": [{"start", "end", "label"}]
        "relations" (or "triples"): [{"subject": {"start", "end"}, "predicate", "object": {…}}]
        "events": [{"type", "arguments": [{"role", "start", "end"}]}], the trigger being a role

      The labels are those that the training data show. A label outside of its text, or that begins or ends within a \
      token, is counted, reported and left out. After every epoch the heads are tried on the --dev data; the model has \
      those of the epoch with the best F1, and stands in the output directory when the training has ended.

      The encoder reads each text once, before the first step. What it makes of them needs 4 bytes a token and channel \
      on the disk while the training lasts: half of that with --feature-precision float16, and --features keeps it for \
      the next training on the same texts.

      A training that was interrupted, even by 'kill -9' or a loss of power, goes on after its last whole epoch with \
      the same command and --resume, and ends in the same weights, bit for bit. The same seed on the same device gives \
      the same model.
      """)

  @Option(help: ArgumentHelp("The encoder: a BERT's directory.", valueName: "directory"))
  var encoder: String

  @Option(help: ArgumentHelp("What to learn from: JSON lines.", valueName: "file"))
  var data: String

  @Option(help: ArgumentHelp("What to try the heads on after every epoch: JSON lines.", valueName: "file"))
  var dev: String

  @Option(help: ArgumentHelp("What to find: entities, relations or events.", valueName: "task"))
  var task: ModelTask

  @Option(help: ArgumentHelp("The directory that becomes a model.", valueName: "directory"))
  var output: String

  @OptionGroup var recipe: RecipeOptions

  @Flag(help: "Go on with an unfinished training in the output directory; start one if there is none.")
  var resume = false

  @Flag(help: "Throw an unfinished training in the output directory away, and replace a model there at the end.")
  var overwrite = false

  @Option(
    help: ArgumentHelp(
      "Keep what the encoder makes of the texts here, for other trainings on them; it is found again by itself.",
      valueName: "directory"))
  var features: String?

  @Option(
    help: ArgumentHelp(
      "How that is kept: float32, or float16 in half the room, which changes results a little.", valueName: "type"))
  var featurePrecision: FeaturePrecision = .float32

  @Option(
    help: ArgumentHelp(
      "Tokens that the encoder reads in one batch. Changes speed and memory, never results.", valueName: "n"))
  var batchTokens: Int?

  @OptionGroup var device: DeviceOptions

  func validate() throws {
    do throws(TrainingError) { try recipe.recipe(for: task).validate() } catch {
      throw ValidationError(error.description)
    }
    if resume && overwrite { throw ValidationError("--resume goes on with a training that --overwrite throws away") }
    if let batchTokens, batchTokens < 1 { throw ValidationError("--batch-tokens must be at least 1") }
    if features == "" { throw ValidationError("--features needs the name of a directory") }
  }

  func run() async throws {
    let train = try await TrainingData.read(data, task: task)
    let development = try await TrainingData.read(dev, task: task)
    let engine = try await device.engine()
    var options = HeadTraining.Options()
    (options.resumes, options.overwrites) = (resume, overwrite)
    (options.features, options.featurePrecision) = (features, featurePrecision)
    options.batchTokens = batchTokens
    let recipe = recipe.recipe(for: task)
    let training = try HeadTraining(
      encoder: encoder, output: output, recipe: recipe, on: engine, options: options)
    var report = TrainingReport(recipe)
    defer { report.clear() }
    for try await progress in training.run(on: train, development: development) {
      report.add(progress)
      guard case .finished(let summary) = progress else { continue }
      let plot = try OutputFile(path: "\(summary.model)/history.svg")
      try plot.write(HistoryPlot(summary).svg().utf8)
      try plot.commit()
      print(TrainingReport.conclusion(summary, recipe), terminator: "")
    }
  }
}
