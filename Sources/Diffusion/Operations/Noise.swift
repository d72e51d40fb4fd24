public import Engine
internal import Foundation
package import Networks

/// Whose noise is drawn, and which: the counter and key of Philox4x32-10 are (element / 4, step, sample id, stream) and
/// the seed (Salmon et al., 2011).
package struct NoiseSource: Sendable {
  /// Uses of noise that must not meet.
  package enum Stream: Int, Sendable {
    case initial = 0
    case step
    case corrector
    case probe
    case mask
    case forward
  }

  /// `[samples, 4]` int32: the seed's low and high word, the sample's id, 0.
  package let identities: Tensor
  package let step: Int
  package let stream: Stream

  package init(_ identities: Tensor, step: Int, stream: Stream) {
    self.identities = identities
    self.step = step
    self.stream = stream
  }

  package func validate(_ name: StaticString, _ batch: SampleBatch) throws(EngineError) {
    try require(identities, holds: 4 * batch.samples, name, "the identities", of: .int32)
    try require(step >= 0 && step <= indexLimit, name, "the noise's step \(step) is out of range")
  }

  /// Draws a sample's noise.
  package func normal(_ memory: HostMemory) throws(EngineError) -> (_ sample: Int, _ element: Int) -> Double {
    let words = try memory.integers(identities)
    return { sample, element in
      let key = (UInt32(bitPattern: words[4 * sample]), UInt32(bitPattern: words[4 * sample + 1]))
      let four = Philox.normals(
        counter: UInt32(element / 4), step: UInt32(step), sample: UInt32(bitPattern: words[4 * sample + 2]),
        stream: UInt32(stream.rawValue), key: key)
      return Double(four[element % 4])
    }
  }
}

/// One sample's part of the key of its noise.
package struct SampleIdentity: Sendable, Hashable {
  package let seed: UInt64
  package let sample: UInt32

  package init(seed: UInt64, sample: UInt32) {
    self.seed = seed
    self.sample = sample
  }

  /// What the kernels read.
  package var words: [Int32] {
    [Int32(truncatingIfNeeded: seed), Int32(truncatingIfNeeded: seed >> 32), Int32(bitPattern: sample), 0]
  }
}

/// Normal noise, alone or on top of a known image: `y = A·base + C·z`, and `out = mask·out + (1 - mask)·y`.
package struct NoiseDraw: DeviceOperation {
  package var batch: SampleBatch
  package var coefficients: CoefficientRows
  package var noise: NoiseSource
  package var base: PerSample?
  /// 1 where `out` stays, 0 where it is replaced.
  package var mask: PerSample?
  package var out: Tensor

  package init(
    _ batch: SampleBatch, _ coefficients: CoefficientRows, _ noise: NoiseSource, base: PerSample? = nil,
    mask: PerSample? = nil, into out: Tensor
  ) {
    self.batch = batch
    self.coefficients = coefficients
    self.noise = noise
    self.base = base
    self.mask = mask
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "noise"
    try batch.validate(name)
    try coefficients.validate(name, samples: batch.samples)
    try noise.validate(name, batch)
    try require(out, holds: batch.count, name, "the result")
    if let base {
      try base.validate(name, "the base", batch)
      try require(!base.isShared || base.tensor.storage !== out.storage, name, "a shared base cannot be the result")
    }
    if let mask {
      try mask.validate(name, "the mask", batch)
      try require(out, isNot: mask.tensor, name)
    }
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let row = try coefficients.reader(memory)
    let normal = try noise.normal(memory)
    let under = try base.map { (base) throws(EngineError) in try base.reader(memory, batch) }
    let keeps = try mask.map { (mask) throws(EngineError) in try mask.reader(memory, batch) }
    let result = try memory.floats(out)
    for sample in 0..<batch.samples {
      let c = row(sample)
      for e in 0..<batch.elements {
        var y = c(.noise) * normal(sample, e)
        if let under { y += c(.sample) * under(sample, e) }
        let at = sample * batch.elements + e
        if let keeps {
          let kept = keeps(sample, e)
          y = kept * Double(result[at]) + (1 - kept) * y
        }
        result[at] = Float(y)
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    var defines: [String: String] = [:]
    if base != nil { defines["DN_BASE"] = "1" }
    if mask != nil { defines["DN_MASK"] = "1" }
    let none = PerSample(out, isShared: true)
    let groups = batch.groupsPerSample(tiles)
    return [
      KernelLaunch(
        "denoise/noise.cl", "draw_noise", tiles, defines: defines,
        arguments: coefficients.arguments() + ["identities": .tensor(noise.identities)]
          + (base ?? none).arguments("base", batch) + (mask ?? none).arguments("mask", batch) + [
            "out": .tensor(out), "elements": .int(batch.elements), "groups_per_sample": .int(groups),
            "noise_step": .int(noise.step), "stream": .int(noise.stream.rawValue),
          ],
        groups: [groups * batch.samples], groupSize: tiles.rowGroup)
    ]
  }
}

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

extension Engine {
  /// Standard normal latents: latent i is the noise that sample i of the seed starts from when samples are drawn.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - dimension: elements of each.
  ///   - seed: which.
  /// - Returns: the latents.
  /// - Throws: `DiffusionError` if there are none or too many; `EngineError` if the device has no room.
  public func gaussianLatents(count: Int, dimension: Int, seed: UInt64) async throws -> Vectors {
    try require(count > 0 && dimension > 0, "\(count) latents of dimension \(dimension) cannot be drawn")
    try require(
      count <= Int(Int32.max) && dimension <= Int(Int32.max) / 2,
      "\(count) latents of dimension \(dimension) are too many")
    var elements: [Float] = []
    elements.reserveCapacity(count * dimension)
    // A part at a time: a device need not hold all.
    let part = max(1, (1 << 24) / dimension)
    for first in stride(from: 0, to: count, by: part) {
      try Task.checkCancellation()
      elements += try await gaussianLatents(first..<min(first + part, count), dimension: dimension, seed: seed)
    }
    return try Vectors(elements, dimension: dimension)
  }

  private func gaussianLatents(
    _ samples: Range<Int>, dimension: Int, seed: UInt64
  ) async throws(EngineError) -> [Float] {
    let batch = SampleBatch(samples: samples.count, elements: dimension)
    var row = CoefficientRow()
    row[.noise] = 1
    let table = try makeTensor(.float32, 1, CoefficientRow.width)
    let identities = try makeTensor(.int32, samples.count, 4)
    let out = try makeTensor(.float32, samples.count, dimension)
    var submission = Submission()
    try submission.upload(.float32(row.elements), to: table)
    let words = samples.flatMap { SampleIdentity(seed: seed, sample: UInt32($0)).words }
    try submission.upload(.int32(words), to: identities)
    let noise = NoiseSource(identities, step: 0, stream: .initial)
    try submission.append(NoiseDraw(batch, CoefficientRows(table), noise, into: out))
    try submission.download(out)
    return try await run(submission)[0].floats
  }
}
