public import ArgumentParser
import Foundation
public import TokenPairs
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
      try printReport(TrainingReport.conclusion(summary, recipe))
    }
  }
}

/// How heads are trained.
struct RecipeOptions: ParsableArguments {
  private static let usual = TrainingRecipe(task: .entities)

  @Option(
    help: ArgumentHelp(
      "The kind of heads: efficient (one query and key for all labels), or globalpointer (for each label its own).",
      valueName: "kind"))
  var head = Self.usual.head

  @Option(parsing: .unconditional, help: ArgumentHelp("Channels of a query and of a key.", valueName: "n"))
  var headSize = Self.usual.headSize

  @Option(
    help: ArgumentHelp(
      "What is minimised: zlpr, made for a few right cells among n², or bce, binary cross-entropy.", valueName: "name"))
  var loss = Self.usual.loss

  @Option(parsing: .unconditional, help: ArgumentHelp("Passes over the training data.", valueName: "n"))
  var epochs = Self.usual.epochs

  @Option(parsing: .unconditional, help: ArgumentHelp("Windows of text a step.", valueName: "n"))
  var batch = Self.usual.batchSize

  @Option(parsing: .unconditional, help: ArgumentHelp("AdamW's learning rate at its peak.", valueName: "number"))
  var learningRate = Self.usual.learningRate

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of all steps in which the learning rate grows; then it falls.", valueName: "share"))
  var warmUp = Self.usual.warmUpShare

  @Option(parsing: .unconditional, help: ArgumentHelp("Weight decay, of weights alone.", valueName: "number"))
  var weightDecay = Self.usual.weightDecay

  @Option(parsing: .unconditional, help: ArgumentHelp("The largest norm of a step's gradient.", valueName: "number"))
  var clip = Self.usual.maximumGradientNorm

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Take this share of each label away, and give every cell as much of its type's frequency.", valueName: "share"))
  var labelSmoothing = Self.usual.labelSmoothing

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Mix windows by weights from Beta(α, α); 0 mixes none.", valueName: "alpha"))
  var mixup = Self.usual.mixupAlpha

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Stop after this many epochs without a better F1; 0 never does.", valueName: "n"))
  var patience = Self.usual.patience

  @Option(
    help: ArgumentHelp("Settles the first weights, the order of the texts and the mixing (0).", valueName: "seed"),
    transform: { try Choice.seed($0) })
  var seed = Self.usual.seed

  func recipe(for task: ModelTask) -> TrainingRecipe {
    var recipe = TrainingRecipe(task: task)
    (recipe.head, recipe.headSize, recipe.loss) = (head, headSize, loss)
    (recipe.epochs, recipe.batchSize, recipe.patience, recipe.seed) = (epochs, batch, patience, seed)
    (recipe.learningRate, recipe.warmUpShare, recipe.weightDecay) = (learningRate, warmUp, weightDecay)
    (recipe.maximumGradientNorm, recipe.labelSmoothing, recipe.mixupAlpha) = (clip, labelSmoothing, mixup)
    return recipe
  }
}

extension TrainingRecipe.Loss: ExpressibleByArgument {}
extension FeaturePrecision: ExpressibleByArgument {}

/// Says on standard error how far a training is: a bar where that can be drawn, and a line for every epoch.
struct TrainingReport {
  private let recipe: TrainingRecipe
  private var bar: ProgressBar?
  private var isEncoding = false
  private var encoded = 0
  private var lastStep: TrainingStep?
  private var bestF1: Double?

  init(_ recipe: TrainingRecipe) { self.recipe = recipe }

  /// Erases the bar.
  func clear() { bar?.clear() }

  mutating func add(_ progress: TrainingProgress) {
    switch progress {
    case .note(let text): say("weft: \(text)")
    case .encoding(let windows, let total, let tokens): encode(windows, total, tokens)
    case .step(let step): take(step)
    case .epoch(let epoch, let best): end(epoch, best)
    case .finished: clear()
    }
  }

  private func say(_ line: String) {
    clear()
    note(line)
  }

  private mutating func encode(_ windows: Int, _ total: Int, _ tokens: Int) {
    if !isEncoding {
      isEncoding = true
      bar = ProgressBar.onStandardError(title: "encode", total: total, unit: .windows)
      if bar == nil { note("encoding \(Quantity.grouped(total)) \(total == 1 ? "window" : "windows") of text") }
    }
    bar?.advance(tokens: tokens - encoded)
    encoded = tokens
  }

  private mutating func take(_ step: TrainingStep) {
    if lastStep == nil {
      if let summary = bar?.finish() { note(summary) }
      bar = ProgressBar.onStandardError(title: "train", total: step.steps - step.step + 1, unit: .steps)
    }
    lastStep = step
    bar?.title =
      "epoch \(step.epoch)/\(recipe.epochs)  loss \(Quantity.short(step.loss))"
      + (bestF1.map { "  best F1 \(Self.share($0))" } ?? "")
    bar?.advance(tokens: step.tokens)
  }

  private mutating func end(_ epoch: TrainingEpoch, _ best: TrainingEpoch) {
    bestF1 = best.scores.f1
    var fields = [
      "epoch \(epoch.epoch)/\(recipe.epochs)", "loss \(Quantity.short(epoch.loss))",
      "F1 \(Self.share(epoch.scores.f1))" + (best.epoch == epoch.epoch ? " best" : ""),
      "\(Quantity.short(epoch.seconds + epoch.developmentSeconds)) s",
    ]
    if epoch.seconds > 0 { fields.append("\(Quantity.short(Double(epoch.tokens) / epoch.seconds)) tokens/s") }
    if let step = lastStep, step.step < step.steps {
      fields.append("ETA \(Quantity.clock(seconds: step.remainingSeconds))")
    }
    say(fields.joined(separator: "  "))
  }

  /// What a finished training is, and what to do with it.
  static func conclusion(_ summary: TrainingSummary, _ recipe: TrainingRecipe) -> String {
    let scores = summary.best.scores
    var table = TextTable([
      .text("dev"), .number("precision"), .number("recall"), .number("F1"), .number("predicted"), .number("gold"),
      .number("correct"),
    ])
    table.addRow([
      "epoch \(summary.best.epoch)", share(scores.precision), share(scores.recall), share(scores.f1),
      "\(scores.predicted)", "\(scores.gold)", "\(scores.correct)",
    ])
    let epochs = summary.epochs.count
    let ending =
      summary.stoppedEarly
      ? "stopped after \(epochs) epochs, \(recipe.patience) of them without a better F1"
      : "\(epochs) \(epochs == 1 ? "epoch" : "epochs")"
    // As it was called: it need not be on the path.
    let program = CommandLine.arguments.first ?? "weft"
    return """
      \(table.render(on: Terminal(describing: STDOUT_FILENO)))
      \(summary.model): \(recipe.task.rawValue), \(recipe.head.rawValue), head size \(recipe.headSize), \
      \(Quantity.grouped(summary.parameterCount)) parameters, \(ending); history.svg shows how it went
      To use it:   \(program) extract --model \(summary.model) --lines FILE.txt
      To test it:  \(program) evaluate --model \(summary.model) TEST.jsonl

      """
  }

  private static func share(_ value: Double) -> String { String(format: "%.4f", value) }
}
