internal import Engine
internal import Foundation

/// The batches of a training: which windows each step learns from, and what is true of them. The same seed gives the same
/// batches, whichever of them is asked for first.
package struct BatchPlan: Sendable {
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
  package init(_ windows: [LabelledWindow], heads: [HeadShape], recipe: TrainingRecipe) {
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

/// What one step of a training learns from.
package struct TrainingBatch: Sendable, Hashable {
  /// A window of the training data, or a mixture of two.
  package struct Window: Sendable, Hashable {
    /// The window's number among the training data's windows.
    package var index: Int
    /// The window it is mixed with; nil if it is not.
    package var partner: Int?
    /// The window's share `w` of the mixture, its partner's being `1 - w`: features and labels both are
    /// `w · a + (1 - w) · b`. 1 without a partner.
    package var weight: Float
    /// Tokens: those of the longer of the two. Rows that the shorter one lacks are zero.
    package var length: Int

    package init(index: Int, partner: Int? = nil, weight: Float = 1, length: Int) {
      self.index = index
      self.partner = partner
      self.weight = weight
      self.length = length
    }
  }

  package var windows: [Window]
  /// For each head, in the order of the model's heads, what is true of the windows.
  package var labels: [HeadLabels]

  package init(windows: [Window], labels: [HeadLabels]) {
    self.windows = windows
    self.labels = labels
  }

  /// Tokens of all windows.
  package var tokens: Int { windows.reduce(0) { $0 + $1.length } }
}

/// A head's labels for the windows of a batch, mixed and smoothed.
package struct HeadLabels: Sendable, Hashable {
  /// For each window, the cells that are labelled, each once, sorted by type, row and column.
  package var cells: [[PairLabel]]
  /// For each type, the label of all cells that are not listed: 0 without label smoothing.
  package var background: [Float]

  package init(cells: [[PairLabel]], background: [Float]) {
    self.cells = cells
    self.background = background
  }
}

/// Mixes windows and their labels (Zhang et al., "mixup", 2018): the hidden states of a window are what is mixed.
///
/// Within a batch of `m` windows, window `i` is mixed with window `π(i)`, `π` being a permutation drawn as that of an
/// epoch is; then each window in turn draws its weight from `Beta(α, α)` by Jöhnk's method: `x = ln(u) / α`,
/// `y = ln(v) / α` with `u`, then `v` uniform in (0, 1], until `e^x + e^y <= 1`; the weight is `e^x / (e^x + e^y)`.
/// A window that is its own partner stays as it is, and draws its weight all the same. A mixture is as long as the longer
/// of the two; past the end of the shorter one the longer is mixed with nothing, and where the shorter has its end mark
/// there are cells like any other.
struct Mixup: Sendable {
  let alpha: Double
  let seed: UInt64

  /// The mixtures of a batch.
  /// - Parameters:
  ///   - indices: the batch's windows.
  ///   - lengths: tokens of all windows of the training data.
  ///   - epoch: from 0.
  ///   - step: the batch's number in its epoch, from 0.
  /// - Returns: the mixtures, one a window; the windows themselves if α is 0.
  func mixtures(of indices: [Int], lengths: [Int], epoch: Int, step: Int) -> [TrainingBatch.Window] {
    guard alpha > 0 else { return indices.map { TrainingBatch.Window(index: $0, length: lengths[$0]) } }
    var generator = TrainingRandom.generator(seed: seed, .mixing, epoch, step)
    let partners = generator.permutation(of: indices.count)
    return indices.enumerated().map { place, index in
      let weight = Float(generator.beta(alpha))
      let partner = indices[partners[place]]
      guard partner != index, weight < 1 else { return TrainingBatch.Window(index: index, length: lengths[index]) }
      return TrainingBatch.Window(
        index: index, partner: partner, weight: weight, length: max(lengths[index], lengths[partner]))
    }
  }

  /// The labels of a mixture: each cell once, in order.
  static func labels(_ own: [PairLabel], _ partner: [PairLabel], weight: Float) -> [PairLabel] {
    var values: [PairLabel: Float] = [:]
    func add(_ labels: [PairLabel], _ share: Float) {
      for label in labels {
        var cell = label
        cell.value = 0
        values[cell, default: 0] += share * label.value
      }
    }
    add(own, weight)
    add(partner, 1 - weight)
    return values.map { cell, value in
      var label = cell
      // Two shares of one cell may round to a little more than they were.
      label.value = min(value, 1)
      return label
    }
    .filter { $0.value > 0 }.sorted(by: PairLabel.precedes)
  }
}

extension SplitMix64 {
  /// A number from `Beta(alpha, alpha)`, by Jöhnk's method on logarithms, since powers of small shapes underflow.
  fileprivate mutating func beta(_ alpha: Double) -> Double {
    while true {
      let x = log(1 - double()) / alpha
      let y = log(1 - double()) / alpha
      let highest = max(x, y)
      let sum = highest + log(exp(x - highest) + exp(y - highest))
      if sum <= 0 { return exp(x - sum) }
    }
  }
}

/// Smooths labels type by type: a label `t` becomes `(1 - ε) t + ε p`, `p` being the share of the type's cells that are
/// labelled in the training data.
///
/// Smoothing with one constant for all cells would drown the few labelled cells of n² in the rest; the share of a rare
/// type is small.
struct LabelSmoothing: Sendable, Hashable {
  private let epsilon: Double
  /// For each type, ε p.
  let background: [Float]

  /// - Parameters:
  ///   - epsilon: ε, from 0 to below 1.
  ///   - shares: p of each type.
  init(epsilon: Double, shares: [Double]) {
    self.epsilon = epsilon
    background = shares.map { Float(epsilon * $0) }
  }

  /// The listed labels, smoothed.
  func smooth(_ labels: [PairLabel]) -> [PairLabel] {
    guard epsilon > 0 else { return labels }
    return labels.map { label in
      var label = label
      label.value = min(1, Float(1 - epsilon) * label.value + background[label.type])
      return label
    }
  }

  /// The share of each type's cells that are labelled.
  /// - Parameters:
  ///   - lists: each window's labels, none of them twice.
  ///   - lengths: each window's tokens, CLS and SEP included.
  ///   - types: how many there are.
  ///   - triangular: whether only cells whose row is not after their column count.
  /// - Returns: shares, one a type.
  static func shares(of lists: [[PairLabel]], lengths: [Int], types: Int, triangular: Bool) -> [Double] {
    // CLS and SEP never score.
    let cells = lengths.reduce(0.0) { sum, length in
      let n = Double(max(0, length - 2))
      return sum + (triangular ? n * (n + 1) / 2 : n * n)
    }
    var counts = [Double](repeating: 0, count: types)
    for label in lists.joined() { counts[label.type] += 1 }
    return counts.map { cells == 0 ? 0 : $0 / cells }
  }
}
