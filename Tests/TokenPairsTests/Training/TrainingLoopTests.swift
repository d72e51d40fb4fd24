import Foundation
import Testing

@testable import TokenPairs

@Suite struct TrainingLoopTests {
  private static let data = TrainingDataKey(encoder: "e", train: "t", development: "d", features: .float32, device: "x")
  private static let inventory = LabelInventory(task: .relations, labels: ["subject", "object"], links: ["p"])

  private let scratch: Scratch
  private var recipe = TrainingRecipe(task: .relations)

  init() throws {
    scratch = try Scratch()
    (recipe.epochs, recipe.batchSize, recipe.headSize, recipe.mixupAlpha, recipe.labelSmoothing) = (4, 3, 4, 0.4, 0.1)
  }

  private var path: String { scratch.file("checkpoint") }
  private var heads: [HeadParameters] { HeadParameters.initial(recipe, Self.inventory, hiddenSize: 6) }

  // F1s in percent, one an epoch.
  private func plan(f1: [Int] = [10, 30, 20, 30]) -> TrainingLoop.Plan {
    let windows = (0..<7).map { index in
      LabelledWindow(
        ids: [Int32](repeating: 1, count: 4 + index),
        labels: .init(spans: [.init(index % 2, 1, 2)], head: [.init(0, 1, 2)], tail: [.init(0, 2, 1)]), document: index)
    }
    let tried = Tries(f1)
    return TrainingLoop.Plan(
      recipe: recipe,
      batches: BatchPlan(
        windows, heads: heads.map(\.shape), recipe: recipe),
      evaluate: { _ in await tried.next() }, checkpoint: path)
  }

  /// Gives out F1s.
  private actor Tries {
    private var f1: [Int]

    init(_ f1: [Int]) { self.f1 = f1 }

    func next() -> MatchCounts {
      var counts = MatchCounts()
      (counts.predicted, counts.gold, counts.correct) = (100, 100, f1.removeFirst())
      return counts
    }
  }

  private func start(
    _ plan: TrainingLoop.Plan, resumes: Bool = false, losses: @escaping @Sendable (Int) -> Double? = { _ in nil }
  ) async throws -> TrainingLoop {
    let resumed = resumes ? try TrainingCheckpoint(path, heads: heads, recipe: recipe, data: Self.data) : nil
    return try await TrainingLoop(plan, model: ToyModel(heads, losses: losses), data: Self.data, resuming: resumed)
  }

  private func finish(_ loop: inout TrainingLoop) async throws -> [TrainingProgress] {
    var reports: [TrainingProgress] = []
    while let report = try await loop.next() { reports.append(report) }
    return reports
  }

  /// What of a checkpoint does not depend on the clock.
  private struct Outcome: Equatable {
    let state: [NamedTensor]
    let best: [HeadParameters]
    let bestEpoch: Int?
    let losses: [Double]
    let correct: [Int]

    init(_ checkpoint: TrainingCheckpoint) {
      state = checkpoint.state.sorted { $0.name < $1.name }
      best = checkpoint.best
      bestEpoch = checkpoint.progress.bestEpoch
      losses = checkpoint.progress.epochs.map(\.loss)
      correct = checkpoint.progress.epochs.map(\.correct)
    }
  }

  @Test func stepsAndEpochsAreReportedInOrder() async throws {
    var loop = try await start(plan())
    let reports = try await finish(&loop)
    let steps = reports.compactMap(\.step)
    #expect(steps.map(\.step) == Array(1...12) && steps.allSatisfy { $0.steps == 12 })
    #expect(steps.map(\.epoch) == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    let schedule = LearningRateSchedule(peak: recipe.learningRate, warmUpShare: 0.1, steps: 12)
    #expect(steps.map(\.learningRate) == (1...12).map { schedule.rate(step: $0) })
    let epochs = reports.compactMap(\.epoch)
    #expect(epochs.map(\.epoch) == [1, 2, 3, 4] && epochs.map(\.step) == [3, 6, 9, 12])
    #expect(epochs.map(\.scores.f1) == [0.1, 0.3, 0.2, 0.3])
    // Windows weigh alike: two steps of three and one of one.
    let first = zip(steps.prefix(3), [3.0, 3, 1]).reduce(0) { $0 + $1.0.loss * $1.1 } / 7
    #expect(abs(epochs[0].loss - first) < 1e-9)
    #expect(epochs[0].tokens == steps.prefix(3).reduce(0) { $0 + $1.tokens } && epochs[0].tokens >= 49)
    #expect(steps.allSatisfy { $0.remainingSeconds >= 0 } && steps[11].remainingSeconds == 0)
  }

