import Foundation
import TokenPairs

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
