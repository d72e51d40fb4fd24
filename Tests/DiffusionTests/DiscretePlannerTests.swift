import Foundation
import Testing

@testable import Diffusion

@Suite struct DiscretePlannerTests {
  private let model = GaussianModel(mean: 0.3, variance: 0.25)
  private let start = [-1.7, -0.4, 0.1, 2.2]

  private func grid(_ steps: Int, _ prediction: Prediction = .epsilon) throws -> TimeGrid {
    try .discrete(.linear(), spacing: .trailing, steps: steps, prediction: prediction)
  }

  private func noise(_ instruction: Int, _ element: Int) -> Double {
    sin(Double(instruction * 7 + element * 3 + 1) * 1.7)
  }

  private func run(
    _ planner: any Planner, _ grid: TimeGrid, second: PlanExecutor.Denoiser? = nil
  ) throws -> [Double] {
    var executor = PlanExecutor(sampleSize: 2, denoiser: model.denoiser(grid.prediction))
    executor.noise = noise
    executor.secondOutput = second
    return executor.run(try planner.plan(grid), from: start)
  }

  private func expectClose(_ a: [Double], _ b: [Double], _ tolerance: Double) {
    #expect(a.count == b.count)
    for (a, b) in zip(a, b) { #expect(abs(a - b) < tolerance, "\(a) and \(b)") }
  }

  /// One step by the formulas of Ho et al., written with α_t and β_t of the published algorithm (2) and not with x0.
  @Test func singleTimestepsAreAlgorithmTwo() throws {
    let schedule = try NoiseSchedule.linear()
    let grid = try TimeGrid.discrete(schedule, timesteps: (0..<1000).reversed().map(Double.init))
    let plan = try DDPM(variance: .large).plan(grid)
    for timestep in [1, 10, 500, 999] {
      let update = plan.updates[999 - timestep]
      let beta = 1e-4 + (0.02 - 1e-4) * Double(timestep) / 999
      let root = (1 - schedule.alphasBar[timestep]).squareRoot()
      let (x, output) = (0.7, -0.4)
      let conversion = update.conversion
      let value =
        update.sample * x + update.x0 * (conversion.x0FromSample * x + conversion.x0FromOutput * output)
      #expect(agree(value, (x - beta / root * output) / (1 - beta).squareRoot(), 1e-10), "\(timestep)")
      #expect(agree(update.noise, beta.squareRoot(), 1e-10))
    }
    #expect(plan.updates[999].noise == 0)
    #expect(try DDPM(drawsFinalNoise: true).plan(grid).updates[999].noise == 1e-10)
  }

  /// The factors on x, o and z, with x0 and ε written out.
  private func composed(_ update: PlannedUpdate) -> [Double] {
    let c = update.conversion
    return [
      update.sample + update.x0 * c.x0FromSample + update.epsilon * c.epsilonFromSample,
      update.x0 * c.x0FromOutput + update.epsilon * c.epsilonFromOutput, update.noise,
    ]
  }

  @Test(arguments: [Prediction.epsilon, .sample, .vPrediction], [7, 100])
  func fullNoiseDDIMIsDDPM(prediction: Prediction, steps: Int) throws {
    let grid = try grid(steps, prediction)
    let (ddim, ddpm) = (try DDIM(eta: 1).plan(grid), try DDPM().plan(grid))
    for (a, b) in zip(ddim.updates, ddpm.updates) {
      for (a, b) in zip(composed(a), composed(b)) { #expect(abs(a - b) < 1e-12) }
    }
  }

  /// Data that are a single point keep their exact marginals with β̃ and with any η; data of unit variance do with β.
  @Test func variancesThatAreRightKeepTheMarginal() throws {
    let grid = try grid(13)
    for (planner, variance) in [
      (DDPM(drawsFinalNoise: true), 0.0), (DDPM(variance: .large, drawsFinalNoise: true), 1), (DDIM(eta: 0.5), 0),
      (DDIM(eta: 1), 0), (DDIM(), 0),
    ] as [(any Planner, Double)] {
      let model = GaussianModel(variance: variance)
      for update in try planner.plan(grid).updates {
        let step = LinearStep(update, model)
        let after = step.gain * step.gain * model.marginalVariance(update.level) + step.noise * step.noise
        #expect(abs(after - model.marginalVariance(update.next)) < 1e-12, "\(planner)")
      }
    }
    let (half, full) = (try DDIM(eta: 0.5).plan(grid), try DDPM().plan(grid))
    for (half, full) in zip(half.updates, full.updates) { #expect(abs(half.noise - full.noise / 2) < 1e-12) }
  }

  @Test func predictionsOfOneModelGiveOneSample() throws {
    for planner in [DDPM(), DDIM(eta: 0.4), DDIM()] as [any Planner] {
      let expected = try run(planner, grid(9))
      for prediction in [Prediction.sample, .vPrediction] {
        expectClose(try run(planner, grid(9, prediction)), expected, 1e-11)
      }
    }
  }

  /// dx̂/dσ̂ = ε with x̂ = x / α: Euler's steps, by hand.
  @Test func ddimIsEulerInSigma() throws {
    let grid = try grid(11)
    var scaled = start.map { $0 / grid.levels[0].alpha }
    for (level, next) in zip(grid.levels, grid.levels.dropFirst()) {
      let difference = next.sigma / next.alpha - level.sigma / level.alpha
      scaled = scaled.map { $0 + difference * model.output($0 * level.alpha, level, .epsilon) }
    }
    expectClose(try run(DDIM(), grid), scaled, 1e-12)
    // The same on the exploding grid, from the scaled start.
    let exploding = try TimeGrid.discrete(.linear(), spacing: .trailing, steps: 11, form: .exploding)
    let executor = PlanExecutor(sampleSize: 4, denoiser: model.denoiser())
    let alpha = grid.levels[0].alpha
    expectClose(executor.run(try DDIM().plan(exploding), from: start.map { $0 / alpha }), scaled, 1e-12)
  }

  /// On a flow's grid DDIM is `x + (σ' - σ) v`.
  @Test func ddimIsEulerOfAFlow() throws {
    let grid = try TimeGrid.flow(steps: 6, shift: 3)
    var expected = start
    for (level, next) in zip(grid.levels, grid.levels.dropFirst()) {
      expected = expected.map { $0 + (next.sigma - level.sigma) * model.output($0, level, .flow) }
    }
    expectClose(try run(DDIM(), grid), expected, 1e-12)
  }

  /// With x0 limited to ±0.2, ε = (x - α x0) / σ of the limited x0.
  @Test func epsilonIsRederivedOnDemand() throws {
    var grid = try grid(5)
    grid.clipping = .fixed(limit: 0.2)
    let (level, next) = (grid.levels[1], grid.levels[2])
    for rederives in [false, true] {
      let update = try DDIM(rederivesEpsilon: rederives).plan(grid).updates[1]
      let executor = PlanExecutor(sampleSize: 1, denoiser: model.denoiser())
      let result = executor.run(SamplingPlan([.update(update)], start: level, initialScale: 1), from: [1.5])[0]
      let free = model.x0(1.5, level)
      #expect(free > 0.2)
      let x0ForEpsilon = rederives ? 0.2 : free
      let epsilon = (1.5 - level.alpha * x0ForEpsilon) / level.sigma
      #expect(agree(result, next.alpha * 0.2 + next.sigma * epsilon, 1e-12))
    }
  }

  @Test func theLearnedRangeEndsAtTheFixedVariances() throws {
    for (second, variance) in [(-1.0, DDPM.Variance.small), (1, .large)] {
      let learned = try run(DDPM(variance: .learnedRange), grid(8), second: { x, _ in x.map { _ in second } })
      expectClose(learned, try run(DDPM(variance: variance), grid(8)), 1e-12)
    }
    // Halfway: the geometric mean.
    let middle = try run(DDPM(variance: .learnedRange), grid(2), second: { x, _ in x.map { _ in 0 } })
    let (small, large) = (try run(DDPM(), grid(2)), try run(DDPM(variance: .large), grid(2)))
    #expect(middle != small && middle != large)
  }

  /// For Gaussian data the exact second outputs are the same for all pixels, and say what Γ says.
  @Test(arguments: [AnalyticDPM.Base.ddpm, .ddim(eta: 0), .ddim(eta: 0.6)])
  func perPixelVariancesAgreeWithGamma(base: AnalyticDPM.Base) throws {
    let grid = try grid(12)
    let model = model
    func residual(_ level: NoiseLevel) -> Double {
      // Var(ε | x) = α² s² / (α² s² + σ²)
      level.alpha * level.alpha * model.variance / model.marginalVariance(level)
    }
    let table = try GammaTable.gaussian(dataVariance: model.variance, levels: Array(grid.levels.dropLast()))
    let expected = try run(AnalyticDPM(base, .table(table, interpolates: false)), grid)
    let fromResidual = try run(AnalyticDPM(base, .noiseResidual), grid) { x, level in x.map { _ in residual(level) } }
    let fromSquare = try run(AnalyticDPM(base, .noiseSquare), grid) { x, level in
      x.map {
        let epsilon = model.output($0, level, .epsilon)
        return epsilon * epsilon + residual(level)
      }
    }
    expectClose(fromResidual, expected, 1e-10)
    expectClose(fromSquare, expected, 1e-10)
  }
}
