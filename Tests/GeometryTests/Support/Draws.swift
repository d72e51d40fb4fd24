import Engine
import Foundation
import Geometry

/// Test data by seed.
enum Draws {
  /// Standard normal elements (Box and Muller).
  static func gaussian(_ count: Int, _ dimension: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    func uniform() -> Double { (Double(generator.next() >> 11) + 0.5) * 0x1p-53 }
    return (0..<count * dimension).map { _ in
      Float((-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()))
    }
  }

  /// Uniform elements in 0 ..< 1.
  static func uniform(_ count: Int, _ dimension: Int, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<count * dimension).map { _ in Float(generator.next() >> 40) * 0x1p-24 }
  }

  /// Whole numbers from 1 to `largest`.
  static func integers(_ count: Int, _ dimension: Int, largest: UInt64, seed: UInt64) -> [Float] {
    var generator = SplitMix64(seed: seed)
    return (0..<count * dimension).map { _ in Float(1 + generator.next() % largest) }
  }

  /// Copies of a few vectors in any order, each element off by up to `spread`.
  static func copies(
    of originals: Int, _ count: Int, _ dimension: Int, spread: Float = 0, seed: UInt64
  ) -> [Float] {
    let base = gaussian(originals, dimension, seed: seed)
    var generator = SplitMix64(seed: seed + 1)
    return (0..<count).flatMap { _ in
      let first = Int(generator.next() % UInt64(originals)) * dimension
      return base[first..<first + dimension].map { $0 + spread * Float(generator.next() >> 40) * 0x1p-24 }
    }
  }
}
