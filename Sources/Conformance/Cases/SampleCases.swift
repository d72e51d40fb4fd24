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
    ConformanceCase(.denoise, title, small: small) { backend in
      let problem = DenoiseProblem(samples: 3, elements: elements, perSample: perSample)
      let covered = problem.history[1].map { $0 > 0 ? Float(1) : $0 < -1 ? 0.25 : 0 }
      var workspace = Workspace(backend)
      let out = try workspace.output(3, elements)
      try workspace.write(problem.x, over: out.part)
      func part(_ kind: Part, _ values: [Float]) throws -> PerSample? {
        switch kind {
        case .none: nil
        case .own: PerSample(try workspace.samples(values, problem), isShared: false)
        case .shared: PerSample(try workspace.upload(Array(values[..<elements]), 1, elements), isShared: true)
        }
      }
      let draw = NoiseDraw(
        problem.batch, try workspace.rows(problem), try workspace.noise(problem, step: 9, stream: .initial),
        base: try part(base, problem.history[0]), mask: try part(mask, covered), into: out.part)
      try workspace.append(draw)
      let result = try await workspace.run(reading: out)

      let oracle = NoiseOracle(identities: problem.identities, step: 9, stream: .initial)
      let expected = problem.all { sample, e in
        let at = sample * elements + e
        var y = problem.coefficient(.noise, of: sample) * oracle.normal(sample, e)
        if base != .none {
          y += problem.coefficient(.sample, of: sample) * Double(problem.history[0][base == .shared ? e : at])
        }
        guard mask != .none else { return y }
        let kept = Double(covered[mask == .shared ? e : at])
        return kept * Double(problem.x[at]) + (1 - kept) * y
      }
      try compare(result, with: expected, shape: [3, elements], within: Tolerance(absolute: 2e-6))
    }
  }

  private static func sum(_ title: String, small: Bool, elements: Int, scaled: Bool) -> ConformanceCase {
    ConformanceCase(.denoise, title, small: small) { backend in
      let problem = DenoiseProblem(samples: 3, elements: elements)
      var workspace = Workspace(backend)
      let x = try workspace.samples(problem.x, problem)
      let a = try workspace.samples(problem.history[0], problem)
      let b = try workspace.samples(problem.history[1], problem)
      let out = try workspace.output(3)
      let summand: SampleSum.Summand =
        scaled ? .scaledError(x, from: a, to: b, absolute: 0.1, relative: 0.2) : .product(a, b)
      try workspace.append(SampleSum(problem.batch, of: summand, into: out.part))
      let result = try await workspace.run(reading: out)

      let expected = (0..<3).map { sample in
        (0..<elements).reduce(0.0) { total, e in
          let at = sample * elements + e
          let (first, second) = (Double(problem.history[0][at]), Double(problem.history[1][at]))
          guard scaled else { return total + first * second }
          let error = Double(problem.x[at]) / (Double(Float(0.1)) + Double(Float(0.2)) * max(abs(first), abs(second)))
          return total + error * error
        }
      }
      try compare(
        result, with: expected, shape: [3],
        within: Tolerance(absolute: 1e-6 * Double(elements) + 1e-6, relative: 1e-5))
    }
  }

  private static func quantile(
    _ title: String, small: Bool = false, samples: Int = 3, elements: Int, ratio: Double, spread: Float = 4
  ) -> ConformanceCase {
    ConformanceCase(.denoise, title, small: small) { backend in
      var problem = DenoiseProblem(samples: samples, elements: elements, spread: spread)
      for row in problem.rows.indices {
        problem.rows[row][.limit] = 3
        problem.rows[row][.x0FromSample] = 1.25
        problem.rows[row][.x0FromOutput] = -0.75
      }
      var workspace = Workspace(backend)
      let out = try workspace.output(samples)
      try workspace.append(
        AbsoluteQuantile(
          problem.batch, try workspace.rows(problem), x: try workspace.samples(problem.x, problem),
          output: try workspace.samples(problem.output, problem), outputWidth: problem.outputWidth, ratio: ratio,
          into: out.part))
      let result = try await workspace.run(reading: out)

      let expected = (0..<samples).map { sample in
        let magnitudes = (0..<elements).map { abs(problem.x0(sample, $0)) }.sorted()
        let position = ratio * Double(elements - 1)
        let low = Int(position)
        let high = min(low + 1, elements - 1)
        let value = magnitudes[low] + (position - Double(low)) * (magnitudes[high] - magnitudes[low])
        return min(max(value, 1), 3)
      }
      try compare(result, with: expected, shape: [samples], within: Tolerance(absolute: 2e-6))
    }
  }

  private static func langevin(
    _ title: String, small: Bool = false, elements: Int, vanishes: Bool = false
  ) -> ConformanceCase {
    ConformanceCase(.denoise, title, small: small) { backend in
      var problem = DenoiseProblem(samples: 3, elements: elements)
      if vanishes {
        for row in problem.rows.indices {
          problem.rows[row][.epsilonFromSample] = 0
          problem.rows[row][.epsilonFromOutput] = 0
        }
      }
      var workspace = Workspace(backend)
      let x = try workspace.output(3, elements)
      try workspace.write(problem.x, over: x.part)
      try workspace.append(
        LangevinStep(
          problem.batch, try workspace.rows(problem), x: x.part,
          output: try workspace.samples(problem.output, problem), outputWidth: problem.outputWidth,
          noise: try workspace.noise(problem, stream: .corrector), signalToNoise: 0.16, factor: 0.9))
      let result = try await workspace.run(reading: x)

      let oracle = NoiseOracle(identities: problem.identities, step: 5, stream: .corrector)
      func score(_ sample: Int, _ e: Int) -> Double {
        -problem.epsilon(sample, e) / problem.coefficient(.sigma, of: sample)
      }
      let steps = (0..<3).map { sample in
        var (scores, noises) = (0.0, 0.0)
        for e in 0..<elements {
          scores += score(sample, e) * score(sample, e)
          noises += oracle.normal(sample, e) * oracle.normal(sample, e)
        }
        return scores == 0 ? 0 : 2 * 0.9 * 0.16 * 0.16 * noises / scores
      }
      let expected = problem.all { sample, e in
        Double(problem.x[sample * elements + e]) + steps[sample] * score(sample, e)
          + (2 * steps[sample]).squareRoot() * oracle.normal(sample, e)
      }
      // With one element the score may be tiny and the step large.
      try compare(
        result, with: expected, shape: [3, elements], within: Tolerance(absolute: 1e-5, relative: 1e-5))
    }
  }
}
