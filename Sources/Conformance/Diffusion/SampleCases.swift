internal import Diffusion
internal import Engine
internal import Networks

/// Noise, and what is computed once a sample: sums, quantiles and the Langevin corrector.
extension ConformanceKit {
  static let sampleCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for elements in [1, 4, 5, 63, 64, 65, 1023, 1025, 2049] {
      cases.append(noise("noise, \(elements) elements", small: elements == 65, elements: elements))
    }
    cases += [
      noise("noise on a base", small: true, elements: 70, base: .own),
      noise("noise on a shared base", elements: 70, base: .shared),
      noise("noise beside a mask", elements: 70, base: .own, mask: .own),
      noise("noise on a shared base beside a shared mask", small: true, elements: 70, base: .shared, mask: .shared),
      noise("noise beside a mask, without a base", small: true, elements: 70, mask: .shared),
      noise("noise, each with a row", elements: 70, perSample: true),
    ]
    for elements in [1, 2, 15, 16, 17, 64, 65, 255, 257, 1025, 4097] {
      let small = elements == 17
      cases += [
        sum("product, \(elements) elements", small: small, elements: elements, scaled: false),
        sum("scaled error, \(elements) elements", small: small, elements: elements, scaled: true),
        quantile("quantile, \(elements) elements", small: small, elements: elements, ratio: 0.9),
        langevin("Langevin, \(elements) elements", small: small || elements == 65, elements: elements),
      ]
    }
    cases += [
      quantile("quantile 0", elements: 33, ratio: 0),
      quantile("quantile 1", elements: 33, ratio: 1),
      quantile("quantile of equal values", elements: 33, ratio: 0.5, spread: 0),
      quantile("quantile above the limit", elements: 33, ratio: 0.9, spread: 40),
      quantile("quantile of 67 samples", samples: 67, elements: 768, ratio: 0.995),
      langevin("Langevin where the score vanishes", elements: 33, vanishes: true),
    ]
    return cases
  }()

  private enum Part { case none, own, shared }

  private static func noise(
    _ title: String, small: Bool = false, elements: Int, base: Part = .none, mask: Part = .none, perSample: Bool = false
  ) -> ConformanceCase {
    ConformanceCase(.denoise, title, small: small, within: Tolerance(absolute: 2e-6)) { workspace in
      let problem = DenoiseProblem(samples: 3, elements: elements, perSample: perSample)
      let covered = problem.history[1].map { $0 > 0 ? Float(1) : $0 < -1 ? 0.25 : 0 }
      let out = try workspace.output(over: problem.x, 3, elements)
      func staged(_ part: Part, _ values: [Float]) throws -> PerSample? {
        switch part {
        case .none: nil
        case .own: PerSample(try workspace.samples(values, problem), isShared: false)
        case .shared: PerSample(try workspace.upload(Array(values[..<elements]), 1, elements), isShared: true)
        }
      }
      try workspace.append(
        NoiseDraw(
          problem.batch, try workspace.rows(problem), try workspace.noise(problem, step: 9, stream: .initial),
          base: try staged(base, problem.history[0]), mask: try staged(mask, covered), into: out))
      return [out]
    }
  }

  private static func sum(_ title: String, small: Bool, elements: Int, scaled: Bool) -> ConformanceCase {
    let tolerance = Tolerance(absolute: 1e-6 * Double(elements) + 1e-6, relative: 1e-5)
    return ConformanceCase(.denoise, title, small: small, within: tolerance) { workspace in
      let problem = DenoiseProblem(samples: 3, elements: elements)
      let x = try workspace.samples(problem.x, problem)
      let a = try workspace.samples(problem.history[0], problem)
      let b = try workspace.samples(problem.history[1], problem)
      let out = try workspace.output(3)
      let summand: SampleSum.Summand =
        scaled ? .scaledError(x, from: a, to: b, absolute: 0.1, relative: 0.2) : .product(a, b)
      try workspace.append(SampleSum(problem.batch, of: summand, into: out))
      return [out]
    }
  }

  private static func quantile(
    _ title: String, small: Bool = false, samples: Int = 3, elements: Int, ratio: Double, spread: Float = 4
  ) -> ConformanceCase {
    ConformanceCase(.denoise, title, small: small, within: Tolerance(absolute: 2e-6)) { workspace in
      var problem = DenoiseProblem(samples: samples, elements: elements, spread: spread)
      for row in problem.rows.indices {
        problem.rows[row][.limit] = 3
        problem.rows[row][.x0FromSample] = 1.25
        problem.rows[row][.x0FromOutput] = -0.75
      }
      let out = try workspace.output(samples)
      try workspace.append(
        AbsoluteQuantile(
          problem.batch, try workspace.rows(problem), x: try workspace.samples(problem.x, problem),
          output: try workspace.samples(problem.output, problem), outputWidth: problem.outputWidth, ratio: ratio,
          into: out))
      return [out]
    }
  }

  private static func langevin(
    _ title: String, small: Bool = false, elements: Int, vanishes: Bool = false
  ) -> ConformanceCase {
    // With one element the score may be tiny and the step large.
    let tolerance = Tolerance(absolute: 1e-5, relative: 1e-5)
    return ConformanceCase(.denoise, title, small: small, within: tolerance) { workspace in
      var problem = DenoiseProblem(samples: 3, elements: elements)
      if vanishes {
        for row in problem.rows.indices {
          problem.rows[row][.epsilonFromSample] = 0
          problem.rows[row][.epsilonFromOutput] = 0
        }
      }
      let x = try workspace.output(over: problem.x, 3, elements)
      try workspace.append(
        LangevinStep(
          problem.batch, try workspace.rows(problem), x: x, output: try workspace.samples(problem.output, problem),
          outputWidth: problem.outputWidth, noise: try workspace.noise(problem, stream: .corrector),
          signalToNoise: 0.16, factor: 0.9))
      return [x]
    }
  }
}
