import Engine
import Testing
import TokenPairs

/// Each rule of an optimiser's step and of what surrounds it, broken once.
@Suite struct OperationValidationOptimizerTests {
  typealias SquareRule = BrokenRule<SquareSum>

  /// Three slots, from 2 on.
  private static var squares: SquareSum {
    SquareSum(of: shaped(.float32, 2 * SquareSum.part + 1), into: shaped(.float32, 5), slot: 2)
  }

  static let squareRules: [SquareRule] = [
    .init("the tensor is floats", says: "elements") { $0.source = shaped(.int32, 7) },
    .init("elements can be indexed", says: "2147483648 elements") { $0.source = shaped(.float32, 1 << 31) },
    .init("the slot is not negative", says: "slot -1") { $0.slot = -1 },
    .init("the sums have room", says: "sums needs 6") { $0.slot = 3 },
    .init("the sums are floats", says: "sums must be float32") { $0.sums = shaped(.int32, 5) },
    .init("the sums are not the tensor", says: "its own input") { $0.sums = $0.source },
  ]

  @Test(arguments: squareRules) func squareSum(_ rule: SquareRule) {
    expectRefusal(of: rule, in: Self.squares) { $0 }
  }

  @Test func slotsCountBegunParts() {
    let part = SquareSum.part
    for (count, slots) in [(1, 1), (part, 1), (part + 1, 2), (3 * part, 3)] {
      #expect(SquareSum.slots(for: shaped(.float32, count)) == slots)
    }
  }

  typealias StepRule = BrokenRule<AdamWStep>

  private static var step: AdamWStep {
    AdamWStep(
      shaped(.float32, 3, 4), firstMoment: shaped(.float32, 12), secondMoment: shaped(.float32, 12),
      gradient: shaped(.float32, 12), squares: shaped(.float32, 2),
      settings: .init(learningRate: 1e-3, weightDecay: 0.01, maximumNorm: 1, number: 1))
  }

  static let stepRules: [StepRule] = [
    .init("the parameter is floats", says: "parameter must be") { $0.parameter = shaped(.int32, 12) },
    .init("the gradient is complete", says: "gradient needs 12") { $0.gradient = shaped(.float32, 11) },
    .init("the gradient is floats", says: "gradient must be") { $0.gradient = shaped(.int32, 12) },
    .init("the first moment is complete", says: "first moment needs 12") { $0.firstMoment = shaped(.float32, 11) },
    .init("the first moment is floats", says: "first moment must be") { $0.firstMoment = shaped(.int32, 12) },
    .init("the second moment is complete", says: "second moment needs 12") { $0.secondMoment = shaped(.float32, 11) },
    .init("the second moment is floats", says: "second moment must be") { $0.secondMoment = shaped(.int32, 12) },
    .init("squares are floats", says: "squares must be") { $0.squares = shaped(.int32, 2) },
    .init("squares are not changed", says: "its own input") { $0.squares = $0.parameter },
    .init("the parameter is not its gradient", says: "its own input") { $0.gradient = $0.parameter },
    .init("the moments are two", says: "its own input") { $0.firstMoment = $0.secondMoment },
    .init("a moment is not the gradient", says: "its own input") { $0.firstMoment = $0.gradient },
    .init("the learning rate is not negative", says: "out of range") { $0.settings.learningRate = -1 },
    .init("the learning rate is a number", says: "out of range") { $0.settings.learningRate = .nan },
    .init("the learning rate is finite", says: "out of range") { $0.settings.learningRate = .infinity },
    .init("beta1 is below 1", says: "out of range") { $0.settings.beta1 = 1 },
    .init("beta2 is not negative", says: "out of range") { $0.settings.beta2 = -0.5 },
    .init("beta2 is a number", says: "out of range") { $0.settings.beta2 = .nan },
    .init("epsilon is positive", says: "out of range") { $0.settings.epsilon = 0 },
    .init("epsilon is finite", says: "out of range") { $0.settings.epsilon = .infinity },
    .init("the decay is not negative", says: "out of range") { $0.settings.weightDecay = -0.1 },
    .init("the decay is finite", says: "out of range") { $0.settings.weightDecay = .infinity },
    .init("the largest norm is positive", says: "out of range") { $0.settings.maximumNorm = 0 },
    .init("the largest norm is a number", says: "out of range") { $0.settings.maximumNorm = .nan },
    .init("steps count from 1", says: "out of range") { $0.settings.number = 0 },
  ]

  @Test(arguments: stepRules) func adamWStep(_ rule: StepRule) {
    expectRefusal(of: rule, in: Self.step) { $0 }
  }

  @Test func theNormNeedNotBeLimited() throws {
    var step = Self.step
    step.settings.maximumNorm = .infinity
    var submission = Submission()
    try submission.append(step)
    #expect(submission.operations.count == 1)
  }

  typealias BlendRule = BrokenRule<BlendRows>

  private static var blend: BlendRows {
    BlendRows(
      of: shaped(.float32, 9, 5), indices: shaped(.int32, 6, 2), weights: shaped(.float32, 6), rows: 6,
      into: shaped(.float32, 6, 5))
  }

  static let blendRules: [BlendRule] = [
    .init("the source is floats", says: "float32") { $0.source = shaped(.int32, 9, 5) },
    .init("there are rows", says: "0 rows") { $0.rows = 0 },
    .init("rows can be counted", says: "1073741824 rows") { $0.rows = 1 << 30 },
    .init("indices are integers", says: "indices must be int32") { $0.indices = shaped(.float32, 6, 2) },
    .init("indices are pairs", says: "indices needs 12") { $0.indices = shaped(.int32, 6) },
    .init("weights are complete", says: "weights needs 6") { $0.weights = shaped(.float32, 5) },
    .init("weights are floats", says: "weights must be") { $0.weights = shaped(.int32, 6) },
    .init("the result has room", says: "result needs 30") { $0.out = shaped(.float32, 5, 5) },
    .init("the result is floats", says: "result must be") { $0.out = shaped(.int32, 6, 5) },
    .init("the result is as wide as the source", says: "has 6 channels") { $0.out = shaped(.float32, 6, 6) },
    .init("the result is not the source", says: "its own input") { $0.out = $0.source },
  ]

  @Test(arguments: blendRules) func blendRows(_ rule: BlendRule) {
    expectRefusal(of: rule, in: Self.blend) { $0 }
  }
}
