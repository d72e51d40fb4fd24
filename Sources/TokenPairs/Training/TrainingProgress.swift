/// What happens in a training, in its order.
public enum TrainingProgress: Sendable {
  /// A line that a person should read: labels that were left out, a file that could not be used again.
  case note(String)
  /// The encoder has read some of the texts' windows. This comes once, before the first step.
  case encoding(windows: Int, of: Int, tokens: Int)
  /// A step was taken.
  case step(TrainingStep)
  /// An epoch has ended: the heads were tried on the development data, and all of it is safe on the disk. With it comes
  /// the best epoch so far, which may be the same.
  case epoch(TrainingEpoch, best: TrainingEpoch)
  /// The model is written.
  case finished(TrainingSummary)
}

/// A step of the optimiser.
public struct TrainingStep: Sendable, Hashable {
  /// The epoch, from 1.
  public let epoch: Int
  /// The step's number in the whole training, from 1.
  public let step: Int
  /// Steps of the whole training, unless it stops early.
  public let steps: Int
  /// The loss before the step: summed over the heads, averaged over the batch's windows.
  public let loss: Double
  /// The step's learning rate.
  public let learningRate: Double
  /// Tokens of the batch.
  public let tokens: Int
  /// Tokens a second in this epoch so far.
  public let tokensPerSecond: Double
  /// Seconds to go if the training goes on as it did since it was started or resumed.
  public let remainingSeconds: Double
}

/// An epoch that has ended.
public struct TrainingEpoch: Sendable, Hashable, Codable {
  /// The epoch, from 1.
  public let epoch: Int
  /// Steps taken in the whole training.
  public let step: Int
  /// The mean loss of the epoch's windows, each taken before its step.
  public let loss: Double
  /// The last step's learning rate.
  public let learningRate: Double
  /// What was found in the development data.
  public let predicted: Int
  /// What is true of the development data.
  public let gold: Int
  /// Those of both that agree.
  public let correct: Int
  /// Tokens of the epoch.
  public let tokens: Int
  /// Seconds that the epoch's steps took.
  public let seconds: Double
  /// Seconds that the development data took.
  public let developmentSeconds: Double

  /// The counts on the development data: of entities, relations, or arguments of events.
  public var scores: MatchCounts {
    var counts = MatchCounts()
    (counts.predicted, counts.gold, counts.correct) = (predicted, gold, correct)
    return counts
  }

  /// A line of `history.jsonl`.
  package var jsonLine: String {
    let scores = scores
    return "{\"epoch\": \(epoch), \"step\": \(step), \"loss\": \(loss), \"learning_rate\": \(learningRate), "
      + "\"precision\": \(scores.precision), \"recall\": \(scores.recall), \"f1\": \(scores.f1), "
      + "\"predicted\": \(predicted), \"gold\": \(gold), \"correct\": \(correct), \"tokens\": \(tokens), "
      + "\"seconds\": \(seconds), \"dev_seconds\": \(developmentSeconds)}\n"
  }
}

/// A training that has ended.
public struct TrainingSummary: Sendable, Hashable {
  /// The model's directory.
  public let model: String
  /// All epochs, those before an interruption too.
  public let epochs: [TrainingEpoch]
  /// The epoch whose heads the model has: the first of those with the best F1 on the development data.
  public let best: TrainingEpoch
  /// Numbers that were learned: those of all heads.
  public let parameterCount: Int
  /// Whether the F1 had not become better for as many epochs as the recipe is patient.
  public let stoppedEarly: Bool
}
