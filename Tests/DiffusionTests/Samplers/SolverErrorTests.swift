import Testing

@testable import Diffusion

/// Options and grids that solvers refuse, and what they say.
@Suite struct SolverErrorTests {
  private func expectRefusal(
    _ planner: any Planner, on grid: TimeGrid, saying part: String, _ location: SourceLocation = #_sourceLocation
  ) {
    do {
      _ = try planner.plan(grid)
      Issue.record("\(planner) took the grid", sourceLocation: location)
    } catch {
      #expect(error.kind == .invalidOption, sourceLocation: location)
      #expect(error.message.contains(part), "\(error)", sourceLocation: location)
    }
  }

  private static func grid(_ prediction: Prediction = .epsilon, clipping: Clipping = .none) throws -> TimeGrid {
    try .discrete(.linear(), spacing: .trailing, steps: 5, prediction: prediction, clipping: clipping)
  }

  @Test func orders() throws {
    let grid = try Self.grid()
    for order in [-1, 0, 4] {
      expectRefusal(DPMSolverPlusPlus(order: order), on: grid, saying: "1, 2 or 3, not \(order)")
      expectRefusal(UniPC(order: order), on: grid, saying: "1, 2 or 3, not \(order)")
    }
    for order in [0, 3] { expectRefusal(SDEDPMSolverPlusPlus(order: order), on: grid, saying: "1 or 2, not \(order)") }
    for order in [0, 5] { expectRefusal(LMS(order: order), on: grid, saying: "1 to 4, not \(order)") }
  }

  @Test func numbers() throws {
    let grid = try Self.grid()
    for eta in [-0.1, 1.1, .nan] { expectRefusal(EulerAncestral(eta: eta), on: grid, saying: "between 0") }
    for amount in [-1, Double.nan, .infinity] {
      expectRefusal(Euler(churn: Churn(amount: amount, time: .sigma)), on: grid, saying: "at least 0")
      expectRefusal(Heun(churn: Churn(amount: amount, time: .sigma)), on: grid, saying: "at least 0")
    }
    expectRefusal(Heun(churn: Churn(amount: 1, noise: -1, time: .sigma)), on: grid, saying: "noise factor")
    for deviation in [0, -1, Double.nan] {
      expectRefusal(LCM(dataDeviation: deviation), on: grid, saying: "above 0")
    }
    expectRefusal(LCM(timeScale: -1), on: grid, saying: "at least 0")
  }

  @Test func timestepsOfConsistencyModels() {
    for (steps, distilled, count) in [(0, 50, 1000), (51, 50, 1000), (4, 50, 40)] {
      #expect(throws: DiffusionError.self) { _ = try LCM.timesteps(steps, distilled: distilled, of: count) }
    }
  }

  @Test func methodsOfEpsilonDoNotClip() throws {
    let grid = try Self.grid(clipping: .fixed(limit: 1))
    for planner in [LMS(), PNDM()] as [any Planner] { expectRefusal(planner, on: grid, saying: "clipping off") }
  }

  @Test func levelsWithoutSignal() throws {
    let grid = try TimeGrid.discrete(
      .linear().zeroTerminalSNR(), spacing: .trailing, steps: 5, prediction: .vPrediction)
    for planner in [Heun(), LMS(), PNDM()] as [any Planner] { expectRefusal(planner, on: grid, saying: "floor") }
    var epsilon = grid
    epsilon.prediction = .epsilon
    for planner in [DPMSolverPlusPlus(), UniPC(), Euler(), EulerAncestral(), LCM()] as [any Planner] {
      expectRefusal(planner, on: epsilon, saying: "must predict v")
    }
  }

  @Test func gridsThatDoNotFall() throws {
    var rising = try Self.grid()
    rising.levels.swapAt(1, 2)
    var short = rising
    short.levels = [rising.levels[0]]
    var broken = rising
    broken.levels[1].sigma = .nan
    for (planner, _) in SolverPlanTests.planners {
      expectRefusal(planner, on: rising, saying: "from noise to data")
      expectRefusal(planner, on: short, saying: "at least two")
      expectRefusal(planner, on: broken, saying: "finite")
    }
  }

  @Test func flowsNeedAVelocity() throws {
    expectRefusal(FlowEuler(), on: try Self.grid(), saying: "take Euler")
    let flow = try TimeGrid.flow(steps: 5)
    expectRefusal(Euler(churn: Churn(amount: 1, time: .sigma)), on: flow, saying: "velocity")
  }

  @Test func rungeKuttaNeedsLevelsHalfway() throws {
    let grid = try Self.grid()
    let levels = grid.levels
    expectRefusal(PNDM(warmUp: .rungeKutta(halfway: [])), on: grid, saying: "three")
    expectRefusal(PNDM(warmUp: .rungeKutta(halfway: Array(levels[2...4]))), on: grid, saying: "between the step's ends")
    var short = grid
    short.levels = Array(levels.prefix(4))
    expectRefusal(PNDM(warmUp: .rungeKutta(halfway: Array(levels[0...2]))), on: short, saying: "at least four")
  }
}
