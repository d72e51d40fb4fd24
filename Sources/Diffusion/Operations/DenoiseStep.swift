package import Engine
internal import Foundation
package import Networks

/// One step of any sampler: `x0 = clip(p·x + q·o)`, `ε = pe·x + qe·o`, then
/// `x' = A·x + B0·x0 + E·ε + Σ H_k·history_k + C·√V·z`.
package struct DenoiseStep: DeviceOperation {
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

  package func validate() throws(EngineError) {
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

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let row = try coefficients.reader(memory)
    let samples = try memory.floats(x)
    let answers = try output.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let result = try memory.floats(next)
    let earlier = try history.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let x0Result = try keptX0.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let epsilonResult = try keptEpsilon.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let normal = try noise.map { (source) throws(EngineError) in try source.normal(memory) }
    let elements = batch.elements

    for sample in 0..<batch.samples {
      let c = row(sample)
      let weights = [CoefficientColumn.history0, .history1, .history2].map { c($0) }
      for e in 0..<elements {
        let at = sample * elements + e
        var sum = c(.sample) * Double(samples[at])
        var deviation = 1.0
        if let answers {
          let o = Double(answers[sample * outputWidth + e])
          var x0 = c(.x0FromSample) * Double(samples[at]) + c(.x0FromOutput) * o
          let epsilon = c(.epsilonFromSample) * Double(samples[at]) + c(.epsilonFromOutput) * o
          switch clip {
          case .none: break
          case .fixed: x0 = min(max(x0, -c(.limit)), c(.limit))
          case .thresholds(let tensor):
            let threshold = Double(try memory.floats(tensor)[sample])
            x0 = min(max(x0, -threshold), threshold) / threshold
          }
          if variance != .fixed {
            let second = Double(answers[sample * outputWidth + elements + e])
            deviation = variance.value(c, second, epsilon).squareRoot()
          }
          sum += c(.x0) * x0 + c(.epsilon) * epsilon
          x0Result?[at] = Float(x0)
          epsilonResult?[at] = Float(epsilon)
        }
        for (weight, values) in zip(weights, earlier) { sum += weight * Double(values[at]) }
        if let normal { sum += c(.noise) * deviation * normal(sample, e) }
        result[at] = Float(sum)
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    var defines: [String: String] = [:]
    if output == nil { defines["DN_EVALUATED"] = "0" }
    if !history.isEmpty { defines["DN_HISTORY"] = "\(history.count)" }
    if noise != nil { defines["DN_NOISE"] = "1" }
    if keptX0 != nil { defines["DN_KEEP_X0"] = "1" }
    if keptEpsilon != nil { defines["DN_KEEP_EPSILON"] = "1" }
    if variance != .fixed { defines["DN_VARIANCE"] = variance.define }
    var thresholds = x
    switch clip {
    case .none: break
    case .fixed: defines["DN_CLIP"] = "DN_CLIP_LIMIT"
    case .thresholds(let tensor):
      defines["DN_CLIP"] = "DN_CLIP_THRESHOLD"
      thresholds = tensor
    }
    // What is compiled out still needs an argument: the sample stands in.
    func term(_ index: Int) -> Tensor { index < history.count ? history[index] : x }
    let groups = batch.groupsPerSample(tiles)
    return [
      KernelLaunch(
        "denoise/step.cl", "denoise_step", tiles, defines: defines,
        arguments: coefficients.arguments() + [
          "x": .tensor(x), "o": .tensor(output ?? x), "output_stride": .int(outputWidth), "next": .tensor(next),
          "history0": .tensor(term(0)), "history1": .tensor(term(1)), "history2": .tensor(term(2)),
          "kept_x0": .tensor(keptX0 ?? x), "kept_epsilon": .tensor(keptEpsilon ?? x),
          "thresholds": .tensor(thresholds), "identities": .tensor(noise?.identities ?? x),
          "elements": .int(batch.elements), "groups_per_sample": .int(groups), "noise_step": .int(noise?.step ?? 0),
          "stream": .int(noise?.stream.rawValue ?? 0),
        ],
        groups: [groups * batch.samples], groupSize: tiles.rowGroup)
    ]
  }
}

/// Where the variance V of a step's noise comes from; v0, v1, v2 stand in the coefficients, w is the second head.
package enum NoiseVariance: Sendable, Hashable {
  /// V = 1
  case fixed
  /// `V = exp(f·v1 + (1 - f)·v0)`, `f = (w + 1) / 2` (Nichol and Dhariwal, 2021)
  case learnedRange
  /// `V = v0 + v1 · clip(v2·w, 0, 1)` (NPR-DPM, Bao et al., 2022)
  case noiseResidual
  /// `V = v0 + v1 · clip(v2·(w - ε²), 0, 1)` (SN-DPM)
  case noiseSquare

  /// Its name in `Kernels/denoise/variance.clh`.
  fileprivate var define: String {
    switch self {
    case .fixed: "DN_FIXED"
    case .learnedRange: "DN_LEARNED_RANGE"
    case .noiseResidual: "DN_NOISE_RESIDUAL"
    case .noiseSquare: "DN_NOISE_SQUARE"
    }
  }

  /// V of one element, from the second head and the predicted ε.
  fileprivate func value(_ c: (CoefficientColumn) -> Double, _ second: Double, _ epsilon: Double) -> Double {
    func corrected(_ estimate: Double) -> Double {
      c(.variance0) + c(.variance1) * min(max(c(.variance2) * estimate, 0), 1)
    }
    switch self {
    case .fixed: return 1
    case .learnedRange:
      let f = (second + 1) / 2
      return exp(f * c(.variance1) + (1 - f) * c(.variance0))
    case .noiseResidual: return corrected(second)
    case .noiseSquare: return corrected(second - epsilon * epsilon)
    }
  }
}

/// Each sample's threshold for dynamic thresholding (Saharia et al., 2022): the `ratio` quantile of |p·x + q·o| over its
/// elements, interpolated linearly, and limited to 1 … the row's limit.
package struct AbsoluteQuantile: DeviceOperation {
  package var batch: SampleBatch
  package var coefficients: CoefficientRows
  package var x: Tensor
  package var output: Tensor
  package var outputWidth: Int
  package var ratio: Double
  /// `[samples]`
  package var out: Tensor

  package init(
    _ batch: SampleBatch, _ coefficients: CoefficientRows, x: Tensor, output: Tensor, outputWidth: Int? = nil,
    ratio: Double, into out: Tensor
  ) {
    self.batch = batch
    self.coefficients = coefficients
    self.x = x
    self.output = output
    self.outputWidth = outputWidth ?? batch.elements
    self.ratio = ratio
    self.out = out
  }

  /// The quantile lies between the values of rank `rank` and `rank + 1`, `fraction` of the way.
  package var position: (rank: Int, fraction: Float) {
    let exact = ratio * Double(batch.elements - 1)
    return (Int(exact), Float(exact - exact.rounded(.down)))
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "quantile"
    try batch.validate(name)
    try coefficients.validate(name, samples: batch.samples)
    try require(x, holds: batch.count, name, "the sample")
    try batch.validate(output: output, width: outputWidth, heads: 1, name)
    try require(ratio >= 0 && ratio <= 1, name, "the ratio must lie in 0 … 1, not \(ratio)")
    try require(out, holds: batch.samples, name, "the result")
    try require(out, isNot: x, name)
    try require(out, isNot: output, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let row = try coefficients.reader(memory)
    let samples = try memory.floats(x)
    let answers = try memory.floats(output)
    let result = try memory.floats(out)
    let elements = batch.elements
    let (rank, fraction) = position
    for sample in 0..<batch.samples {
      let c = row(sample)
      let magnitudes = (0..<elements).map { e in
        abs(
          c(.x0FromSample) * Double(samples[sample * elements + e])
            + c(.x0FromOutput) * Double(answers[sample * outputWidth + e]))
      }.sorted()
      let next = magnitudes[min(rank + 1, elements - 1)]
      let quantile = magnitudes[rank] + Double(fraction) * (next - magnitudes[rank])
      result[sample] = Float(min(max(quantile, 1), c(.limit)))
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "denoise/quantile.cl", "absolute_quantile", tiles,
        arguments: coefficients.arguments() + [
          "x": .tensor(x), "o": .tensor(output), "output_stride": .int(outputWidth), "thresholds": .tensor(out),
          "elements": .int(batch.elements), "rank": .int(position.rank), "fraction": .float(position.fraction),
        ],
        groups: [batch.samples], groupSize: tiles.rowGroup)
    ]
  }
}
