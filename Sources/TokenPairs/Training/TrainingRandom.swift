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

extension HeadParameters {
  /// The heads of a model that has learned nothing: the span head, then the head and tail heads of links if there are
  /// links.
  ///
  /// Every number is uniform in ±1/√inputs, as in PyTorch's `nn.Linear`: `(2 u - 1) · (1/√inputs)`, `u` having 24
  /// bits, in float32. They are drawn from one generator, head after head: the projection's weights, row major, its bias,
  /// then those of the bias layer.
  ///
  /// - Parameters:
  ///   - recipe: says their kind and size, and the seed.
  ///   - inventory: says how many types they have.
  ///   - hiddenSize: the width of the encoder's output.
  /// - Returns: one head for entities, three for relations and events.
  package static func initial(
    _ recipe: TrainingRecipe, _ inventory: LabelInventory, hiddenSize: Int
  ) -> [HeadParameters] {
    var generator = TrainingRandom.generator(seed: recipe.seed, .parameters)
    func head(types: Int, rope: Bool, triangular: Bool) -> HeadParameters {
      let shape = HeadShape(
        kind: recipe.head, types: types, headSize: recipe.headSize, rope: rope, triangular: triangular)
      let projection = LayerParameters.initial(
        outputs: shape.projectionWidth, inputs: hiddenSize, from: &generator)
      guard shape.kind == .efficient else { return HeadParameters(shape, projection: projection) }
      let bias = LayerParameters.initial(
        outputs: 2 * types, inputs: shape.biasInputs(hiddenSize: hiddenSize), from: &generator)
      return HeadParameters(shape, projection: projection, bias: bias)
    }
    var heads = [head(types: inventory.labels.count, rope: true, triangular: true)]
    if !inventory.links.isEmpty {
      // Pairs of first tokens have no order in a relation; in an event each pair is scored once.
      for _ in 0..<2 {
        heads.append(head(types: inventory.links.count, rope: false, triangular: recipe.task == .events))
      }
    }
    return heads
  }
}

extension LayerParameters {
  fileprivate static func initial(outputs: Int, inputs: Int, from generator: inout SplitMix64) -> LayerParameters {
    let bound = Float(1 / Double(inputs).squareRoot())
    func draw(_ count: Int) -> [Float] { (0..<count).map { _ in (2 * generator.float() - 1) * bound } }
    let weights = draw(outputs * inputs)
    return LayerParameters(weights: weights, bias: draw(outputs), outputs: outputs, inputs: inputs)
  }
}
