import Testing

@testable import Diffusion

@Suite struct ContinuousPlannerTests {
  static let all: [ContinuousSchedule] = [.variancePreserving(), .varianceExploding(), .subVariancePreserving()]
  private let model = GaussianModel(mean: 0.3, variance: 0.25)

  /// The largest error of the probability flow's end points.
  private func error(_ planner: ProbabilityFlow, _ grid: TimeGrid) throws -> Double {
    let start = [-1.2, 0.3, 1.9].map { $0 * grid.initialScale }
    let executor = PlanExecutor(sampleSize: 3, denoiser: model.denoiser())
    let end = executor.run(try planner.plan(grid), from: start)
    #expect(end.count == 3)
    return zip(start, end).map { start, end in
      abs(model.flowed(start, from: grid.levels[0], to: grid.levels[grid.steps]) - end)
    }.reduce(0, max)
  }

  @Test(arguments: all) func flowConvergesToTheClosedForm(schedule: ContinuousSchedule) throws {
    for (method, factor, bound) in [(ProbabilityFlow.Method.euler, 2.0, 0.05), (.heun, 4, 2e-3)] {
      let errors = try [800, 1600].map {
        try error(ProbabilityFlow(schedule, method), .uniformTime(schedule, steps: $0, to: 0.01))
      }
      #expect(errors[1] < bound, "\(schedule) \(method) \(errors)")
      #expect(abs(errors[0] / errors[1] / factor - 1) < 0.15, "\(schedule) \(method) \(errors)")
    }
  }

  @Test func heunKeepsTheOldSampleWithoutCopies() throws {
    let schedule = ContinuousSchedule.variancePreserving()
    let plan = try ProbabilityFlow(schedule, .heun).plan(.uniformTime(schedule, steps: 3))
    #expect(plan.registerCount == 3)
    #expect(plan.evaluations == 6)
    for update in plan.updates {
      #expect(!update.history.contains { $0.register == update.output || $0.register == update.keptEpsilon })
    }
    #expect(plan.updates.filter(\.finishesStep).count == 3)
  }

  /// The variance and mean of what sampling ends with tend to those of the data at the last level.
  @Test func stochasticSamplersEndWithTheMarginal() throws {
    let cases: [(ContinuousSchedule, ReverseSDE.Method)] =
      Self.all.map { ($0, .eulerMaruyama($0)) }
      + [
        (.variancePreserving(), .reverseDiffusion), (.variancePreserving(), .ancestral),
        (.varianceExploding(), .reverseDiffusion), (.varianceExploding(), .ancestral),
        (.subVariancePreserving(), .reverseDiffusion),
      ]
    for (schedule, method) in cases {
      let errors = try [2000, 8000].map { steps in
        let grid = try TimeGrid.uniformTime(schedule, steps: steps, to: 0.01)
        let plan = try ReverseSDE(method, finish: .noise).plan(grid)
        let expected = model.marginalVariance(grid.levels[steps])
        let executor = PlanExecutor(sampleSize: 1, denoiser: model.denoiser())
        // The prior's mean is 0; the data's has decayed there.
        let mean = executor.run(plan, from: [grid.levels[0].alpha * model.mean])[0]
        #expect(abs(mean - grid.levels[steps].alpha * model.mean) < 2e-3, "\(method)")
        return plan.outputVariance(GaussianModel()) / expected - 1
      }
      #expect(abs(errors[1]) < 0.012, "\(method) \(errors)")
      // First order, apart from what the prior lacks.
      #expect(abs(errors[0]) > 2 * abs(errors[1]), "\(method) \(errors)")
    }
  }

  /// One step by hand, from t = 1 to 0.5 of the exploding schedule 1 … 4: σ = 4, 2 and Δ = 12.
  @Test func explodingStepsByHand() throws {
    let schedule = ContinuousSchedule.varianceExploding(sigmaMin: 1, sigmaMax: 4)
    let grid = try TimeGrid.continuous(schedule, times: [1, 0.5])
    let reverse = try ReverseSDE(.reverseDiffusion, finish: .noise).plan(grid).updates[0]
    #expect(reverse.sample == 1)
    #expect(agree(reverse.epsilon, -3, 1e-12))
    #expect(agree(reverse.noise, 12.0.squareRoot(), 1e-12))
    let ancestral = try ReverseSDE(.ancestral, finish: .noise).plan(grid).updates[0]
    #expect(agree(ancestral.epsilon, -3, 1e-12))
    #expect(agree(ancestral.noise, 3.0.squareRoot(), 1e-12))
    // g² = 16 · 2 ln 4 over half a unit of time.
    let maruyama = try ReverseSDE(.eulerMaruyama(schedule), finish: .noise).plan(grid).updates[0]
    #expect(agree(maruyama.epsilon, -5.545177444479562, 1e-12))
    #expect(agree(maruyama.noise, 22.18070977791825.squareRoot(), 1e-12))
    #expect(try ReverseSDE(.ancestral).plan(grid).updates[0].noise == 0)
  }

