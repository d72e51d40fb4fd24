internal import Diffusion
internal import Engine
internal import Networks

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
    ConformanceCase(.denoise, title, small: small) { backend in
      let problem = DenoiseProblem(
        samples: samples, elements: elements, heads: variance == .fixed ? 1 : 2, perSample: perSample)
      let batch = problem.batch
      let thresholds = (0..<samples).map { 1 + Float($0) / 8 }

      var workspace = Workspace(backend)
      let x = try workspace.output(samples, elements)
      try workspace.write(problem.x, over: x.part)
      let result = inPlace ? x : try workspace.output(samples, elements)
      var step = DenoiseStep(
        batch, try workspace.rows(problem), x: x.part,
        output: evaluated ? try workspace.samples(problem.output, problem) : nil, outputWidth: problem.outputWidth,
        into: result.part)
      step.history = try problem.history[..<history].map { try workspace.samples($0, problem) }
      step.variance = variance
      if noise { step.noise = try workspace.noise(problem) }
      switch clip {
      case .none: break
      case .fixed: step.clip = .fixed
      case .thresholds: step.clip = .thresholds(try workspace.upload(thresholds + Poison.floats(1), samples + 1))
      }
      let keptX0 = try workspace.output(samples, elements)
      let keptEpsilon = try workspace.output(samples, elements)
      if keepsX0 { step.keptX0 = keptX0.part }
      if keepsEpsilon { step.keptEpsilon = keptEpsilon.part }
      try workspace.append(step)
      try workspace.download(keptX0.whole)
      try workspace.download(keptEpsilon.whole)
      try workspace.download(result.whole)
      let downloads = try await workspace.run()

      let oracle = NoiseOracle(identities: problem.identities, step: 5, stream: .step)
      func x0(_ sample: Int, _ element: Int) -> Double {
        let x0 = problem.x0(sample, element)
        switch clip {
        case .none: return x0
        case .fixed: return min(max(x0, -0.75), 0.75)
        case .thresholds:
          let limit = Double(thresholds[sample])
          return min(max(x0, -limit), limit) / limit
        }
      }
      let expected = problem.all { sample, e in
        func c(_ column: CoefficientColumn) -> Double { problem.coefficient(column, of: sample) }
        var sum = c(.sample) * Double(problem.x[sample * elements + e])
        if evaluated { sum += c(.x0) * x0(sample, e) + c(.epsilon) * problem.epsilon(sample, e) }
        for (k, column) in [CoefficientColumn.history0, .history1, .history2][..<history].enumerated() {
          sum += c(column) * Double(problem.history[k][sample * elements + e])
        }
        guard noise else { return sum }
        let v = deviation(variance, problem, sample, e)
        return sum + c(.noise) * v * oracle.normal(sample, e)
      }
      let shape = [samples, elements]
      // Nine terms of at most 10, each with its own rounding.
      let tolerance = Tolerance(absolute: 4e-6)
      try compare(downloads[2].floats, with: expected, shape: shape, within: tolerance)
      try compare(
        downloads[0].floats, with: keepsX0 ? problem.all(x0) : [], shape: shape, within: tolerance, "x0")
      try compare(
        downloads[1].floats, with: keepsEpsilon ? problem.all(problem.epsilon) : [], shape: shape, within: tolerance,
        "ε")
    }
  }

  private static func deviation(
    _ variance: NoiseVariance, _ problem: DenoiseProblem, _ sample: Int, _ element: Int
  ) -> Double {
    let w = variance == .fixed ? 0 : problem.second(sample, element)
    let epsilon = problem.epsilon(sample, element)
    func root(_ estimate: Double) -> Double { (0.2 + 0.6 * min(max(0.9 * estimate, 0), 1)).squareRoot() }
    switch variance {
    case .fixed: return 1
    case .learnedRange:
      let f = (w + 1) / 2
      return exponential((f * 0.6 + (1 - f) * 0.2) / 2)
    case .noiseResidual: return root(w)
    case .noiseSquare: return root(w - epsilon * epsilon)
    }
  }
}
