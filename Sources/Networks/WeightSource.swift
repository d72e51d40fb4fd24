package import ModelFiles

/// Where a network's tensors come from.
package protocol WeightSource: Sendable {
  /// A tensor's elements, widened, row major.
  /// - Throws: `ModelFileError` if there is none of that name, or it has another shape.
  func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float]
}

extension Checkpoint: WeightSource {}

/// Weights as a fresh network has them, for measuring shapes that no file is at hand for.
package struct RandomWeights: WeightSource {
  private let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// Uniform with a standard deviation of 0.02; the gains of normalisations are 1.
  package func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float] {
    let count = shape.reduce(1, *)
    if name.hasSuffix("LayerNorm.weight") { return [Float](repeating: 1, count: count) }
    var generator = SplitMix64(seed: name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    let limit = 0.02 * Float(3).squareRoot()
    return (0..<count).map { _ in Float.random(in: -limit...limit, using: &generator) }
  }
}

/// A small generator of random numbers that a seed determines (Steele, Lea, Flood, 2014).
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
