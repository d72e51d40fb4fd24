import Foundation

@testable import Diffusion

/// Executes a plan with plain loops over Double: what the device's kernels are compared with.
struct PlanExecutor {
  /// A denoiser's output for the samples at a level.
  typealias Denoiser = (_ x: [Double], _ level: NoiseLevel) -> [Double]

  /// Elements of one sample; quantiles and norms are taken over each sample alone.
  var sampleSize: Int
  /// The network's output.
  var denoiser: Denoiser
  /// The network's second output, which some variances need.
  var secondOutput: Denoiser?
  /// Whether the denoiser sees `inputScale · x`, as networks do, instead of x.
  var scalesInput = false
  /// The noise of an instruction and an element.
  var noise: (_ instruction: Int, _ element: Int) -> Double = { _, _ in 0 }

  init(sampleSize: Int, denoiser: @escaping Denoiser) {
    self.sampleSize = sampleSize
    self.denoiser = denoiser
  }

  /// The samples after each instruction that finishes a step; the last are the result.
  func trajectory(_ plan: SamplingPlan, from initial: [Double]) -> [[Double]] {
    var registers = [[Double]](repeating: [], count: plan.registerCount)
    registers[0] = initial
    var finished: [[Double]] = []
    for (index, instruction) in plan.instructions.enumerated() {
      switch instruction {
      case .update(let update):
        execute(update, index, &registers)
        if update.finishesStep { finished.append(registers[update.output]) }
      case .langevin(let step): correct(step, index, &registers[step.register])
      }
    }
    return finished
  }

  /// The samples at the plan's end.
  func run(_ plan: SamplingPlan, from initial: [Double]) -> [Double] {
    trajectory(plan, from: initial).last ?? initial
  }

  private func execute(_ update: PlannedUpdate, _ index: Int, _ registers: inout [[Double]]) {
    let x = registers[update.input]
    var x0 = [Double](repeating: 0, count: x.count)
    var epsilon = x0
    var second = x0
    if update.evaluates {
      let seen = scalesInput ? x.map { $0 * update.inputScale } : x
      let output = denoiser(seen, update.level)
      if let secondOutput { second = secondOutput(seen, update.level) }
      let conversion = update.conversion
      for element in x.indices {
        x0[element] = conversion.x0FromSample * x[element] + conversion.x0FromOutput * output[element]
        epsilon[element] = conversion.epsilonFromSample * x[element] + conversion.epsilonFromOutput * output[element]
      }
      clip(&x0, update.clipping)
    }
    var result = x
    for element in x.indices {
      var value = update.sample * x[element]
      if update.evaluates { value += update.x0 * x0[element] + update.epsilon * epsilon[element] }
      for term in update.history { value += term.weight * registers[term.register][element] }
      if update.noise != 0 {
        let variance = variance(update.variance, second[element], epsilon[element])
        value += update.noise * variance.squareRoot() * noise(index, element)
      }
      result[element] = value
    }
    if let kept = update.keptX0 { registers[kept] = x0 }
    if let kept = update.keptEpsilon { registers[kept] = epsilon }
    registers[update.output] = result
  }

  private func variance(_ variance: StepVariance, _ second: Double, _ epsilon: Double) -> Double {
    func clipped(_ base: Double, _ gain: Double, _ c: Double) -> Double { base + gain * min(max(c, 0), 1) }
    switch variance {
    case .fixed: return 1
    case .learnedRange(let logSmall, let logLarge):
      let fraction = (second + 1) / 2
      return exp(fraction * logLarge + (1 - fraction) * logSmall)
    case .noiseResidual(let base, let gain, let ratio): return clipped(base, gain, ratio * second)
    case .noiseSquare(let base, let gain, let ratio):
      return clipped(base, gain, ratio * (second - epsilon * epsilon))
    }
  }

  private func clip(_ x0: inout [Double], _ clipping: Clipping) {
    switch clipping {
    case .none: break
    case .fixed(let limit): x0 = x0.map { min(max($0, -limit), limit) }
    case .dynamic(let ratio, let maximum):
      for start in stride(from: 0, to: x0.count, by: sampleSize) {
        let range = start..<min(start + sampleSize, x0.count)
        let limit = min(max(quantile(x0[range].map(abs), ratio), 1), maximum)
        for element in range { x0[element] = min(max(x0[element], -limit), limit) / limit }
      }
    }
  }

  /// Linearly interpolated between the two nearest ranks, as torch's `quantile` does it.
  private func quantile(_ values: [Double], _ ratio: Double) -> Double {
    let sorted = values.sorted()
    let place = ratio * Double(sorted.count - 1)
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (place - Double(lower)) * (sorted[upper] - sorted[lower])
  }

  private func correct(_ step: PlannedLangevin, _ index: Int, _ x: inout [Double]) {
    let output = denoiser(scalesInput ? x.map { $0 * step.inputScale } : x, step.level)
    let score = x.indices.map { element in
      -(step.conversion.epsilonFromSample * x[element] + step.conversion.epsilonFromOutput * output[element])
        / step.level.sigma
    }
    for start in stride(from: 0, to: x.count, by: sampleSize) {
      let range = start..<min(start + sampleSize, x.count)
      let noises = range.map { noise(index, $0) }
      let noiseNorm = noises.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let scoreNorm = range.reduce(0) { $0 + score[$1] * score[$1] }.squareRoot()
      let ratio = step.signalToNoise * noiseNorm / scoreNorm
      let size = 2 * step.factor * ratio * ratio
      for (element, z) in zip(range, noises) { x[element] += size * score[element] + (2 * size).squareRoot() * z }
    }
  }
}
