import Testing

@testable import Diffusion

/// What every solver's plan must hold, whatever its numbers.
@Suite struct SolverPlanTests {
  static let steps = 9

  private static func schedule() throws -> NoiseSchedule { try .linear() }

  private static func grid() throws -> TimeGrid { try .discrete(schedule(), spacing: .trailing, steps: steps) }

  /// All solvers with the number of evaluations that nine steps to clean data take.
  static let planners: [(planner: any Planner, evaluations: Int)] = [
    (DPMSolverPlusPlus(order: 1), 9), (DPMSolverPlusPlus(), 9), (DPMSolverPlusPlus(variant: .heun), 9),
    (DPMSolverPlusPlus(order: 3), 9), (DPMSolverPlusPlus(order: 3, lowerOrderFinal: false), 9),
    (SDEDPMSolverPlusPlus(), 9), (DPMSolverSinglestep(), 9), (DPMSolverSinglestep(lowerOrderFinal: false), 9),
    (UniPC(order: 1), 9), (UniPC(), 9), (UniPC(order: 3), 9), (UniPC(order: 3, variant: .bh1), 9),
    (UniPC(corrector: .never), 9), (UniPC(order: 3, corrector: .except([0, 3])), 9), (Euler(), 9),
    (Euler(churn: Churn(amount: 5, time: .sigma)), 9), (EulerAncestral(), 9), (Heun(), 17),
    (Heun(churn: Churn(amount: 5, time: .sigma)), 17), (LMS(), 9), (LMS(order: 2), 9), (PNDM(), 10), (LCM(), 9),
  ]

  @Test(arguments: planners.indices) func plansKeepTheContract(index: Int) throws {
    let (planner, evaluations) = Self.planners[index]
    try expectContract(planner.plan(Self.grid()), evaluations: evaluations)
  }

  @Test func rungeKuttaKeepsTheContract() throws {
    let schedule = try Self.schedule()
    let grid = try Self.grid()
    let halfway = try zip(grid.levels, grid.levels.dropFirst()).prefix(3).map { level, next in
      let time = ((level.time + next.time) / 2).rounded()
      return NoiseLevel(time: time, alphaBar: try schedule.alphaBar(at: time))
    }
    try expectContract(PNDM(warmUp: .rungeKutta(halfway: halfway)).plan(grid), evaluations: 18)
  }

  private func expectContract(_ plan: SamplingPlan, evaluations: Int) throws {
    #expect(plan.evaluations == evaluations)
    #expect(plan.updates.count { $0.finishesStep } == Self.steps)
    #expect(plan.updates.last?.finishesStep == true)
    let end = try Self.grid().levels.last
    #expect(plan.updates.last?.next == end)
    var written: Set<Int> = [0]
    for update in plan.updates {
      #expect(update.history.count <= 3)
      let read = Set(update.history.map(\.register) + [update.input])
      #expect(read.isSubset(of: written))
      let kept = [update.keptX0, update.keptEpsilon].compactMap { $0 }
      #expect(update.evaluates || kept.isEmpty)
      #expect(read.isDisjoint(with: kept) && !kept.contains(update.output))
      // The sum may overwrite the sample, but no other register that it reads.
      #expect(update.output == update.input || !read.contains(update.output))
      written.formUnion(kept + [update.output])
      let numbers = [update.sample, update.x0, update.epsilon, update.noise] + update.history.map(\.weight)
      #expect(numbers.allSatisfy { $0.isFinite })
    }
  }

  private func run(_ planner: any Planner, on grid: TimeGrid) throws -> [Double] {
    let executor = PlanExecutor(sampleSize: 3, denoiser: GaussianModel(mean: 0.3).denoiser(grid.prediction))
    return executor.run(try planner.plan(grid), from: [-1, 0.2, 1.5])
  }

