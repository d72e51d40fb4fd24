import Foundation
import TestDevices
import Testing

@testable import TokenPairs

/// The oracle itself: its gradient against differences of its loss, and whether it learns.
@Suite struct HostTrainerTests {
  static let kinds: [(kind: HeadKind, loss: TrainingRecipe.Loss, link: Bool)] = [
    (.efficient, .zlpr, false), (.globalPointer, .zlpr, false), (.efficient, .bce, true), (.globalPointer, .bce, true),
  ]

  @Test(arguments: kinds.indices) func gradientsAreThoseOfDifferences(index: Int) {
    let (kind, loss, link) = Self.kinds[index]
    var recipe = TrainingRecipe(task: .relations)
    (recipe.head, recipe.headSize, recipe.seed) = (kind, 4, 3)
    let inventory = LabelInventory(task: .relations, labels: ["subject", "object"], links: ["p"])
    var head = HostHead(HeadParameters.initial(recipe, inventory, hiddenSize: 5)[link ? 1 : 0])
    var random = SeededGenerator(9)
    let x = random.floats(6 * 5).map { 3 * Double($0) }
    let labels: [PairLabel] = link ? [.init(0, 4, 1), .init(0, 2, 2, 0.3)] : [.init(0, 1, 3), .init(1, 2, 4, 0.7)]
    let background: [Float] = link ? [0.1] : [0, 0.05]
    func value() -> Double {
      var (a, b) = (head.projection, head.bias)
      return head.loss(x, labels, background: background, loss, into: &a, &b)
    }
    var projection = HostHead.Layer(zerosLike: head.projection)
    var bias = head.bias.map { HostHead.Layer(zerosLike: $0) }
    _ = head.loss(x, labels, background: background, loss, into: &projection, &bias)
    let h = 1e-5
    func check(_ gradient: Double, _ change: (inout HostHead, Double) -> Void, _ name: String) {
      change(&head, h)
      let above = value()
      change(&head, -2 * h)
      let below = value()
      change(&head, h)
      let difference = (above - below) / (2 * h)
      #expect(abs(difference - gradient) < 1e-7 * max(1, abs(gradient)), "\(name): \(difference), \(gradient)")
    }
    for i in projection.weights.indices {
      check(projection.weights[i], { $0.projection.weights[i] += $1 }, "projection weight \(i)")
    }
    for i in projection.bias.indices {
      check(projection.bias[i], { $0.projection.bias[i] += $1 }, "projection bias \(i)")
    }
    if let bias {
      for i in bias.weights.indices { check(bias.weights[i], { $0.bias?.weights[i] += $1 }, "bias weight \(i)") }
      for i in bias.bias.indices { check(bias.bias[i], { $0.bias?.bias[i] += $1 }, "bias bias \(i)") }
    }
    #expect(projection.weights.contains { abs($0) > 1e-3 })
  }

  /// Texts that are tried on themselves are learned by heart.
  @Test(arguments: HeadKind.allCases) func aTrainingLearns(kind: HeadKind) async throws {
    var training = try SmallTraining()
    (training.recipe.head, training.recipe.epochs, training.recipe.learningRate) = (kind, 60, 0.05)
    training.recipe.headSize = 8
    let engine = try await TestDevice.reference.engine()
    let whole = try HeadTraining(
      encoder: training.encoder, output: training.output, recipe: training.recipe, on: engine, options: training.options
    ) { heads, recipe, features, _ in HostTrainer(heads, recipe, features: features) }
    var summary: TrainingSummary?
    for try await report in whole.run(on: SmallTraining.train, development: SmallTraining.train) {
      summary = report.summary ?? summary
    }
    let epochs = try #require(summary).epochs
    #expect(summary?.best.scores.f1 == 1, "\(epochs.map(\.scores.f1))")
    #expect((epochs.last?.loss ?? .infinity) < 0.2 * epochs[0].loss)
  }
}
