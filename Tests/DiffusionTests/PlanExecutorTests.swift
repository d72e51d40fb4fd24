import Testing

@testable import Diffusion

/// The executor that others are compared with, by hand.
@Suite struct PlanExecutorTests {
  private let level = NoiseLevel(time: 5, alpha: 0.6, sigma: 0.8)

  private func update(_ change: (inout PlannedUpdate) -> Void) -> SamplingPlan {
    var update = PlannedUpdate(from: level, to: level, prediction: .sample)
    change(&update)
    return SamplingPlan([.update(update)], start: level, initialScale: 1)
  }

  @Test func historyAndKeptValues() {
    var first = PlannedUpdate(from: level, to: level, prediction: .sample)
    first.sample = 2
    first.output = 1
    first.keptX0 = 2
    first.keptEpsilon = 3
    var second = PlannedUpdate(from: level, to: level, prediction: .sample)
    second.evaluates = false
    second.history = [.init(0, 1), .init(1, 10), .init(2, 100)]
    second.x0 = 1000
    var third = second
    third.history = [.init(3, 1)]
    third.sample = 0
    let start = SamplingPlan([.update(first), .update(second)], start: level, initialScale: 1)
    let executor = PlanExecutor(sampleSize: 1) { x, _ in x.map { $0 / 2 } }
    // x = 2, x' = 4, x0 = 1, ε = (2 - 0.6) / 0.8.
    #expect(executor.run(start, from: [2]) == [2 + 40 + 100])
    let other = SamplingPlan([.update(first), .update(third)], start: level, initialScale: 1)
    #expect(agree(executor.run(other, from: [2])[0], 1.75, 1e-12))
  }

  @Test func clipping() {
    let executor = PlanExecutor(sampleSize: 5) { x, _ in x }
    let fixed = update {
      $0.clipping = .fixed(limit: 1)
      $0.x0 = 1
    }
    #expect(executor.run(fixed, from: [-3, -1, 0.5, 1, 2]) == [-1, -1, 0.5, 1, 1])
    // The 0.75 quantile of the first sample's |x0| = 0 … 4 is 3; of the second 0.6, raised to 1; of the third 30, cut.
    let dynamic = update {
      $0.clipping = .dynamic(ratio: 0.75, maximum: 20)
      $0.x0 = 1
    }
    let start = [0, -1, 2, 3, 4, 0, 0.2, -0.4, 0.6, 1.8, 0, 10, 20, 30, 40]
    let expected = [0, -1.0 / 3, 2.0 / 3, 1, 1, 0, 0.2, -0.4, 0.6, 1, 0, 0.5, 1, 1, 1]
    for (a, b) in zip(executor.run(dynamic, from: start), expected) { #expect(abs(a - b) < 1e-15) }
    // Between ranks: 0.5 of 1 … 4 is 2.5.
    let even = PlanExecutor(sampleSize: 4) { x, _ in x }
    let median = update {
      $0.clipping = .dynamic(ratio: 0.5, maximum: 20)
      $0.x0 = 1
    }
    #expect(even.run(median, from: [1, 2, 3, 4]) == [0.4, 0.8, 1, 1])
  }

  @Test func langevinNormsArePerSample() {
    var executor = PlanExecutor(sampleSize: 2) { x, _ in x }
    executor.noise = { _, element in [3, 4, 0, 1][element] }
    let step = PlannedLangevin(at: level, prediction: .epsilon, signalToNoise: 0.5, factor: 0.9)
    var identity = PlannedUpdate(from: level, to: level, prediction: .sample)
    identity.sample = 1
    identity.evaluates = false
    let plan = SamplingPlan([.langevin(step), .update(identity)], start: level, initialScale: 1)
    let result = executor.run(plan, from: [0.8, 0, 1.6, 0])
    // Scores -1 and -2; steps 1.8 (0.5 · 5)² = 11.25 and 1.8 (0.5 / 2)² = 0.1125.
    let expected = [0.8 - 11.25 + 22.5.squareRoot() * 3, 22.5.squareRoot() * 4, 1.6 - 0.225, 0.225.squareRoot()]
    for (a, b) in zip(result, expected) { #expect(agree(a, b, 1e-12)) }
  }
}
