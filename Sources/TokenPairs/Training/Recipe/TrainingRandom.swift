internal import Engine

/// The random numbers of a training. They depend on the seed and on what they are for, never on what was drawn before, so
/// that a training goes on after an interruption as if there had been none.
///
/// A generator's seed is made of the training's by `k ← SplitMix64(seed: k XOR n).next()`, starting from `k = seed`, for
/// each of the numbers `n` that say what it is for: 1 for the initial parameters; 2 and the epoch for the order of the
/// windows; 3, the epoch and the batch for mixing. Epochs and batches count from 0.
package enum TrainingRandom {
  enum Purpose: UInt64 {
    case parameters = 1
    case order = 2
    case mixing = 3
  }

  static func generator(seed: UInt64, _ purpose: Purpose, _ numbers: Int...) -> SplitMix64 {
    var key = seed
    for number in [purpose.rawValue] + numbers.map({ UInt64($0) }) {
      var generator = SplitMix64(seed: key ^ number)
      key = generator.next()
    }
    return SplitMix64(seed: key)
  }

  /// The order of `count` windows in an epoch, by Fisher and Yates: for i from the last place down to 1, the items at i
  /// and `next() mod (i + 1)` change places.
  package static func order(count: Int, seed: UInt64, epoch: Int) -> [Int] {
    var generator = generator(seed: seed, .order, epoch)
    return generator.permutation(of: count)
  }
}

extension SplitMix64 {
  /// The numbers from 0 in a random order.
  mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for place in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(place, Int(next() % UInt64(place + 1)))
    }
    return order
  }

  /// Uniform in [0, 1), with 24 bits: `(next() >> 40) · 2^-24`.
  mutating func float() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in [0, 1), with 53 bits: `(next() >> 11) · 2^-53`.
  mutating func double() -> Double { Double(next() >> 11) * 0x1p-53 }
}
