import Foundation
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// Steps on a device against those of plain loops in double precision.
@Suite struct DeviceTrainerTests {
  /// A recipe that differs from the usual one.
  struct Case: Sendable, CustomTestStringConvertible {
    var task = ModelTask.entities
    var head = HeadKind.efficient
    var loss = TrainingRecipe.Loss.zlpr
    var isSoft = false

    var testDescription: String { "\(task) \(head) \(loss)\(isSoft ? " mixed and smoothed" : "")" }

    var recipe: TrainingRecipe {
      var recipe = TrainingRecipe(task: task)
      (recipe.head, recipe.loss, recipe.headSize, recipe.batchSize, recipe.seed) = (head, loss, 6, 4, 17)
      (recipe.epochs, recipe.learningRate, recipe.weightDecay) = (4, 0.01, 0.1)
      if isSoft { (recipe.mixupAlpha, recipe.labelSmoothing) = (0.6, 0.1) }
      return recipe
    }
  }

  static let cases = [
    Case(), Case(head: .globalPointer), Case(loss: .bce), Case(head: .globalPointer, loss: .bce), Case(isSoft: true),
    Case(head: .globalPointer, loss: .bce, isSoft: true), Case(task: .relations),
    Case(task: .relations, head: .globalPointer, isSoft: true), Case(task: .events),
    Case(task: .events, loss: .bce, isSoft: true),
  ]

  /// Windows of 3 to 21 tokens with labels on random cells, and features from a normal-like distribution.
  private struct Problem: FeatureSource {
    static let width = 10
    var hiddenSize: Int { Self.width }
    let windows: [LabelledWindow]
    let lengths: [Int]
    let inventory: LabelInventory
    let heads: [HeadParameters]
    private let values: [[Float]]

    init(_ recipe: TrainingRecipe) {
      var random = SeededGenerator(99)
      let task = recipe.task
      inventory = LabelInventory(
        task: task, labels: task == .relations ? ["subject", "object"] : ["T/a", "T/b", "T/trigger"],
        links: task == .entities ? [] : task == .relations ? ["p", "q"] : ["link"])
      let links = inventory.links.count
      let triangularLinks = task == .events
      let types = inventory.labels.count
      lengths = (0..<10).map { 3 + $0 * 7 % 19 }
      windows = lengths.enumerated().map { index, length in
        func cells(_ count: Int, types: Int, triangular: Bool) -> [PairLabel] {
          let all = (0..<count).map { _ -> PairLabel in
            let (a, b) = (
              Int.random(in: 1..<length - 1, using: &random), Int.random(in: 1..<length - 1, using: &random)
            )
            let type = Int.random(in: 0..<types, using: &random)
            return triangular ? PairLabel(type, min(a, b), max(a, b)) : PairLabel(type, a, b)
          }
          return Set(all).sorted(by: PairLabel.precedes)
        }
        var labels = WindowLabels(spans: cells(index % 4, types: types, triangular: true))
        if links > 0 {
          labels.head = cells(index % 3, types: links, triangular: triangularLinks)
          labels.tail = cells((index + 1) % 3, types: links, triangular: triangularLinks)
        }
        return LabelledWindow(ids: [Int32](repeating: 1, count: length), labels: labels, document: index)
      }
      values = lengths.map { random.floats($0 * Self.width).map { 2 * $0 } }
      heads = HeadParameters.initial(recipe, inventory, hiddenSize: Self.width)
    }

    func copyRows(of window: Int, into buffer: UnsafeMutableBufferPointer<Float>) {
      for (index, value) in values[window].enumerated() { buffer[index] = value }
    }

    /// The first ten batches, with their learning rates.
    func batches(_ recipe: TrainingRecipe) -> [(batch: TrainingBatch, rate: Double)] {
      let plan = BatchPlan(
        windows, heads: heads.map(\.shape), recipe: recipe)
      let schedule = LearningRateSchedule(peak: recipe.learningRate, warmUpShare: 0.2, steps: 12)
      let all = (0..<4).flatMap { epoch in
        plan.parts(epoch: epoch).enumerated().map { plan.batch($1, epoch: epoch, step: $0) }
      }
      return all.prefix(10).enumerated().map { ($1, schedule.rate(step: $0 + 1)) }
    }
  }

