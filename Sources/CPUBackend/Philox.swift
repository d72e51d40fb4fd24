internal import Foundation

/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011): 128 bits of counter and 64 of key to 128 random bits.
package enum Philox {
  /// The four words for a counter and a key.
  package static func words(
    counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var (x0, x1, x2, x3) = counter
    var (low, high) = key
    for _ in 0..<10 {
      let first = x0.multipliedFullWidth(by: 0xD251_1F53)
      let second = x2.multipliedFullWidth(by: 0xCD9E_8D57)
      (x0, x1, x2, x3) = (second.high ^ x1 ^ low, second.low, first.high ^ x3 ^ high, first.low)
      low &+= 0x9E37_79B9
      high &+= 0xBB67_AE85
    }
    return (x0, x1, x2, x3)
  }

  /// The normals of elements 4c … 4c + 3 by Box and Muller, from the interval's middle `x·2⁻³² + 2⁻³³` as a float.
  package static func normals(
    counter: UInt32, step: UInt32, sample: UInt32, stream: UInt32, key: (UInt32, UInt32)
  ) -> [Float] {
    let x = words(counter: (counter, step, sample, stream), key: key)
    func uniform(_ word: UInt32) -> Double { Double(Float(word) * 0x1p-32 + 0x1p-33) }
    func pair(_ a: UInt32, _ b: UInt32) -> [Float] {
      let radius = (-2 * log(uniform(a))).squareRoot()
      let turns = uniform(b)
      return [Float(radius * cosine(turns)), Float(radius * cosine(turns - 0.25))]
    }
    return pair(x.0, x.1) + pair(x.2, x.3)
  }

  /// cos(2π t), with the quarter turns taken off first so that its zeros are exact.
  private static func cosine(_ turns: Double) -> Double {
    let quarters = (4 * turns).rounded()
    let rest = 2 * Double.pi * (turns - quarters / 4)
    switch Int(quarters) & 3 {
    case 0: return cos(rest)
    case 1: return -sin(rest)
    case 2: return -cos(rest)
    default: return sin(rest)
    }
  }
}
