import Testing

@testable import Diffusion

@Suite struct PlannerErrorTests {
  private static let everywhere: [any Planner] = [
    DDPM(), DDIM(), DDIM(eta: 1), AnalyticDPM(.ddpm, .noiseResidual), ReverseSDE(.ancestral),
    ReverseSDE(.eulerMaruyama(.variancePreserving())), ProbabilityFlow(.variancePreserving(), .euler),
  ]

  private func refused(_ planner: any Planner, _ grid: TimeGrid) -> String? {
    do throws(DiffusionError) {
      _ = try planner.plan(grid)
      return nil
    } catch {
      #expect(error.kind == .invalidOption)
      return error.message
    }
  }

  @Test func aStepIsNeeded() {
    for planner in Self.everywhere {
      for levels in [[], [NoiseLevel(time: 0, alphaBar: 0.5)]] {
        #expect(refused(planner, TimeGrid(levels: levels)) != nil)
      }
    }
  }

  @Test func levelsMustBeUsable() {
    let clean = NoiseLevel(time: 0, alpha: 1, sigma: 0)
    for level in [
      NoiseLevel(time: 1, alpha: .nan, sigma: 1), NoiseLevel(time: 1, alpha: 1, sigma: .infinity),
      NoiseLevel(time: 1, alpha: -1, sigma: 0), NoiseLevel(time: 1, alpha: 0, sigma: 0), clean,
    ] {
      for planner in Self.everywhere { #expect(refused(planner, TimeGrid(levels: [level, clean])) != nil) }
    }
    let rising = TimeGrid(levels: [NoiseLevel(time: 0, alphaBar: 0.9), NoiseLevel(time: 1, alphaBar: 0.5)])
    for planner in Self.everywhere { #expect(refused(planner, rising) != nil) }
  }

  @Test func epsilonWithoutSignalPointsToV() throws {
    let silent = try NoiseSchedule.linear().zeroTerminalSNR()
    let grid = try TimeGrid.discrete(silent, spacing: .trailing, steps: 4)
    for planner in [DDPM(), DDIM()] as [any Planner] {
      let message = try #require(refused(planner, grid))
      #expect(message.contains("predict v") && message.contains("2^-24"))
    }
    let velocity = try TimeGrid.discrete(silent, spacing: .trailing, steps: 4, prediction: .vPrediction)
    for planner in [DDPM(), DDIM(), DDIM(eta: 1), AnalyticDPM(.ddim(eta: 0), .noiseResidual)] as [any Planner] {
      for update in try planner.plan(velocity).updates {
        let numbers = [update.sample, update.x0, update.epsilon, update.noise, update.conversion.epsilonFromSample]
        for number in numbers { #expect(number.isFinite) }
      }
    }
    // Its first step divides by the signal.
    #expect(refused(ReverseSDE(.ancestral), velocity) != nil)
    let reverse = try ReverseSDE(.reverseDiffusion).plan(velocity)
    #expect(reverse.updates[0].sample == 2)
    #expect(throws: DiffusionError.self) {
      try TimeGrid.discrete(silent, spacing: .trailing, steps: 4, form: .exploding)
    }
    let floored = try NoiseSchedule.linear().zeroTerminalSNR(hasFloor: true)
    #expect(refused(DDIM(), try .discrete(floored, spacing: .trailing, steps: 4)) == nil)
  }

  @Test func noiseNeedsUnitVariance() throws {
    let table = try GammaTable([.init(time: 0, gamma: 0.5)])
    let grids = [
      try TimeGrid.flow(steps: 4), try .discrete(.linear(), spacing: .trailing, steps: 4, form: .exploding),
      try .uniformTime(.subVariancePreserving(), steps: 4),
    ]
    for grid in grids {
      for planner in [
        DDPM(), DDPM(variance: .learnedRange), DDIM(eta: 0.5), AnalyticDPM(.ddpm, .table(table, interpolates: true)),
      ] as [any Planner] {
        #expect(refused(planner, grid)?.contains("variance-preserving") == true)
      }
      #expect(refused(DDIM(), grid) == nil)
    }
    // A flow's velocity on levels that are not a flow's.
    let mixed = try TimeGrid.discrete(.linear(), spacing: .trailing, steps: 4, prediction: .flow)
    for planner in Self.everywhere { #expect(refused(planner, mixed) != nil) }
  }

  @Test func optionsAreChecked() throws {
    let grid = try TimeGrid.discrete(.linear(), spacing: .trailing, steps: 4)
    for eta in [-0.1, 1.1, .nan] {
      #expect(refused(DDIM(eta: eta), grid) != nil)
      #expect(refused(AnalyticDPM(.ddim(eta: eta), .noiseSquare), grid) != nil)
    }
    #expect(refused(AnalyticDPM(.ddpm, .noiseSquare, varianceCap: 0.1), grid) != nil)
    #expect(refused(AnalyticDPM(.ddpm, .noiseSquare, varianceCap: .nan), grid) != nil)
    #expect(refused(ReverseSDE(.ancestral, corrector: .init(steps: 0)), grid) != nil)
    #expect(refused(ReverseSDE(.ancestral, corrector: .init(signalToNoise: 0)), grid) != nil)
    #expect(refused(ReverseSDE(.ancestral, corrector: .init()), grid) == nil)
  }

  /// Numbers that float32 cannot hold or square are no plan.
  @Test func numbersBeyondTheDevicesAreRefused() throws {
    let silent = try NoiseSchedule(alphasBar: [0.5, 1e-300])
    var method = SamplingMethod(.ddim, steps: 2)
    method.schedule = .discrete(silent)
    #expect {
      try method.plan(prediction: .epsilon)
    } throws: {
      ($0 as? DiffusionError)?.message.contains("float32") == true
    }
    #expect(throws: Never.self) { try method.plan(prediction: .sample) }
    let far = try TimeGrid.sigmas([1e20, 1], time: .sigma)
    #expect(refused(Euler(), far)?.contains("float32") == true)
    for schedule in [
      ContinuousSchedule.varianceExploding(sigmaMax: 1e20), .variancePreserving(betaMax: 1e300),
      .subVariancePreserving(betaMax: 1e20),
    ] {
      #expect(throws: DiffusionError.self) { try schedule.check() }
    }
  }

  @Test func equationsNeedTheirOwnSchedule() throws {
    let sub = try TimeGrid.uniformTime(.subVariancePreserving(), steps: 4)
    // Ancestral steps are defined by β or Δ, which sub-VP levels do not have; every process has a forward step.
    #expect(refused(ReverseSDE(.reverseDiffusion), sub) == nil)
    #expect(refused(ReverseSDE(.ancestral), sub)?.contains("reverse diffusion") == true)
    #expect(refused(ReverseSDE(.eulerMaruyama(.subVariancePreserving())), sub) == nil)
    let others: [ContinuousSchedule] = [
      .variancePreserving(), .varianceExploding(), .subVariancePreserving(betaMax: 19),
      .subVariancePreserving(betaMin: -1),
    ]
    for other in others {
      #expect(refused(ReverseSDE(.eulerMaruyama(other)), sub) != nil)
      #expect(refused(ProbabilityFlow(other), sub) != nil)
    }
  }

  @Test func heunEndsAboveCleanData() {
    let schedule = ContinuousSchedule.variancePreserving()
    let grid = TimeGrid(levels: [schedule.level(at: 1), schedule.level(at: 0.5), schedule.level(at: 0)])
    #expect(refused(ProbabilityFlow(schedule, .heun), grid) != nil)
  }
}