  @Test func theBestEpochsHeadsAreKept() async throws {
    var loop = try await start(plan())
    var ofSecond: [HeadParameters] = []
    while let report = try await loop.next() {
      if report.epoch?.epoch == 2 { ofSecond = loop.checkpoint.best }
    }
    #expect(loop.checkpoint.progress.bestEpoch == 2, "the first of two equals")
    #expect(loop.checkpoint.best == ofSecond && !ofSecond.isEmpty)
    let last = loop.checkpoint.state.first { $0.name == "head0.projection.bias" }
    #expect(last?.values != ofSecond[0].projection.bias, "training went on after it")
  }

  /// After any number of reports, however the run ended, the checkpoint leads to the same end.
  @Test func aResumedTrainingEndsInTheSameBits() async throws {
    var whole = try await start(plan())
    let count = try await finish(&whole).count
    let expected = Outcome(whole.checkpoint)
    #expect(count == 16 && expected.losses.count == 4)
    for reports in 0...count {
      var loop = try await start(plan())
      for _ in 0..<reports { _ = try await loop.next() }
      let ended = loop.checkpoint.progress.epochs.count
      #expect(ended == reports / 4)
      var resumed = try await start(plan(f1: Array([10, 30, 20, 30].dropFirst(ended))), resumes: true)
      #expect(try await finish(&resumed).count == 16 - 4 * ended)
      #expect(Outcome(resumed.checkpoint) == expected, "after \(reports) reports")
      #expect(
        try Outcome(TrainingCheckpoint(path, heads: heads, recipe: recipe, data: Self.data)) == expected)
    }
  }

  @Test func patienceEndsATraining() async throws {
    var patient = self
    patient.recipe.patience = 2
    patient.recipe.epochs = 9
    var loop = try await patient.start(patient.plan(f1: [10, 30, 20, 30, 99, 99, 99, 99, 99]))
    #expect(try await patient.finish(&loop).compactMap(\.epoch).count == 4, "two without a better one")
    #expect(loop.checkpoint.progress.isStopped(patient.recipe))
    var resumed = try await patient.start(patient.plan(), resumes: true)
    #expect(try await resumed.next() == nil, "and it stays ended")
  }

  @Test(arguments: [Double.nan, .infinity]) func aLossThatIsNotFiniteStops(loss: Double) async throws {
    var loop = try await start(plan()) { $0 == 5 ? loss : nil }
    let error = await #expect(throws: TrainingError.self) { _ = try await finish(&loop) }
    let text = error?.description ?? ""
    #expect(
      text.contains("the loss is \(loss.isNaN ? "not a number" : "infinite") in epoch 2, step 5 of 12")
        && text.contains("the end of epoch 1"), "\(text)")
    let kept = try TrainingCheckpoint(path, heads: heads, recipe: recipe, data: Self.data)
    #expect(kept.progress.epochs.count == 1 && kept.progress.step == 3)
    // Without the fault, it would go on as if nothing had been.
    var (resumed, whole) = (try await start(plan(f1: [30, 20, 30]), resumes: true), try await start(plan()))
    _ = try await finish(&resumed)
    let found = Outcome(resumed.checkpoint)
    _ = try await finish(&whole)
    #expect(found == Outcome(whole.checkpoint))
  }

  @Test func headsThatAreNotFiniteStop() async throws {
    var extreme = self
    extreme.recipe.learningRate = 1
    let model = ToyModel(extreme.heads) { _ in 1 }
    var state = await model.state()
    state = state.map { tensor in
      tensor.name == "moment1"
        ? NamedTensor(name: tensor.name, shape: tensor.shape, values: tensor.values.map { _ in .infinity }) : tensor
    }
    try await model.restore(state)
    var loop = try await TrainingLoop(extreme.plan(), model: model, data: Self.data)
    let error = await #expect(throws: TrainingError.self) { _ = try await finish(&loop) }
    #expect(error?.description.contains("numbers that are not finite in epoch 1, step 3") == true)
    #expect(error?.description.contains("that of the start") == true)
  }

  @Test func aCancelledTaskStops() async throws {
    let plan = plan()
    let model = ToyModel(heads)
    let task = Task {
      var loop = try await TrainingLoop(plan, model: model, data: Self.data)
      withUnsafeCurrentTask { $0?.cancel() }
      return try await loop.next() == nil
    }
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }
}
