package import Engine
package import Networks

/// A corrector step of annealed Langevin dynamics (Song et al., 2021), each sample with a step size of its own:
/// `x ← x + step·s + √(2·step)·z`, `step = 2·factor·(signalToNoise·‖z‖/‖s‖)²`, `s = -(pe·x + qe·o)/σ`.
package struct LangevinStep: DeviceOperation {
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

  package func validate() throws(EngineError) {
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

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let row = try coefficients.reader(memory)
    let normal = try noise.normal(memory)
    let samples = try memory.floats(x)
    let answers = try memory.floats(output)
    let elements = batch.elements
    for sample in 0..<batch.samples {
      let c = row(sample)
      let z = (0..<elements).map { normal(sample, $0) }
      let score = (0..<elements).map { e in
        -(c(.epsilonFromSample) * Double(samples[sample * elements + e])
          + c(.epsilonFromOutput) * Double(answers[sample * outputWidth + e])) / c(.sigma)
      }
      func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      let ratio = norm(score) > 0 ? Double(signalToNoise) * norm(z) / norm(score) : 0
      let size = 2 * Double(factor) * ratio * ratio
      for e in 0..<elements {
        let at = sample * elements + e
        samples[at] = Float(Double(samples[at]) + size * score[e] + (2 * size).squareRoot() * z[e])
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "denoise/langevin.cl", "langevin_step", tiles,
        arguments: coefficients.arguments() + [
          "x": .tensor(x), "o": .tensor(output), "output_stride": .int(outputWidth),
          "identities": .tensor(noise.identities), "elements": .int(batch.elements), "noise_step": .int(noise.step),
          "stream": .int(noise.stream.rawValue), "snr": .float(signalToNoise), "factor": .float(factor),
        ],
        groups: [batch.samples], groupSize: tiles.rowGroup)
    ]
  }
}
