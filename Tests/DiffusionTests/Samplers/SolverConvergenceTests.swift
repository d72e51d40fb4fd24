import Foundation
import Testing

@testable import Diffusion

/// Errors of the solvers on Gaussian data, whose probability flow is known in closed form: the numbers of the project's
/// specification, from 12 to 384 evaluations.
@Suite struct SolverConvergenceTests {
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var planner: any Planner
    var coarse: Double
    var fine: Double
    var slope: Double
    var isKarras = false
  }

  static let cases = [
    Case(description: "DDIM", planner: DDIM(), coarse: 8.85e-2, fine: 3.04e-3, slope: 1),
    Case(description: "Euler", planner: Euler(), coarse: 8.85e-2, fine: 3.04e-3, slope: 1),
    Case(
      description: "2M", planner: DPMSolverPlusPlus(order: 2, lowerOrderFinal: false), coarse: 1.39e-2, fine: 1.90e-5,
      slope: 2),
    Case(
      description: "3M", planner: DPMSolverPlusPlus(order: 3, lowerOrderFinal: false), coarse: 1.54e-2, fine: 6.38e-6,
      slope: 2),
    // The specification has only the fine error; the coarse one is this package's.
    Case(
      description: "UniPC-2", planner: UniPC(order: 2, lowerOrderFinal: false), coarse: 1.467e-2, fine: 6.34e-7,
      slope: 3),
    Case(description: "Heun/Karras", planner: Heun(), coarse: 2.87e-1, fine: 2.08e-4, slope: 2, isKarras: true),
  ]

  static let model = GaussianModel(mean: 0.3, variance: 0.25)

  /// Start points: 29 quantiles of the marginal at T. Their deviation, 0.978 of the marginal's, is that of the points
  /// behind the specification's numbers, which all solvers' errors agree on; errors are linear in it.
  private static func starts(_ level: NoiseLevel) -> [Double] {
    let deviation = model.marginalVariance(level).squareRoot()
    return (0..<29).map { level.alpha * model.mean + deviation * quantile((Double($0) + 0.5) / 29) }
  }

  /// The normal distribution's quantile, by halving.
  private static func quantile(_ share: Double) -> Double {
    var (low, high) = (-10.0, 10.0)
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < share { low = middle } else { high = middle }
    }
    return low
  }

  /// λ evenly spaced between T = 1 and 1e-3, or Karras' σ between the σ̂ of those times.
  private static func grid(evaluations: Int, isKarras: Bool) throws -> TimeGrid {
    let uniform = try TimeGrid.uniformLambda(.variancePreserving(), steps: evaluations)
    guard isKarras else { return uniform }
    let steps = evaluations / 2
    let sigmas = try SigmaSpacing.karras().sigmas(
      steps + 1, from: uniform.levels[0].exploding.sigma, to: uniform.levels[evaluations].exploding.sigma)
    return TimeGrid(levels: sigmas.map { NoiseLevel(time: $0, alpha: 1, sigma: $0) })
  }

  static func error(_ planner: any Planner, evaluations: Int, isKarras: Bool = false) throws -> Double {
    let grid = try grid(evaluations: evaluations, isKarras: isKarras)
    let plan = try planner.plan(grid)
    #expect(plan.evaluations == evaluations)
    let starts = starts(grid.levels[0])
    let found = PlanExecutor(sampleSize: starts.count, denoiser: model.denoiser()).run(plan, from: starts)
    let squares = zip(starts, found).map { start, end in
      let error = end - model.flowed(start, from: grid.levels[0], to: grid.levels[grid.steps])
      return error * error
    }
    return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
  }

  @Test(arguments: cases) func errorsAreThoseOfTheSpecification(_ test: Case) throws {
    let coarse = try Self.error(test.planner, evaluations: 12, isKarras: test.isKarras)
    let fine = try Self.error(test.planner, evaluations: 384, isKarras: test.isKarras)
    #expect(abs(coarse / test.coarse - 1) < 0.005, "\(coarse)")
    #expect(abs(fine / test.fine - 1) < 0.005, "\(fine)")
  }

  @Test(arguments: cases) func slopesAreTheOrders(_ test: Case) throws {
    let half = try Self.error(test.planner, evaluations: 192, isKarras: test.isKarras)
    let whole = try Self.error(test.planner, evaluations: 384, isKarras: test.isKarras)
    #expect(abs(log2(half / whole) - test.slope) < 0.06, "\(log2(half / whole))")
  }

  /// Solvers that the specification has no numbers for.
  @Test(arguments: [
    Case(description: "2M heun", planner: DPMSolverPlusPlus(variant: .heun), coarse: 0, fine: 0, slope: 2),
    Case(description: "2S", planner: DPMSolverSinglestep(lowerOrderFinal: false), coarse: 0, fine: 0, slope: 2),
    Case(
      description: "UniPC-2 bh1", planner: UniPC(variant: .bh1, lowerOrderFinal: false), coarse: 0, fine: 0, slope: 3),
    Case(
      description: "UniPC-2 alone", planner: UniPC(corrector: .never, lowerOrderFinal: false), coarse: 0, fine: 0,
      slope: 2),
    Case(description: "UniPC-3", planner: UniPC(order: 3, lowerOrderFinal: false), coarse: 0, fine: 0, slope: 4),
    Case(description: "LMS-2", planner: LMS(order: 2), coarse: 0, fine: 0, slope: 2),
    Case(description: "LMS-3", planner: LMS(order: 3), coarse: 0, fine: 0, slope: 3),
  ])
  func otherSlopesAreTheOrders(_ test: Case) throws {
    let half = try Self.error(test.planner, evaluations: 192)
    let whole = try Self.error(test.planner, evaluations: 384)
    #expect(abs(log2(half / whole) - test.slope) < 0.15, "\(log2(half / whole))")
  }
}
