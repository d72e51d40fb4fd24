internal import Engine
internal import Foundation

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
