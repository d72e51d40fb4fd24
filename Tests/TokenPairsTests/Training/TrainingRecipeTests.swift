import Foundation
import Testing

@testable import TokenPairs

@Suite struct TrainingRecipeTests {
  @Test func theUsualRecipeIsSound() throws {
    for task in ModelTask.allCases { try TrainingRecipe(task: task).validate() }
  }

  @Test func aRecipeSurvivesJSON() throws {
    var recipe = TrainingRecipe(task: .events)
    (recipe.head, recipe.loss, recipe.learningRate, recipe.seed) = (.globalPointer, .bce, 0.1 + 0.2, .max)
    let back = try JSONDecoder().decode(TrainingRecipe.self, from: JSONEncoder().encode(recipe))
    #expect(back == recipe)
  }

  static let faults: [(words: String, change: @Sendable (inout TrainingRecipe) -> Void)] = [
    ("head size is 0", { $0.headSize = 0 }), ("head size is 63", { $0.headSize = 63 }),
    ("epochs is 0", { $0.epochs = 0 }), ("batch size is -1", { $0.batchSize = -1 }),
    ("learning rate is 0", { $0.learningRate = 0 }), ("learning rate is 1e-300", { $0.learningRate = 1e-300 }),
    ("learning rate is nan", { $0.learningRate = .nan }),
    ("learning rate is inf", { $0.learningRate = .infinity }), ("warm-up share is 1.5", { $0.warmUpShare = 1.5 }),
    ("beta 1 is 1.0", { $0.beta1 = 1 }), ("beta 2 is -0.1", { $0.beta2 = -0.1 }), ("epsilon is 0", { $0.epsilon = 0 }),
    ("weight decay is -1", { $0.weightDecay = -1 }), ("gradient norm is 0", { $0.maximumGradientNorm = 0 }),
    ("gradient norm is inf", { $0.maximumGradientNorm = .infinity }),
    ("label smoothing is 1.0", { $0.labelSmoothing = 1 }), ("alpha is 5", { $0.mixupAlpha = 5 }),
    ("alpha is 1e-300", { $0.mixupAlpha = 1e-300 }), ("gradient norm is 1e-38", { $0.maximumGradientNorm = 1e-38 }),
    ("patience is -1", { $0.patience = -1 }),
  ]

  @Test(arguments: faults.indices) func whatCannotWorkIsNamed(index: Int) throws {
    var recipe = TrainingRecipe(task: .entities)
    Self.faults[index].change(&recipe)
    let error = #expect(throws: TrainingError.self) { try recipe.validate() }
    #expect(error?.description.contains(Self.faults[index].words) == true, "\(error?.description ?? "")")
  }
}

@Suite struct LearningRateScheduleTests {
  @Test func ratesAreThoseComputedByHand() {
    let schedule = LearningRateSchedule(peak: 0.8, warmUpShare: 0.3, steps: 10)
    #expect(schedule.warmUp == 3)
    let rates = (1...10).map { schedule.rate(step: $0) / 0.8 }
    let expected: [Double] = [1 / 3, 2 / 3, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]
    for (rate, expected) in zip(rates, expected) { #expect(abs(rate - expected) < 1e-12) }
  }

  @Test func withoutWarmUpTheFirstStepIsJustBelowThePeak() {
    let schedule = LearningRateSchedule(peak: 1, warmUpShare: 0, steps: 4)
    #expect((1...4).map { schedule.rate(step: $0) } == [0.8, 0.6, 0.4, 0.2])
  }

  @Test func warmUpMayTakeAllSteps() {
    let schedule = LearningRateSchedule(peak: 1, warmUpShare: 1, steps: 4)
    #expect((1...4).map { schedule.rate(step: $0) } == [0.25, 0.5, 0.75, 1])
  }
}

/// Against numbers of a Python script that follows the recipe in `TrainingRandom`'s comment.
@Suite struct TrainingRandomTests {
  @Test func theOrderOfAnEpochIsThatOfTheRecipe() {
    #expect(TrainingRandom.order(count: 10, seed: 42, epoch: 0) == [4, 3, 5, 6, 1, 9, 7, 2, 8, 0])
    #expect(TrainingRandom.order(count: 10, seed: 42, epoch: 3) == [2, 0, 6, 1, 9, 4, 8, 3, 5, 7])
    #expect(TrainingRandom.order(count: 10, seed: 7, epoch: 0) == [2, 3, 6, 0, 9, 8, 4, 5, 1, 7])
    #expect(TrainingRandom.order(count: 0, seed: 1, epoch: 0).isEmpty)
    #expect(TrainingRandom.order(count: 1, seed: 1, epoch: 0) == [0])
  }

  @Test func initialParametersAreThoseOfTheRecipe() throws {
    var recipe = TrainingRecipe(task: .relations)
    (recipe.seed, recipe.headSize) = (42, 2)
    let inventory = LabelInventory(task: .relations, labels: ["subject", "object"], links: ["p", "q", "r"])
    let heads = HeadParameters.initial(recipe, inventory, hiddenSize: 8)
    #expect(heads.map(\.shape.types) == [2, 3, 3] && heads.map(\.shape.rope) == [true, false, false])
    #expect(heads.map(\.shape.triangular) == [true, false, false])
    #expect(
      Array(heads[0].projection.weights.prefix(6)) == [
        0.24307182431221008, -0.2735573649406433, -0.17455343902111053, -0.19867821037769318, 0.01364424079656601,
        0.054876670241355896,
      ])
    // Uniform in ±1/√8 and ±1/√4: bounds kept, and nearly reached.
    #expect(heads.allSatisfy { head in head.projection.weights.allSatisfy { abs($0) <= 0.35355338 } })
    let biases = heads.flatMap { $0.bias?.weights ?? [] }
    #expect(
      biases.count == (4 + 6 + 6) * 4 && biases.allSatisfy { abs($0) <= 0.5 } && biases.contains { abs($0) > 0.4 })
    #expect(Set(heads.map { $0.projection.weights }).count == 3, "each head has numbers of its own")
    recipe.seed = 43
    #expect(HeadParameters.initial(recipe, inventory, hiddenSize: 8)[0] != heads[0])
  }

  @Test func headsOfEventsAreTriangular() {
    var recipe = TrainingRecipe(task: .events)
    recipe.head = .globalPointer
    let inventory = LabelInventory(task: .events, labels: ["T/trigger", "T/who"], links: ["link"])
    let heads = HeadParameters.initial(recipe, inventory, hiddenSize: 8)
    #expect(heads.map(\.shape.triangular) == [true, true, true] && heads.map(\.bias) == [nil, nil, nil])
    #expect(heads.map(\.projection.outputs) == [256, 128, 128])
  }
}
