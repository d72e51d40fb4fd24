import Foundation
import Testing

@testable import TokenPairs

@Suite struct TrainingBatchTests {
  /// Windows of the given lengths, each with a label of its own.
  private func windows(_ lengths: [Int]) -> [LabelledWindow] {
    lengths.enumerated().map { index, length in
      let labels = length > 2 ? WindowLabels(spans: [.init(index % 2, 1, length - 2)]) : WindowLabels()
      return LabelledWindow(ids: Array(repeating: 1, count: length), labels: labels, document: index)
    }
  }

  private static func shape(types: Int, triangular: Bool) -> HeadShape {
    HeadShape(kind: .efficient, types: types, headSize: 2, rope: false, triangular: triangular)
  }

  private func plan(
    _ windows: [LabelledWindow], heads: [HeadShape] = [shape(types: 2, triangular: true)],
    _ change: (inout TrainingRecipe) -> Void = { _ in }
  ) -> BatchPlan {
    var recipe = TrainingRecipe(task: heads.count == 1 ? .entities : .relations)
    (recipe.batchSize, recipe.seed) = (4, 42)
    change(&recipe)
    return BatchPlan(windows, heads: heads, recipe: recipe)
  }

  @Test func everyWindowThatTeachesIsTakenOnceAnEpoch() {
    let plan = plan(windows([3, 2, 4, 5, 2, 6, 7, 8, 9, 10, 11, 12]))
    #expect(plan.stepsPerEpoch == 3)
    let parts = plan.parts(epoch: 0)
    // The script's order of 10, over the windows with a token.
    let teaching = [0, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    #expect(parts == [[6, 5, 7, 8], [2, 11, 9, 3], [10, 0]])
    #expect(parts.joined().sorted() == teaching && plan.parts(epoch: 1) != parts)
    let batch = plan.batch(parts[1], epoch: 0, step: 1)
    #expect(batch.windows == [(2, 4), (11, 12), (9, 10), (3, 5)].map { .init(index: $0.0, length: $0.1) })
    #expect(
      batch.labels == [
        .init(cells: [[.init(0, 1, 2)], [.init(1, 1, 10)], [.init(1, 1, 8)], [.init(1, 1, 3)]], background: [0, 0])
      ])
    #expect(batch.tokens == 31)
  }

  @Test func eachHeadHasItsLabels() {
    let window = LabelledWindow(
      ids: [1, 1, 1, 1], labels: .init(spans: [.init(0, 1, 2)], head: [.init(2, 1, 2)], tail: [.init(1, 2, 1)]),
      document: 0)
    let heads = [(2, true), (3, false), (3, false)].map { Self.shape(types: $0, triangular: $1) }
    let batch = plan([window], heads: heads).batch([0], epoch: 0, step: 0)
    #expect(batch.labels.map(\.cells) == [[[.init(0, 1, 2)]], [[.init(2, 1, 2)]], [[.init(1, 2, 1)]]])
    #expect(batch.labels.map(\.background.count) == [2, 3, 3])
  }

  @Test func mixturesAreThoseOfTheRecipe() {
    // The script's permutation and weights for seed 42, epoch 1, step 2, α = 0.5.
    let mixup = Mixup(alpha: 0.5, seed: 42)
    let mixtures = mixup.mixtures(of: [7, 3, 5, 1], lengths: [3, 4, 5, 6, 7, 8, 9, 10], epoch: 1, step: 2)
    #expect(mixtures.map(\.index) == [7, 3, 5, 1] && mixtures.map(\.partner) == [3, 7, nil, nil])
    #expect(mixtures.map(\.length) == [10, 10, 8, 4])
    for (weight, expected) in zip(mixtures.map(\.weight), [0.0805828794836998, 0.9411548376083374, 1, 1] as [Float]) {
      #expect(abs(weight - expected) < 1e-6)
    }
    #expect(
      Mixup(alpha: 0, seed: 42).mixtures(of: [2], lengths: [1, 2, 3], epoch: 0, step: 0) == [.init(index: 2, length: 3)]
    )
  }

  /// Mean 1/2 and variance 1/(4(2α+1)) of Beta(α, α), to five standard errors. Of 50 windows one is its own partner on
  /// average, and counts as a weight of 1.
  @Test(arguments: [0.05, 0.4, 1, 3]) func weightsFollowTheBetaDistribution(alpha: Double) {
    let mixup = Mixup(alpha: alpha, seed: 1)
    var weights: [Double] = []
    for step in 0..<400 {
      let lengths = [Int](repeating: 3, count: 50)
      weights += mixup.mixtures(of: Array(0..<50), lengths: lengths, epoch: 0, step: step).map { Double($0.weight) }
    }
    let count = Double(weights.count)
    #expect(count == 20_000 && weights.allSatisfy { $0 >= 0 && $0 <= 1 })
    let mean = weights.reduce(0, +) / count
    let variance = weights.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / count
    let expected = 0.98 / (4 * (2 * alpha + 1)) + 0.02 / 4
    #expect(abs(mean - 0.51) < 5 * (0.25 / count).squareRoot(), "\(mean)")
    #expect(abs(variance - expected) < 5 * (0.0625 / count).squareRoot(), "\(variance) for \(expected)")
  }

  @Test func labelsOfAMixtureAddUp() {
    let mixed = Mixup.labels([.init(0, 1, 2), .init(1, 1, 1)], [.init(0, 1, 2), .init(0, 2, 2)], weight: 0.75)
    #expect(mixed == [.init(0, 1, 2, 1), .init(0, 2, 2, 0.25), .init(1, 1, 1, 0.75)])
    #expect(Mixup.labels([.init(0, 1, 2)], [.init(0, 1, 1)], weight: 0) == [.init(0, 1, 1)], "a share of 0 is no label")
  }

  @Test func smoothingGivesEachTypeItsShare() {
    // 2 windows of 3 and 2 tokens: 6 + 3 triangular cells; type 0 has two of them, type 1 none, type 2 one.
    let lists: [[PairLabel]] = [[.init(0, 1, 1), .init(2, 1, 3)], [.init(0, 1, 2)]]
    let shares = LabelSmoothing.shares(of: lists, lengths: [5, 4], types: 3, triangular: true)
    #expect(shares == [2.0 / 9, 0, 1.0 / 9])
    #expect(LabelSmoothing.shares(of: lists, lengths: [5, 4], types: 3, triangular: false) == [2.0 / 13, 0, 1.0 / 13])
    #expect(LabelSmoothing.shares(of: [], lengths: [2], types: 2, triangular: false) == [0, 0])
    let smoothing = LabelSmoothing(epsilon: 0.1, shares: shares)
    #expect(smoothing.background.map { ($0 * 9e4).rounded() } == [2e3, 0, 1e3])
    let smooth = smoothing.smooth([.init(0, 1, 1), .init(1, 1, 1, 0.5), .init(2, 1, 3)])
    for (label, expected) in zip(smooth, [0.9 + 0.2 / 9, 0.45, 0.9 + 0.1 / 9]) {
      #expect(abs(Double(label.value) - expected) < 1e-6)
    }
    #expect(LabelSmoothing(epsilon: 0, shares: shares).smooth(lists[0]) == lists[0])
    #expect(LabelSmoothing(epsilon: 0, shares: shares).background == [0, 0, 0])
  }
}
