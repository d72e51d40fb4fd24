/// The generator of Steele, Lea and Flood ("Fast splittable pseudorandom number generators", 2014):
/// the same numbers from the same seed everywhere.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in -1 ... 1, with all the bits a float has.
  mutating func uniform() -> Float { Float(Int64(bitPattern: next()) >> 39) / 16_777_216 }

  /// One of -1, -7/8, ..., 7/8, 1: sums of their products are exact in float32.
  mutating func eighth() -> Float { Float(Int(next() % 17) - 8) / 8 }

  mutating func index(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// How elements are drawn.
enum Draw: Sendable {
  /// Uniform in -1 ... 1: results carry rounding errors.
  case uniform
  /// Multiples of 1/8 in -1 ... 1: products and their sums are exact, so results are known to the bit.
  case exact

  func callAsFunction(_ generator: inout SplitMix64) -> Float {
    switch self {
    case .uniform: generator.uniform()
    case .exact: generator.eighth()
    }
  }

  func callAsFunction(_ count: Int, _ generator: inout SplitMix64) -> [Float] {
    (0..<count).map { _ in self(&generator) }
  }
}
