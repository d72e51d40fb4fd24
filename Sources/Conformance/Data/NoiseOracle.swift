internal import Diffusion
internal import Engine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// e to the power x.
func exponential(_ x: Double) -> Double { exp(x) }

/// The noise a sample must get, in Double, by a way of its own: counters as arrays, angles as they come.
struct NoiseOracle {
  let identities: [SampleIdentity]
  let step: Int
  let stream: NoiseSource.Stream

  func normal(_ sample: Int, _ element: Int) -> Double {
    let who = identities[sample]
    var word = [UInt32(element / 4), UInt32(step), who.sample, UInt32(stream.rawValue)]
    var key = [UInt32(truncatingIfNeeded: who.seed), UInt32(truncatingIfNeeded: who.seed >> 32)]
    for _ in 0..<10 {
      let first = UInt64(0xD251_1F53) * UInt64(word[0])
      let second = UInt64(0xCD9E_8D57) * UInt64(word[2])
      word = [
        UInt32(second >> 32) ^ word[1] ^ key[0], UInt32(truncatingIfNeeded: second),
        UInt32(first >> 32) ^ word[3] ^ key[1], UInt32(truncatingIfNeeded: first),
      ]
      key = [key[0] &+ 0x9E37_79B9, key[1] &+ 0xBB67_AE85]
    }
    let pair = element % 4 / 2
    let u = word.map { Double(Float($0) * 0x1p-32 + 0x1p-33) }
    let radius = sqrt(-2 * log(u[2 * pair]))
    let angle = 2 * Double.pi * u[2 * pair + 1]
    return radius * (element.isMultiple(of: 2) ? cos(angle) : sin(angle))
  }
}
