/// The batches of a training: which windows each step learns from, and what is true of them. The same seed gives the same
/// batches, whichever of them is asked for first.
package struct BatchPlan: Sendable {
  /// What of a head decides which cells it scores.
  package struct Head: Sendable, Hashable {
    package let types: Int
    package let triangular: Bool

    package init(types: Int, triangular: Bool) {
      self.types = types
      self.triangular = triangular
    }
  }

  /// Windows that teach something: those with a token between CLS and SEP.
  private let indices: [Int]
  private let lengths: [Int]
  /// For each head, each window's labels.
  private let labels: [[[PairLabel]]]
  private let smoothing: [LabelSmoothing]
  private let mixup: Mixup
  private let batchSize: Int
  private let seed: UInt64
  /// Steps of an epoch; the last may have fewer windows.
  package let stepsPerEpoch: Int

  /// - Parameters:
  ///   - windows: the training data's windows.
  ///   - heads: the model's heads, in their order: one for entities, three for relations and events.
  ///   - recipe: batch size, seed, mixing and smoothing.
  package init(_ windows: [LabelledWindow], heads: [Head], recipe: TrainingRecipe) {
    lengths = windows.map(\.ids.count)
    indices = windows.indices.filter { windows[$0].ids.count > 2 }
    batchSize = recipe.batchSize
    seed = recipe.seed
    mixup = Mixup(alpha: recipe.mixupAlpha, seed: recipe.seed)
    stepsPerEpoch = (indices.count + batchSize - 1) / batchSize
    let lists = windows.map { $0.labels.lists(links: heads.count > 1) }
    labels = heads.indices.map { head in lists.map { $0[head] } }
    var smoothing: [LabelSmoothing] = []
    for (head, labels) in zip(heads, labels) {
      let shares = LabelSmoothing.shares(of: labels, lengths: lengths, types: head.types, triangular: head.triangular)
      smoothing.append(LabelSmoothing(epsilon: recipe.labelSmoothing, shares: shares))
    }
    self.smoothing = smoothing
  }

  /// The batches of an epoch, from 0, without their labels: the windows in their order, cut into parts.
  package func parts(epoch: Int) -> [[Int]] {
    let order = TrainingRandom.order(count: indices.count, seed: seed, epoch: epoch).map { indices[$0] }
    return stride(from: 0, to: order.count, by: batchSize).map {
      Array(order[$0..<min($0 + batchSize, order.count)])
    }
  }

  /// A batch with its labels.
  /// - Parameters:
  ///   - part: the batch's windows, one of `parts(epoch:)`.
  ///   - epoch: from 0.
  ///   - step: the part's number, from 0.
  /// - Returns: the batch, mixed and smoothed.
  package func batch(_ part: [Int], epoch: Int, step: Int) -> TrainingBatch {
    let windows = mixup.mixtures(of: part, lengths: lengths, epoch: epoch, step: step)
    let labels = zip(labels, smoothing).map { lists, smoothing in
      let cells = windows.map { window in
        let mixed = window.partner.map { Mixup.labels(lists[window.index], lists[$0], weight: window.weight) }
        return smoothing.smooth(mixed ?? lists[window.index])
      }
      return HeadLabels(cells: cells, background: smoothing.background)
    }
    return TrainingBatch(windows: windows, labels: labels)
  }
}
