public import Engine

/// The loss that token-pair heads learn by, for any logits (Su, "ZLPR", 2022): of many classes any number may be
/// true at once, and few are.
///
///     L = ln(1 + Σ t e^(-s)) + ln(1 + Σ (1 - t) e^s)        dL/ds = (1 - t) e^(s - N) - t e^(-s - P)
///
/// with N and P the two logarithms. Least at `t = sigmoid(2s)`: 0 is the threshold between true and false. Sums are
/// taken relative to the largest exponent, so scores of ±10⁴ stay finite; N and P are float32, so that a gradient there
/// is right to their last digit, 10⁻³ of itself.
public struct ZLPR: Sendable {
  /// What the classes of each row should be.
  public enum Labels: Sendable, Hashable {
    /// A class with its probability.
    public struct Soft: Sendable, Hashable {
      /// The class, from 0.
      public var type: Int
      /// From 0 to 1.
      public var probability: Float

      /// A class with its probability.
      public init(type: Int, probability: Float) {
        self.type = type
        self.probability = probability
      }
    }

    /// For each row the classes that are true; all others are false.
    case positives([[Int]])
    /// `[rows · classes]`: a probability for each class.
    case soft([Float])
    /// For each row the classes whose probability is given; all others have their class's background, as label smoothing
    /// leaves it, or 0 if there is none.
    case sparse([[Soft]], background: [Float]? = nil)
  }

  /// A loss and its derivatives.
  public struct LossAndGradient: Sendable, Hashable {
    /// `[rows]`
    public let losses: [Float]
    /// `[rows · classes]`: each row's loss by its logits.
    public let gradient: [Float]
  }

  private let engine: Engine

  /// The loss on a device.
  public init(on engine: Engine) { self.engine = engine }

  /// Computes the loss of each row and its gradient.
  ///
  /// - Parameters:
  ///   - logits: `[rows · classes]`, row after row.
  ///   - classes: logits of a row.
  ///   - labels: what they should be.
  ///   - mask: `[rows · classes]`: cells for which it is false contribute nothing, and their derivative is 0. All count
  ///     if nil.
  /// - Returns: losses and gradient.
  /// - Throws: `EngineError` if the sizes contradict each other, a label is not a probability, or the device has no room.
  public func lossAndGradient(
    logits: [Float], classes: Int, labels: Labels, mask: [Bool]? = nil
  ) async throws(EngineError) -> LossAndGradient {
    guard classes > 0, !logits.isEmpty, logits.count.isMultiple(of: classes) else {
      throw EngineError(.invalidOperation, "ZLPR: \(logits.count) logits are not rows of \(classes) classes")
    }
    let rows = logits.count / classes
    var dense = try labels.dense(rows: rows, classes: classes)
    if let mask {
      guard mask.count == logits.count else {
        throw EngineError(.invalidOperation, "ZLPR: \(logits.count) logits have a mask of \(mask.count)")
      }
      for at in mask.indices where !mask[at] { dense[at] = -1 }
    }
    let scores = try engine.makeTensor(.float32, rows, classes)
    let targets = try engine.makeTensor(.float32, rows, classes)
    let losses = try engine.makeTensor(.float32, rows)
    let gradient = try engine.makeTensor(.float32, rows, classes)
    var submission = Submission()
    try submission.upload(.float32(logits), to: scores)
    try submission.upload(.float32(dense), to: targets)
    try submission.append(
      RowLoss(scores, labels: targets, rows: rows, classes: classes, losses: losses, gradient: gradient))
    try submission.download(losses)
    try submission.download(gradient)
    let results = try await engine.run(submission)
    return LossAndGradient(losses: results[0].floats, gradient: results[1].floats)
  }
}

extension ZLPR.Labels {
  /// A label for every cell.
  fileprivate func dense(rows: Int, classes: Int) throws(EngineError) -> [Float] {
    switch self {
    case .soft(let values):
      guard values.count == rows * classes, values.allSatisfy({ (0...1).contains($0) }) else {
        throw EngineError(
          .invalidOperation, "ZLPR: soft labels must be \(rows * classes) probabilities, a label for each logit")
      }
      return values
    case .positives(let positives):
      return try Self.sparse(positives.map { $0.map { Soft(type: $0, probability: 1) } }, background: nil).dense(
        rows: rows, classes: classes)
    case .sparse(let listed, let background):
      guard listed.count == rows, (background?.count ?? classes) == classes,
        background?.allSatisfy({ (0...1).contains($0) }) ?? true
      else {
        throw EngineError(
          .invalidOperation,
          "ZLPR: labels of \(listed.count) rows and \(background?.count ?? classes) backgrounds are given for \(rows) rows of \(classes) classes"
        )
      }
      let ground = background ?? [Float](repeating: 0, count: classes)
      var dense: [Float] = []
      dense.reserveCapacity(rows * classes)
      for (row, labels) in listed.enumerated() {
        dense += ground
        var seen: Set<Int> = []
        for label in labels {
          let (type, probability) = (label.type, label.probability)
          guard (0..<classes).contains(type), (0...1).contains(probability) else {
            throw EngineError(
              .invalidOperation,
              "ZLPR: the label \(probability) of class \(type) in row \(row) is not a probability of one of \(classes) classes"
            )
          }
          guard seen.insert(type).inserted else {
            throw EngineError(.invalidOperation, "ZLPR: row \(row) has two labels of class \(type)")
          }
          dense[row * classes + type] = probability
        }
      }
      return dense
    }
  }
}
