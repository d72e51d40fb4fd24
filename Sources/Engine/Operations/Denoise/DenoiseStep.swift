/// One step of any sampler: `x0 = clip(p·x + q·o)`, `ε = pe·x + qe·o`, then
/// `x' = A·x + B0·x0 + E·ε + Σ H_k·history_k + C·√V·z`.
package struct DenoiseStep: Sendable {
  /// What is done to x0 before it is used.
  package enum Clip: Sendable {
    case none
    /// To ± the row's limit.
    case fixed
    /// To ± each sample's threshold, then divided by it: `[samples]`, from `AbsoluteQuantile`.
    case thresholds(Tensor)
  }

  package var batch: SampleBatch
  package var coefficients: CoefficientRows
  package var x: Tensor
  /// The denoiser's output, `[samples, outputWidth]`; without one p, q, B0 and E do nothing.
  package var output: Tensor?
  /// Elements between two samples' outputs: twice the sample's with a second head.
  package var outputWidth: Int
  /// x'; may be x.
  package var next: Tensor
  package var history: [Tensor] = []
  package var keptX0: Tensor?
  package var keptEpsilon: Tensor?
  package var clip = Clip.none
  package var noise: NoiseSource?
  package var variance = NoiseVariance.fixed

  package init(
    _ batch: SampleBatch, _ coefficients: CoefficientRows, x: Tensor, output: Tensor?, outputWidth: Int? = nil,
    into next: Tensor
  ) {
    self.batch = batch
    self.coefficients = coefficients
    self.x = x
    self.output = output
    self.outputWidth = outputWidth ?? batch.elements
    self.next = next
  }

  func validate() throws(EngineError) {
    let name: StaticString = "denoising step"
    try batch.validate(name)
    try coefficients.validate(name, samples: batch.samples)
    try require(x, holds: batch.count, name, "the sample")
    try require(next, holds: batch.count, name, "the result")
    try require(history.count <= 3, name, "a step has at most 3 history terms, not \(history.count)")
    for tensor in history { try require(tensor, holds: batch.count, name, "a history term") }
    if let output {
      try batch.validate(output: output, width: outputWidth, heads: variance == .fixed ? 1 : 2, name)
      try require(output, isNot: next, name)
    } else {
      try require(
        keptX0 == nil && keptEpsilon == nil && variance == .fixed, name,
        "without an output there is no x0, no ε and no learned variance")
    }
    for kept in [keptX0, keptEpsilon].compactMap({ $0 }) {
      try require(kept, holds: batch.count, name, "a kept prediction")
      try require(kept, isNot: next, name)
      try require(kept, isNot: x, name)
    }
    if let keptX0, let keptEpsilon { try require(keptX0, isNot: keptEpsilon, name) }
    if case .thresholds(let tensor) = clip { try require(tensor, holds: batch.samples, name, "the thresholds") }
    if let noise { try noise.validate(name, batch) }
    try require(noise != nil || variance == .fixed, name, "a learned variance needs noise to scale")
  }
}

/// Where the variance V of a step's noise comes from; v0, v1, v2 stand in the coefficients, w is the second head.
package enum NoiseVariance: Int, Sendable, Hashable {
  /// V = 1
  case fixed = 0
  /// `V = exp(f·v1 + (1 - f)·v0)`, `f = (w + 1) / 2` (Nichol and Dhariwal, 2021)
  case learnedRange
  /// `V = v0 + v1 · clip(v2·w, 0, 1)` (NPR-DPM, Bao et al., 2022)
  case noiseResidual
  /// `V = v0 + v1 · clip(v2·(w - ε²), 0, 1)` (SN-DPM)
  case noiseSquare
}
