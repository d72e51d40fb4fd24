internal import Diffusion
internal import Engine
internal import Networks

extension ConformanceFamily { static let denoise: ConformanceFamily = "denoise" }

/// The fused step: every combination of its parts, and sizes that straddle blocks (4 and 64 elements) and runs.
extension ConformanceKit {
  static let denoiseCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for elements in [1, 2, 3, 4, 5, 63, 64, 65, 192, 1023, 1024, 1025, 2049] {
      cases.append(step("\(elements) elements", small: [3, 65].contains(elements), elements: elements, noise: true))
    }
    cases += [
      step("a row for each sample", small: true, samples: 5, elements: 70, perSample: true, noise: true),
      step("129 samples", samples: 129, elements: 17, noise: true),
      step("no noise", small: true, elements: 70),
      step("clipped", small: true, elements: 70, clip: .fixed),
      step("clipped, with noise", small: true, elements: 70, clip: .fixed, noise: true),
      step("thresholds", small: true, elements: 70, clip: .thresholds),
      step("without an output", small: true, elements: 70, evaluated: false, history: 2),
      step("without an output, with noise", small: true, elements: 70, evaluated: false, noise: true),
      step("in place", small: true, elements: 70, noise: true, inPlace: true),
      step("learned range", small: true, elements: 70, noise: true, variance: .learnedRange),
      step("noise residual", small: true, elements: 70, noise: true, variance: .noiseResidual),
      step("noise square", small: true, elements: 70, clip: .fixed, noise: true, variance: .noiseSquare),
    ]
    for history in 1...3 {
      cases.append(step("\(history) of history", small: true, elements: 70, history: history))
    }
    cases += [
      step("keeps x0", small: true, elements: 70, clip: .fixed, history: 1, keepsX0: true),
      step("keeps ε", small: true, elements: 70, history: 3, keepsEpsilon: true),
      step("keeps both", small: true, elements: 70, history: 2, noise: true, keepsX0: true, keepsEpsilon: true),
    ]
    return cases
  }()

  private enum Clip { case none, fixed, thresholds }

  private static func step(
    _ title: String, small: Bool = false, samples: Int = 3, elements: Int, perSample: Bool = false, clip: Clip = .none,
    evaluated: Bool = true, history: Int = 0, noise: Bool = false, variance: NoiseVariance = .fixed,
    keepsX0: Bool = false, keepsEpsilon: Bool = false, inPlace: Bool = false
  ) -> ConformanceCase {
    ConformanceCase(.denoise, title, small: small) { engine in
      let problem = DenoiseProblem(
        samples: samples, elements: elements, heads: variance == .fixed ? 1 : 2, perSample: perSample)
      try await compareWithReference(engine) { workspace in
        let x = try workspace.output(over: problem.x, samples, elements)
        let result = inPlace ? x : try workspace.output(samples, elements)
        var step = DenoiseStep(
          problem.batch, try workspace.rows(problem), x: x,
          output: evaluated ? try workspace.samples(problem.output, problem) : nil, outputWidth: problem.outputWidth,
          into: result)
        step.history = try problem.history[..<history].map { try workspace.samples($0, problem) }
        step.variance = variance
        if noise { step.noise = try workspace.noise(problem) }
        switch clip {
        case .none: break
        case .fixed: step.clip = .fixed
        case .thresholds:
          let thresholds = (0..<samples).map { 1 + Float($0) / 8 }
          step.clip = .thresholds(try workspace.upload(thresholds + Poison.floats(1), samples + 1))
        }
        // Poison, where they are not kept.
        let keptX0 = try workspace.output(samples, elements)
        let keptEpsilon = try workspace.output(samples, elements)
        if keepsX0 { step.keptX0 = keptX0 }
        if keepsEpsilon { step.keptEpsilon = keptEpsilon }
        try workspace.append(step)
        // Nine terms of at most 10, each with its own rounding.
        let tolerance = Tolerance(absolute: 4e-6)
        return [
          ComparedOutput(result, within: tolerance), ComparedOutput(keptX0, within: tolerance, "x0"),
          ComparedOutput(keptEpsilon, within: tolerance, "ε"),
        ]
      }
    }
  }
}

/// A batch of samples with outputs and coefficients.
struct DenoiseProblem: Sendable {
  let batch: SampleBatch
  let outputWidth: Int
  var x: [Float]
  var output: [Float]
  var history: [[Float]]
  var rows: [CoefficientRow]
  let perSample: Bool
  let identities: [SampleIdentity]

  init(samples: Int, elements: Int, heads: Int = 1, perSample: Bool = false, spread: Float = 2, seed: UInt64 = 1) {
    var generator = SplitMix64(seed: seed)
    batch = SampleBatch(samples: samples, elements: elements)
    // One more than needed: outputs need not lie side by side.
    outputWidth = heads * elements + 1
    func values(_ count: Int) -> [Float] { Draw.uniform(count, &generator).map { $0 * spread } }
    x = values(batch.count)
    output = values(samples * outputWidth)
    history = (0..<3).map { _ in values(samples * elements) }
    self.perSample = perSample
    rows = (0..<(perSample ? samples + 2 : 3)).map { _ in
      var row = CoefficientRow()
      for column in 0..<11 {
        guard let column = CoefficientColumn(rawValue: column) else { continue }
        row[column] = generator.uniform()
      }
      row[.limit] = 0.75
      row[.sigma] = 0.5 + 0.25 * generator.uniform()
      row[.variance0] = 0.2
      row[.variance1] = 0.6
      row[.variance2] = 0.9
      return row
    }
    identities = (0..<samples).map { SampleIdentity(seed: 0x1_2345_6789 + seed, sample: UInt32($0) &* 77 &+ 3) }
  }
}

extension Workspace {
  mutating func rows(_ problem: DenoiseProblem) throws -> CoefficientRows {
    // Row 1 is the first that is used: row 0 must not be.
    CoefficientRows(
      try upload(problem.rows.flatMap(\.elements) + Poison.floats(32), problem.rows.count + 1, CoefficientRow.width),
      first: 1, perSample: problem.perSample)
  }

  mutating func noise(
    _ problem: DenoiseProblem, step: Int = 5, stream: NoiseSource.Stream = .step
  ) throws -> NoiseSource {
    let words = problem.identities.flatMap(\.words) + Poison.integers(4)
    return NoiseSource(try upload(integers: words, problem.identities.count + 1, 4), step: step, stream: stream)
  }

  mutating func samples(_ values: [Float], _ problem: DenoiseProblem) throws -> Tensor {
    try upload(values, problem.batch.samples, values.count / problem.batch.samples)
  }
}
