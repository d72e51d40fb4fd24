internal import Engine
internal import Foundation

extension CPUBackend {
  static func denoiseStep(_ step: DenoiseStep) throws(EngineError) {
    let rows = try CoefficientReader(step.coefficients)
    let x = try floats(step.x)
    let output = try step.output.map { (tensor) throws(EngineError) in try floats(tensor) }
    let next = try floats(step.next)
    let history = try step.history.map { (tensor) throws(EngineError) in try floats(tensor) }
    let keptX0 = try step.keptX0.map { (tensor) throws(EngineError) in try floats(tensor) }
    let keptEpsilon = try step.keptEpsilon.map { (tensor) throws(EngineError) in try floats(tensor) }
    let noise = try step.noise.map { (source) throws(EngineError) in try NoiseReader(source) }
    let elements = step.batch.elements

    for sample in 0..<step.batch.samples {
      let c = rows.row(of: sample)
      let weights = [CoefficientColumn.history0, .history1, .history2].map { c($0) }
      for e in 0..<elements {
        let at = sample * elements + e
        var sum = c(.sample) * Double(x[at])
        var deviation = 1.0
        if let output {
          let o = Double(output[sample * step.outputWidth + e])
          var x0 = c(.x0FromSample) * Double(x[at]) + c(.x0FromOutput) * o
          let epsilon = c(.epsilonFromSample) * Double(x[at]) + c(.epsilonFromOutput) * o
          switch step.clip {
          case .none: break
          case .fixed: x0 = min(max(x0, -c(.limit)), c(.limit))
          case .thresholds(let tensor):
            let threshold = Double(try floats(tensor)[sample])
            x0 = min(max(x0, -threshold), threshold) / threshold
          }
          if step.variance != .fixed {
            let second = Double(output[sample * step.outputWidth + elements + e])
            deviation = variance(step.variance, c, second, epsilon).squareRoot()
          }
          sum += c(.x0) * x0 + c(.epsilon) * epsilon
          keptX0?[at] = Float(x0)
          keptEpsilon?[at] = Float(epsilon)
        }
        for (weight, values) in zip(weights, history) { sum += weight * Double(values[at]) }
        if let noise { sum += c(.noise) * deviation * noise.normal(sample, e) }
        next[at] = Float(sum)
      }
    }
  }

  private static func variance(
    _ kind: NoiseVariance, _ c: (CoefficientColumn) -> Double, _ second: Double, _ epsilon: Double
  ) -> Double {
    func corrected(_ estimate: Double) -> Double {
      c(.variance0) + c(.variance1) * min(max(c(.variance2) * estimate, 0), 1)
    }
    switch kind {
    case .fixed: return 1
    case .learnedRange:
      let f = (second + 1) / 2
      return exp(f * c(.variance1) + (1 - f) * c(.variance0))
    case .noiseResidual: return corrected(second)
    case .noiseSquare: return corrected(second - epsilon * epsilon)
    }
  }

  static func noiseDraw(_ draw: NoiseDraw) throws(EngineError) {
    let rows = try CoefficientReader(draw.coefficients)
    let noise = try NoiseReader(draw.noise)
    let base = try draw.base.map { (base) throws(EngineError) in (try floats(base.tensor), base.isShared) }
    let mask = try draw.mask.map { (mask) throws(EngineError) in (try floats(mask.tensor), mask.isShared) }
    let out = try floats(draw.out)
    let elements = draw.batch.elements
    for sample in 0..<draw.batch.samples {
      let c = rows.row(of: sample)
      for e in 0..<elements {
        var y = c(.noise) * noise.normal(sample, e)
        if let base { y += c(.sample) * Double(base.0[(base.1 ? 0 : sample * elements) + e]) }
        let at = sample * elements + e
        if let mask {
          let kept = Double(mask.0[(mask.1 ? 0 : sample * elements) + e])
          y = kept * Double(out[at]) + (1 - kept) * y
        }
        out[at] = Float(y)
      }
    }
  }

  static func langevinStep(_ step: LangevinStep) throws(EngineError) {
    let rows = try CoefficientReader(step.coefficients)
    let noise = try NoiseReader(step.noise)
    let x = try floats(step.x)
    let output = try floats(step.output)
    let elements = step.batch.elements
    for sample in 0..<step.batch.samples {
      let c = rows.row(of: sample)
      let z = (0..<elements).map { noise.normal(sample, $0) }
      let score = (0..<elements).map { e in
        -(c(.epsilonFromSample) * Double(x[sample * elements + e])
          + c(.epsilonFromOutput) * Double(output[sample * step.outputWidth + e])) / c(.sigma)
      }
      func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      let ratio = norm(score) > 0 ? Double(step.signalToNoise) * norm(z) / norm(score) : 0
      let size = 2 * Double(step.factor) * ratio * ratio
      for e in 0..<elements {
        let at = sample * elements + e
        x[at] = Float(Double(x[at]) + size * score[e] + (2 * size).squareRoot() * z[e])
      }
    }
  }

  static func sampleSum(_ operation: SampleSum) throws(EngineError) {
    let out = try floats(operation.out)
    let elements = operation.batch.elements
    func sum(_ summand: (Int) -> Double) {
      for sample in 0..<operation.batch.samples {
        out[sample] = Float((0..<elements).reduce(0) { $0 + summand(sample * elements + $1) })
      }
    }
    switch operation.summand {
    case .product(let first, let second):
      let (a, b) = (try floats(first), try floats(second))
      sum { Double(a[$0]) * Double(b[$0]) }
    case .scaledError(let error, let from, let to, let absolute, let relative):
      let (error, from, to) = (try floats(error), try floats(from), try floats(to))
      sum { at in
        let largest = Double(max(abs(from[at]), abs(to[at])))
        let scaled = Double(error[at]) / (Double(absolute) + Double(relative) * largest)
        return scaled * scaled
      }
    }
  }

  static func absoluteQuantile(_ operation: AbsoluteQuantile) throws(EngineError) {
    let rows = try CoefficientReader(operation.coefficients)
    let x = try floats(operation.x)
    let output = try floats(operation.output)
    let out = try floats(operation.out)
    let (elements, width) = (operation.batch.elements, operation.outputWidth)
    let (rank, fraction) = operation.position
    for sample in 0..<operation.batch.samples {
      let c = rows.row(of: sample)
      let magnitudes = (0..<elements).map { e in
        abs(
          c(.x0FromSample) * Double(x[sample * elements + e]) + c(.x0FromOutput) * Double(output[sample * width + e]))
      }.sorted()
      let next = magnitudes[min(rank + 1, elements - 1)]
      let quantile = magnitudes[rank] + Double(fraction) * (next - magnitudes[rank])
      out[sample] = Float(min(max(quantile, 1), c(.limit)))
    }
  }
}