  @Test(arguments: planners.indices.dropLast(2)) func aRepeatedLevelChangesNothing(index: Int) throws {
    let planner = Self.planners[index].planner
    // Churn is shared out over the steps; with two steps at a time it matters where they begin.
    let hasChurn = (planner as? Euler)?.churn != nil || (planner as? Heun)?.churn != nil
    guard !hasChurn, !(planner is DPMSolverSinglestep) else { return }
    let grid = try Self.grid()
    var repeated = grid
    repeated.levels.insert(grid.levels[4], at: 4)
    let expected = try run(planner, on: grid)
    for (found, expected) in zip(try run(planner, on: repeated), expected) { #expect(abs(found - expected) < 1e-12) }
  }

  /// A start without signal has an infinite λ: the first step is DDIM's, and its output counts nothing later.
  @Test(arguments: [Prediction.vPrediction, .sample]) func aStartWithoutSignalIsTaken(prediction: Prediction) throws {
    let schedule = try Self.schedule().zeroTerminalSNR()
    let grid = try TimeGrid.discrete(
      schedule, spacing: .trailing, steps: 24, final: .firstTimestep, prediction: prediction)
    #expect(grid.levels[0].alpha == 0)
    let exact = [-1, 0.2, 1.5].map { GaussianModel(mean: 0.3).flowed($0, from: grid.levels[0], to: grid.levels[24]) }
    for planner in [
      DPMSolverPlusPlus(), DPMSolverPlusPlus(order: 3), UniPC(), UniPC(order: 3), UniPC(variant: .bh1),
      DPMSolverSinglestep(), Euler(),
    ] as [any Planner] {
      for (found, exact) in zip(try run(planner, on: grid), exact) { #expect(abs(found - exact) < 0.12, "\(planner)") }
    }
  }

  /// The variance of the results for a centred Gaussian model: each source of noise alone, squared and added up.
  private func variance(_ planner: any Planner, on grid: TimeGrid) throws -> Double {
    let plan = try planner.plan(grid)
    var executor = PlanExecutor(sampleSize: 1, denoiser: GaussianModel().denoiser(grid.prediction))
    let start = executor.run(plan, from: [plan.initialScale])[0]
    return plan.updates.indices.reduce(start * start) { sum, source in
      guard plan.updates[source].noise != 0 else { return sum }
      executor.noise = { instruction, _ in instruction == source ? 1 : 0 }
      let response = executor.run(plan, from: [0])[0]
      return sum + response * response
    }
  }

  @Test func noiseKeepsTheDatasVariance() throws {
    let preserving = try TimeGrid.uniformLambda(.variancePreserving(), steps: 100)
    let end = GaussianModel().marginalVariance(preserving.levels[100])
    #expect(try abs(variance(SDEDPMSolverPlusPlus(), on: preserving) / end - 1) < 0.01)
    #expect(try abs(variance(EulerAncestral(), on: preserving) / end - 1) < 0.1)
    #expect(try abs(variance(EulerAncestral(eta: 0.5), on: preserving) / end - 1) < 0.1)

    let sigmas = try SigmaSpacing.karras().sigmas(100, from: 80, to: 0.002)
    let exploding = try TimeGrid.sigmas(sigmas, time: .sigma)
    let churn = Churn(amount: 10, range: 0.05...50, time: .sigma)
    #expect(try abs(variance(Heun(churn: churn), on: exploding) / 0.25 - 1) < 0.01)
    #expect(try abs(variance(Euler(churn: churn), on: exploding) / 0.25 - 1) < 0.11)
    // The exploding form starts from noise alone, and the data's variance is missing: 0.25 of 6400.
    #expect(try abs(variance(Heun(), on: exploding) / 0.25 - 1) < 0.01)
  }

  @Test func churnIsKeptToItsRange() throws {
    let sigmas = try SigmaSpacing.karras().sigmas(10, from: 80, to: 0.002)
    let grid = try TimeGrid.sigmas(sigmas, time: .quarterLogarithm)
    let plan = try Heun(churn: Churn(amount: 100, range: 0.1...10, noise: 1.007, time: .quarterLogarithm)).plan(grid)
    let raised = plan.updates.filter { $0.noise > 0 }
    #expect(raised.map(\.level.sigma) == sigmas.filter { (0.1...10).contains($0) })
    for update in raised {
      // γ is limited to √2 - 1, so the variance doubles.
      #expect(abs(update.next.sigma / update.level.sigma - 2.0.squareRoot()) < 1e-12)
      #expect(abs(update.noise - 1.007 * update.level.sigma) < 1e-12)
      #expect(abs(update.next.time - SigmaTime.quarterLogarithm.time(update.next.sigma)) < 1e-12)
    }
  }

  /// ∫ of a cubic through four places is exact.
  @Test func lagrangeIntegralsAreExact() {
    let places = [2.0, 3.0, 4.5, 7.0]
    let weights = LMS.integrals(places: places, to: 0.5)
    for power in 0...3 {
      func raised(_ x: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { product, _ in product * x } }
      let sum = zip(weights, places).reduce(0) { $0 + $1.0 * raised($1.1, power) }
      let exact = (raised(0.5, power + 1) - raised(2, power + 1)) / Double(power + 1)
      #expect(abs(sum - exact) < 1e-12 * abs(exact))
    }
  }

  @Test func exponentialFunctionsJoinUp() {
    for order in 1...4 {
      // The series up to 1 and the recursion beyond it.
      let inside = ExponentialFunctions.phi(order, -1)
      let outside = ExponentialFunctions.phi(order, -1.0.nextUp * (1 + 1e-12))
      #expect(abs(inside - outside) < 1e-11 * inside)
    }
    #expect(ExponentialFunctions.phi(2, 0) == 0.5)
  }

  @Test func consistencyTimestepsAreThoseDistilled() throws {
    let (four, one, all) = (try LCM.timesteps(4), try LCM.timesteps(1), try LCM.timesteps(50))
    #expect(four == [999, 759, 499, 259])
    #expect(one == [999])
    #expect(all.last == 19)
  }
}