  /// One step by hand where ᾱ falls from 0.8 to 0.2: 1 - β = 0.25.
  @Test func preservingStepsByHand() throws {
    let grid = TimeGrid(levels: [NoiseLevel(time: 1, alphaBar: 0.2), NoiseLevel(time: 0, alphaBar: 0.8)])
    let reverse = try ReverseSDE(.reverseDiffusion, finish: .noise).plan(grid).updates[0]
    #expect(agree(reverse.sample, 1.5, 1e-12))
    #expect(agree(reverse.epsilon, -0.75 / 0.8.squareRoot(), 1e-12))
    #expect(agree(reverse.noise, 0.75.squareRoot(), 1e-12))
    let ancestral = try ReverseSDE(.ancestral, finish: .noise).plan(grid).updates[0]
    #expect(agree(ancestral.sample, 2, 1e-12))
    #expect(agree(ancestral.epsilon, -1.5 / 0.8.squareRoot(), 1e-12))
    #expect(agree(ancestral.noise, 0.75.squareRoot(), 1e-12))
  }

  /// One step by hand where α goes from 0.8 to 0.6 and σ from 0.3 to 0.5: r = ¾, G² = ¼ - 9/16 · 0.09. The same formula
  /// gives the other processes' steps.
  @Test func subPreservingStepsByHand() throws {
    let levels = [NoiseLevel(time: 1, alpha: 0.6, sigma: 0.5), NoiseLevel(time: 0, alpha: 0.8, sigma: 0.3)]
    let grid = TimeGrid(levels: levels)
    let update = try ReverseSDE(.reverseDiffusion, finish: .noise).plan(grid).updates[0]
    #expect(agree(update.sample, 1.25, 1e-12))
    #expect(agree(update.epsilon, -(0.25 - 9.0 / 16 * 0.09) / 0.5, 1e-12))
    #expect(agree(update.noise, (0.25 - 9.0 / 16 * 0.09).squareRoot(), 1e-12))
  }

  /// Predictor and corrector keep the marginal all the way from noise.
  @Test(arguments: all) func predictorAndCorrectorEndWithTheMarginal(schedule: ContinuousSchedule) throws {
    let model = GaussianModel()
    let grid = try TimeGrid.uniformTime(schedule, steps: 1000, to: 0.01)
    let plan = try ReverseSDE(.reverseDiffusion, corrector: .init(), finish: .noise).plan(grid)
    #expect(abs(plan.outputVariance(model) / model.marginalVariance(grid.levels[1000]) - 1) < 0.05)
  }

  @Test func denoisingTakesOneMoreEvaluation() throws {
    let schedule = ContinuousSchedule.variancePreserving()
    let grid = try TimeGrid.uniformTime(schedule, steps: 50)
    let plan = try ReverseSDE(.eulerMaruyama(schedule), finish: .denoised).plan(grid)
    #expect(plan.evaluations == 51)
    #expect(plan.updates[49].noise > 0)
    let last = SamplingPlan([.update(plan.updates[50])], start: grid.levels[50], initialScale: 1)
    let result = PlanExecutor(sampleSize: 1, denoiser: model.denoiser()).run(last, from: [0.9])[0]
    #expect(agree(result, model.x0(0.9, grid.levels[50]), 1e-9))
    let clean = try TimeGrid.discrete(.linear(), spacing: .trailing, steps: 5)
    #expect(throws: DiffusionError.self) { try ReverseSDE(.ancestral, finish: .denoised).plan(clean) }
  }

  @Test func correctorsComeBeforeThePredictor() throws {
    let grid = try TimeGrid.discrete(.linear(), spacing: .trailing, steps: 3)
    let plan = try ReverseSDE(.reverseDiffusion, corrector: .init(steps: 2, signalToNoise: 0.1)).plan(grid)
    #expect(plan.evaluations == 9)
    for (index, instruction) in plan.instructions.enumerated() {
      switch instruction {
      case .langevin(let step):
        #expect(index % 3 < 2)
        #expect(step.level == grid.levels[index / 3])
        let (now, next) = (step.level.alphaBar, grid.levels[index / 3 + 1].alphaBar)
        #expect(agree(step.factor, now / next, 1e-12))
      case .update: #expect(index % 3 == 2)
      }
    }
  }

  /// Corrector steps bring samples that are twice too wide back to the marginal, in the limit of many elements; what is
  /// left of the error is that of their finite size.
  @Test(arguments: all) func correctorsPullTowardsTheMarginal(schedule: ContinuousSchedule) throws {
    let model = GaussianModel()
    var grid = try TimeGrid.continuous(schedule, times: [0.5, 0.4999])
    grid.initialScale = 2 * model.marginalVariance(grid.levels[0]).squareRoot()
    let expected = model.marginalVariance(grid.levels[1])
    let method = ReverseSDE.Method.eulerMaruyama(schedule)
    let without = try ReverseSDE(method).plan(grid).outputVariance(model) / expected
    #expect(without > 3.9)
    let corrector = ReverseSDE.Corrector(steps: 400, signalToNoise: 0.1)
    let with = try ReverseSDE(method, corrector: corrector).plan(grid).outputVariance(model) / expected
    #expect(abs(with - 1) < 0.02, "\(with)")
  }
}
