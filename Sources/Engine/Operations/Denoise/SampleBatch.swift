/// Samples that lie one after the other: tensors of `[samples, elements]`.
package struct SampleBatch: Sendable, Hashable {
  package let samples: Int
  /// Numbers a sample has.
  package let elements: Int

  package init(samples: Int, elements: Int) {
    self.samples = samples
    self.elements = elements
  }

  package var count: Int { samples * elements }

  func validate(_ name: StaticString) throws(EngineError) {
    try require(
      samples > 0 && elements > 0 && samples <= indexLimit && elements <= indexLimit - 4096, name,
      "\(samples) samples of \(elements) elements cannot be indexed")
  }

  /// Checks that an output has room for `heads` heads of each sample, `width` elements apart.
  func validate(output: Tensor, width: Int, heads: Int, _ name: StaticString) throws(EngineError) {
    try require(
      width >= heads * elements && width <= indexLimit, name,
      "outputs of \(width) elements do not hold \(heads) × \(elements)")
    try require(output, holds: (samples - 1) * width + heads * elements, name, "the output")
  }
}

/// A tensor with an entry for each sample, or one that all samples share.
package struct PerSample: Sendable {
  package let tensor: Tensor
  package let isShared: Bool

  package init(_ tensor: Tensor, isShared: Bool) {
    self.tensor = tensor
    self.isShared = isShared
  }

  func validate(
    _ operation: StaticString, _ name: StaticString, _ batch: SampleBatch
  ) throws(EngineError) {
    try require(tensor, holds: isShared ? batch.elements : batch.count, operation, name)
  }
}

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

  func validate(_ name: StaticString, _ batch: SampleBatch) throws(EngineError) {
    try require(identities, holds: 4 * batch.samples, name, "the identities", of: .int32)
    try require(step >= 0 && step <= indexLimit, name, "the noise's step \(step) is out of range")
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
