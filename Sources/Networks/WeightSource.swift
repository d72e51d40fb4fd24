internal import Engine
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
    // Of all weights only normalisations' are vectors.
    if shape.count == 1 && name.hasSuffix(".weight") { return [Float](repeating: 1, count: count) }
    var generator = SplitMix64(seed: name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    let limit = 0.02 * Float(3).squareRoot()
    return (0..<count).map { _ in Float.random(in: -limit...limit, using: &generator) }
  }
}
