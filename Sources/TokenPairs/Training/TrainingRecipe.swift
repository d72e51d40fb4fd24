/// How heads are trained. Together with the data it settles every number of a training: the same recipe gives the same
/// weights on the same device.
public struct TrainingRecipe: Sendable, Hashable, Codable {
  /// What is minimised.
  public enum Loss: String, Sendable, Hashable, Codable, CaseIterable {
    /// `log(1 + Σ t e^-s) + log(1 + Σ (1-t) e^s)` over all cells of a type (Su, "ZLPR", 2022).
    case zlpr
    /// Binary cross-entropy, summed over all cells: the baseline.
    case bce
  }

  /// What the model is to find.
  public var task: ModelTask
  /// The kind of all heads.
  public var head = HeadKind.efficient
  /// Channels of a query and of a key; even, since rotation takes pairs.
  public var headSize = 64
  /// What is minimised.
  public var loss = Loss.zlpr
  /// Passes over the training data.
  public var epochs = 20
  /// Windows a step.
  public var batchSize = 16
  /// The learning rate at the end of the warm-up, its peak.
  public var learningRate = 1e-3
  /// The part of all steps in which the learning rate grows; after it, it falls linearly.
  public var warmUpShare = 0.1
  /// AdamW's decay of the first moment.
  public var beta1 = 0.9
  /// AdamW's decay of the second moment.
  public var beta2 = 0.999
  /// Added to the root of the second moment.
  public var epsilon = 1e-8
  /// Decoupled weight decay, of weights and not of biases.
  public var weightDecay = 0.01
  /// Gradients of a step are scaled down to this norm at most, all heads together.
  public var maximumGradientNorm = 1.0
  /// ε: a label `t` becomes `(1 - ε) t + ε p`, `p` being the share of a type's cells that are labelled in the training
  /// data: smoothing as of binary labels, which gives rare types little.
  public var labelSmoothing = 0.0
  /// α: windows are mixed with others of their batch by weights drawn from `Beta(α, α)`; 0 mixes none.
  public var mixupAlpha = 0.0
  /// Epochs without a better F1 on the development data after which training stops; 0 never stops early.
  public var patience = 0
  /// Settles the initial parameters, the order of the windows and the mixing.
  public var seed: UInt64 = 0

  /// The usual recipe.
  public init(task: ModelTask) { self.task = task }

  /// Refuses numbers that cannot work.
  /// - Throws: `TrainingError` that names the first of them.
  public func validate() throws(TrainingError) {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(TrainingError) {
      guard range.contains(value) else {
        throw TrainingError("\(name) is \(value): it must be from \(range.lowerBound) to \(range.upperBound)")
      }
    }
    func check(_ name: String, _ value: Double, _ isRight: Bool, _ rule: String) throws(TrainingError) {
      guard isRight, value.isFinite else { throw TrainingError("\(name) is \(value): it must be \(rule)") }
    }
    try check("the head size", headSize, 2...4096)
    guard headSize.isMultiple(of: 2) else {
      throw TrainingError("the head size is \(headSize): it must be even, since rotation takes pairs of channels")
    }
    try check("the number of epochs", epochs, 1...1_000_000)
    try check("the batch size", batchSize, 1...65_536)
    try check("patience", patience, 0...1_000_000)
    try check("the learning rate", learningRate, learningRate >= 1e-12 && learningRate <= 1, "from 1e-12 to 1")
    try check("the warm-up share", warmUpShare, warmUpShare >= 0 && warmUpShare <= 1, "from 0 to 1")
    for (name, beta) in [("beta 1", beta1), ("beta 2", beta2)] {
      try check(name, beta, beta >= 0 && beta < 1, "at least 0 and below 1")
    }
    try check("epsilon", epsilon, epsilon > 0 && epsilon <= 1, "above 0 and at most 1")
    try check("weight decay", weightDecay, weightDecay >= 0 && weightDecay <= 1, "from 0 to 1")
    try check("the maximum gradient norm", maximumGradientNorm, maximumGradientNorm >= 1e-6, "at least 1e-6")
    try check("label smoothing", labelSmoothing, labelSmoothing >= 0 && labelSmoothing < 1, "at least 0 and below 1")
    try check(
      "mixup's alpha", mixupAlpha, mixupAlpha == 0 || (mixupAlpha >= 1e-3 && mixupAlpha <= 4), "0, or from 1e-3 to 4")
  }
}

/// The learning rate of each step: it grows linearly to its peak, then falls linearly towards zero.
package struct LearningRateSchedule: Sendable, Hashable {
  package let peak: Double
  /// Steps of the whole training.
  package let steps: Int
  /// Steps in which it grows: the share of all, rounded up.
  package let warmUp: Int

  /// - Parameters:
  ///   - peak: the highest rate.
  ///   - warmUpShare: the part of all steps in which the rate grows, from 0 to 1.
  ///   - steps: steps of the whole training, at least 1.
  package init(peak: Double, warmUpShare: Double, steps: Int) {
    precondition(steps > 0 && warmUpShare >= 0 && warmUpShare <= 1)
    self.peak = peak
    self.steps = steps
    warmUp = min(steps, Int((warmUpShare * Double(steps)).rounded(.up)))
  }

  /// The rate of a step: `peak · k / W` up to the last step W of the warm-up, then `peak · (T - k + 1) / (T - W + 1)`.
  /// No step has the rate zero, neither the first nor the last.
  /// - Parameter number: k, from 1 to `steps`.
  /// - Returns: the rate.
  package func rate(step number: Int) -> Double {
    precondition((1...steps).contains(number))
    return number <= warmUp
      ? peak * Double(number) / Double(warmUp)
      : peak * Double(steps - number + 1) / Double(steps - warmUp + 1)
  }
}