  @Test(arguments: TestDevice.available, cases)
  func tenStepsAreThoseOfPlainLoops(device: TestDevice, item: Case) async throws {
    let recipe = item.recipe
    let problem = Problem(recipe)
    let trainer = try await DeviceTrainer(problem.heads, recipe, features: problem, on: device.engine())
    let oracle = HostTrainer(problem.heads, recipe, features: problem)
    for (index, (batch, rate)) in problem.batches(recipe).enumerated() {
      let loss = try await trainer.step(batch, learningRate: rate, number: index + 1)
      let expected = try await oracle.step(batch, learningRate: rate, number: index + 1)
      #expect(abs(loss - expected) <= 2e-4 * max(1, expected), "step \(index + 1): \(loss), \(expected)")
    }
    let (found, expected) = (try await trainer.parameters(), await oracle.parameters())
    #expect(found.count == expected.count)
    for (head, (a, b)) in zip(found, expected).enumerated() {
      for (name, x, y) in [
        ("projection weights", a.projection.weights, b.projection.weights),
        ("projection bias", a.projection.bias, b.projection.bias),
        ("bias weights", a.bias?.weights ?? [], b.bias?.weights ?? []),
        ("bias bias", a.bias?.bias ?? [], b.bias?.bias ?? []),
      ] {
        #expect(x.count == y.count)
        let farthest = zip(x, y).map { abs($0 - $1) }.max() ?? 0
        // A step moves a number by the learning rate at most; ten of them by a tenth.
        #expect(farthest <= 5e-4, "head \(head), \(name): \(farthest)")
      }
      #expect(zip(a.projection.weights, problem.heads[head].projection.weights).contains { abs($0 - $1) > 0.01 })
    }
  }

  @Test(arguments: TestDevice.available, [Case(isSoft: true), Case(task: .relations, head: .globalPointer)])
  func aRestoredTrainerTakesTheSameSteps(device: TestDevice, item: Case) async throws {
    let recipe = item.recipe
    let problem = Problem(recipe)
    let engine = try await device.engine()
    let batches = problem.batches(recipe)
    let whole = try await DeviceTrainer(problem.heads, recipe, features: problem, on: engine)
    var state: [NamedTensor] = []
    var losses: [Double] = []
    for (index, (batch, rate)) in batches.enumerated() {
      if index == 4 { state = try await whole.state() }
      losses.append(try await whole.step(batch, learningRate: rate, number: index + 1))
    }
    // In another order, and into a trainer that has been elsewhere.
    let resumed = try await DeviceTrainer(problem.heads, recipe, features: problem, on: engine)
    _ = try await resumed.step(batches[9].batch, learningRate: 1, number: 1)
    try await resumed.restore(state.reversed())
    for (index, (batch, rate)) in batches.enumerated().dropFirst(4) {
      #expect(
        try await resumed.step(batch, learningRate: rate, number: index + 1) == losses[index], "step \(index + 1)")
    }
    let (found, expected) = (try await resumed.state(), try await whole.state())
    #expect(found.map(\.name) == expected.map(\.name))
    for (a, b) in zip(found, expected) {
      #expect(a.values.map(\.bitPattern) == b.values.map(\.bitPattern), "\(a.name)")
    }
    #expect(state.contains { $0.values.contains { $0 != 0 } })
  }

  @Test func aStateOfAnotherModelIsRefused() async throws {
    let engine = try await TestDevice.reference.engine()
    let (entities, links) = (Case(), Case(task: .relations))
    let problem = Problem(links.recipe)
    let trainer = try await DeviceTrainer(problem.heads, links.recipe, features: problem, on: engine)
    let other = Problem(entities.recipe)
    let foreign = try await DeviceTrainer(other.heads, entities.recipe, features: other, on: engine).state()
    let before = try await trainer.state()
    await #expect(throws: TrainingError.self) { try await trainer.restore(foreign) }
    #expect(try await trainer.state() == before)
  }
}

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
