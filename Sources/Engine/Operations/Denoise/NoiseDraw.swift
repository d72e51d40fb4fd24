/// Normal noise, alone or on top of a known image: `y = A·base + C·z`, and `out = mask·out + (1 - mask)·y`.
package struct NoiseDraw: Sendable {
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

  func validate() throws(EngineError) {
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
}
