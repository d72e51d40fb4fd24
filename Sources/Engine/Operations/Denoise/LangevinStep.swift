/// A corrector step of annealed Langevin dynamics (Song et al., 2021), each sample with a step size of its own:
/// `x ← x + step·s + √(2·step)·z`, `step = 2·factor·(signalToNoise·‖z‖/‖s‖)²`, `s = -(pe·x + qe·o)/σ`.
package struct LangevinStep: Sendable {
  package var batch: SampleBatch
  package var coefficients: CoefficientRows
  /// Changed in place.
  package var x: Tensor
  package var output: Tensor
  package var outputWidth: Int
  package var noise: NoiseSource
  package var signalToNoise: Float
  package var factor: Float

  package init(
    _ batch: SampleBatch, _ coefficients: CoefficientRows, x: Tensor, output: Tensor, outputWidth: Int? = nil,
    noise: NoiseSource, signalToNoise: Float, factor: Float
  ) {
    self.batch = batch
    self.coefficients = coefficients
    self.x = x
    self.output = output
    self.outputWidth = outputWidth ?? batch.elements
    self.noise = noise
    self.signalToNoise = signalToNoise
    self.factor = factor
  }

  func validate() throws(EngineError) {
    let name: StaticString = "Langevin step"
    try batch.validate(name)
    try coefficients.validate(name, samples: batch.samples)
    try noise.validate(name, batch)
    try require(x, holds: batch.count, name, "the sample")
    try batch.validate(output: output, width: outputWidth, heads: 1, name)
    try require(x, isNot: output, name)
    try require(
      signalToNoise >= 0 && signalToNoise.isFinite && factor >= 0 && factor.isFinite, name,
      "the signal-to-noise ratio and the factor must be finite and not negative")
  }
}
