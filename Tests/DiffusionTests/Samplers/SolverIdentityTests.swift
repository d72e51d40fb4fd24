import Testing

@testable import Diffusion

/// Solvers that are the same method by different names.
@Suite struct SolverIdentityTests {
  private static let starts = (0..<9).map { Double($0) / 2 - 2 }

  private static func discrete(
    form: LevelForm = .variancePreserving, prediction: Prediction = .epsilon
  ) throws -> TimeGrid {
    try .discrete(.linear(), spacing: .trailing, steps: 12, form: form, prediction: prediction)
  }

  /// The samples after every step, with the exact denoiser of Gaussian data.
  private func trajectory(_ planner: any Planner, on grid: TimeGrid, scale: Double = 1) throws -> [[Double]] {
    let plan = try planner.plan(grid)
    var executor = PlanExecutor(
      sampleSize: Self.starts.count, denoiser: GaussianModel(mean: 0.3).denoiser(grid.prediction))
    // By step, as the methods need not have the same instructions.
    executor.noise = { instruction, element in
      DiffusersGolden.noise(call: plan.updates[..<instruction].count { $0.finishesStep }, element: element)
    }
    return executor.trajectory(plan, from: Self.starts.map { $0 * scale })
  }

  private func expectEqual(_ one: [[Double]], _ other: [[Double]]) {
    #expect(one.count == other.count)
    for (one, other) in zip(one, other) {
      for (one, other) in zip(one, other) { #expect(abs(one - other) < 1e-9 * max(1, abs(other))) }
    }
  }

  @Test(arguments: [Prediction.epsilon, .sample, .vPrediction])
  func ddimIsFirstOrderSolversAndEuler(prediction: Prediction) throws {
    let grid = try Self.discrete(prediction: prediction)
    let ddim = try trajectory(DDIM(), on: grid)
    expectEqual(try trajectory(DPMSolverPlusPlus(order: 1), on: grid), ddim)
    expectEqual(try trajectory(UniPC(order: 1, corrector: .never), on: grid), ddim)
    expectEqual(try trajectory(Euler(), on: grid), ddim)
    expectEqual(try trajectory(EulerAncestral(eta: 0), on: grid), ddim)
    expectEqual(try trajectory(LMS(order: 1), on: grid), ddim)
  }

  @Test func ddimIsEulerInSigma() throws {
    let preserving = try Self.discrete()
    let exploding = try Self.discrete(form: .exploding)
    let first = preserving.levels[0]
    let inSigma = try trajectory(Euler(), on: exploding, scale: 1 / first.alpha)
    let ddim = try trajectory(DDIM(), on: preserving)
    let rescaled = zip(inSigma, preserving.levels.dropFirst()).map { sample, level in sample.map { $0 * level.alpha } }
    expectEqual(rescaled, ddim)
  }

  @Test(arguments: [
    DPMSolverPlusPlus(order: 3) as any Planner, UniPC(), DPMSolverSinglestep(), SDEDPMSolverPlusPlus(), Heun(), LMS(),
    EulerAncestral(), PNDM(),
  ])
  func formsAreTheSame(planner: any Planner) throws {
    let preserving = try Self.discrete()
    let exploding = try Self.discrete(form: .exploding)
    let inSigma = try trajectory(planner, on: exploding, scale: 1 / preserving.levels[0].alpha)
    let found = try trajectory(planner, on: preserving)
    // PNDM's step depends on x only through y = x / α; all of them do.
    let rescaled = zip(inSigma, preserving.levels.dropFirst()).map { sample, level in sample.map { $0 * level.alpha } }
    expectEqual(rescaled, found)
  }

  /// What a network sees at a raised level does not depend on how levels are written.
  @Test(arguments: [true, false]) func churnIsTheSameInBothForms(isHeun: Bool) throws {
    let churn = Churn(amount: 3, range: 0.05...50, noise: 1.01, time: .interpolated(try .linear()))
    let planner: any Planner = isHeun ? Heun(churn: churn) : Euler(churn: churn)
    func samples(_ form: LevelForm) throws -> [[Double]] {
      let grid = try Self.discrete(form: form)
      let plan = try planner.plan(grid)
      var executor = PlanExecutor(sampleSize: Self.starts.count, denoiser: DiffusersGolden.model)
      executor.scalesInput = true
      executor.noise = { DiffusersGolden.noise(call: $0, element: $1) }
      let start = Self.starts.map { $0 / (form == .exploding ? grid.levels[0].alphaBar.squareRoot() : 1) }
      return zip(executor.trajectory(plan, from: start), grid.levels.dropFirst()).map { sample, level in
        sample.map { $0 / level.alpha }
      }
    }
    expectEqual(try samples(.variancePreserving), try samples(.exploding))
  }

  @Test(arguments: UniPC.Variant.allCases) func uniPCWithoutCorrectorIs2M(variant: UniPC.Variant) throws {
    let grid = try TimeGrid.uniformLambda(.variancePreserving(), steps: 12)
    let uniPC = try trajectory(UniPC(variant: variant, corrector: .never), on: grid)
    guard variant == .bh2 else {
      // B = -h is another weight for the same slope.
      let secondStep = try trajectory(DPMSolverPlusPlus(), on: grid)[1]
      #expect(abs(uniPC[1][0] - secondStep[0]) > 1e-6)
      return
    }
    expectEqual(uniPC, try trajectory(DPMSolverPlusPlus(), on: grid))
    let clean = try Self.discrete()
    expectEqual(
      try trajectory(UniPC(variant: variant, corrector: .never), on: clean),
      try trajectory(DPMSolverPlusPlus(), on: clean))
  }

  @Test func firstOrderSDEIsDDPM() throws {
    let grid = try Self.discrete()
    expectEqual(
      try trajectory(SDEDPMSolverPlusPlus(order: 1), on: grid), try trajectory(DDIM(eta: 1), on: grid))
    expectEqual(
      try trajectory(EulerAncestral(), on: grid), try trajectory(DDIM(eta: 1), on: grid))
  }

  @Test func flowEulerIsTheVelocitysStep() throws {
    let grid = try TimeGrid.flow(steps: 8, shift: 3)
    let model = GaussianModel(mean: 0.3)
    var x = Self.starts
    let expected = zip(grid.levels, grid.levels.dropFirst()).map { level, next in
      x = x.map { $0 + (next.sigma - level.sigma) * model.output($0, level, .flow) }
      return x
    }
    expectEqual(try trajectory(FlowEuler(), on: grid), expected)
    expectEqual(try trajectory(Euler(), on: grid), expected)
  }
}
