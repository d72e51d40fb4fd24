internal import Engine

extension SplitMix64 {
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
