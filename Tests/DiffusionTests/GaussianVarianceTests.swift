import Testing

@testable import Diffusion

// The acceptance numbers for exact Gaussian data: linear schedule, trajectory round(1 + k (N - 1) / (K - 1)) down to
// ᾱ = 1, no clipping, all steps draw noise.
@Suite struct GaussianVarianceTests {
  private let model = GaussianModel()

  private func grid(_ steps: Int) throws -> TimeGrid {
    try .discrete(.linear(), spacing: .analyticTrajectory, steps: steps)
  }

  private func ratio(_ planner: any Planner, _ steps: Int) throws -> Double {
    try planner.plan(grid(steps)).outputVariance(model) / model.variance
  }

  @Test(arguments: [
    (5, 0.175949, 2.233810, 0.202655), (10, 0.416890, 1.434485, 0.523052), (25, 0.653489, 1.151768, 0.789302),
    (50, 0.785681, 1.071931, 0.890815), (100, 0.875924, 1.035007, 0.944192), (1000, 0.984501, 1.003408, 0.993990),
  ])
  func outputVarianceOverDataVariance(steps: Int, small: Double, large: Double, ddim: Double) throws {
    let printed = 5.1e-7
    #expect(abs(try ratio(DDPM(variance: .small, drawsFinalNoise: true), steps) - small) < printed)
    #expect(abs(try ratio(DDPM(variance: .large, drawsFinalNoise: true), steps) - large) < printed)
    #expect(abs(try ratio(DDIM(), steps) - ddim) < printed)
  }

  @Test func gammaOfGaussianData() throws {
    let levels = try NoiseSchedule.linear().alphasBar.enumerated().map {
      NoiseLevel(time: Double($0.offset), alphaBar: $0.element)
    }
    let table = try GammaTable.gaussian(dataVariance: 0.25, levels: levels)
    for (timestep, gamma, digits) in [
      (1, 3.99880e-4, 5e-10), (100, 0.314702, 5e-7), (500, 0.979123, 5e-7), (1000, 0.99998991, 5e-9),
    ] {
      #expect(abs(try table.gamma(at: Double(timestep - 1), interpolates: false) - gamma) < digits)
    }
  }

  private func exactTable() throws -> GammaTable {
    try .gaussian(dataVariance: model.variance, levels: Array(grid(1000).levels.dropLast()))
  }

  @Test func analyticDDPMIsExactForEveryStepCount() throws {
    let planner = AnalyticDPM(.ddpm, .table(try exactTable(), interpolates: false), drawsFinalNoise: true)
    for steps in 2...1000 { #expect(abs(try ratio(planner, steps) - 1) < 5e-7, "\(steps) steps") }
  }

  /// The right variance makes any base exact. Unlike DDPM these remember that the noise they start from has unit variance
  /// and the marginal a little less, so here they start from the marginal.
  @Test(arguments: [0, 0.3, 1], [2, 3, 17, 250])
  func analyticDDIMIsExact(eta: Double, steps: Int) throws {
    var grid = try grid(steps)
    grid.initialScale = model.marginalVariance(grid.levels[0]).squareRoot()
    let planner = AnalyticDPM(.ddim(eta: eta), .table(try exactTable(), interpolates: false), drawsFinalNoise: true)
    #expect(abs(try planner.plan(grid).outputVariance(model) / model.variance - 1) < 1e-10)
  }

  @Test func withoutTheLastNoiseVarianceIsMissing() throws {
    let value = try ratio(AnalyticDPM(.ddpm, .table(exactTable(), interpolates: false)), 10)
    // What is missing is c at the first timestep, (1 - ᾱ) / ᾱ · (1 - Γ).
    let first = try NoiseSchedule.linear().alphasBar[0]
    let missing = (1 - first) / first * (1 - (1 - first) / (first * 0.25 + 1 - first))
    #expect(abs(value + missing / 0.25 - 1) < 5e-7)
    #expect(value < 0.9997)
  }

  /// The variance of x' given x, both normal: Var' (1 - ᾱ/ᾱ' · Var' / Var), since Cov = √(ᾱ/ᾱ') Var'.
  @Test(arguments: [0.01, 1, 4, 16, 1e4], [2, 3, 10, 1000])
  func noiseOfAnyGaussianIsThePosteriors(variance: Double, steps: Int) throws {
    var method = SamplingMethod(.analyticDDPM, steps: steps)
    let levels = try method.grid(prediction: .epsilon).levels
    method.gamma = try .gaussian(dataVariance: variance, levels: levels.dropLast())
    method.drawsFinalNoise = true
    for update in try method.plan(prediction: .epsilon).updates {
      let (bar, next) = (update.level.alphaBar, update.next.alphaBar)
      let (now, then) = (bar * variance + 1 - bar, next * variance + 1 - next)
      #expect(agree(update.noise * update.noise, then * (1 - bar / next * then / now), 1e-6))
    }
  }

  /// An estimate that is too small for the model gives the base's variance, one that is 0 the largest.
  @Test func cIsClippedToTheUnitInterval() throws {
    let grid = try grid(10)
    for (gamma, c) in [(2.0, 0.0), (0.0, 1.0)] {
      let table = try GammaTable(grid.levels.dropLast().map { .init(time: $0.time, gamma: gamma) })
      let plan = try AnalyticDPM(.ddpm, .table(table, interpolates: false)).plan(grid)
      let small = try DDPM().plan(grid)
      // At 999 (1 - ᾱ) / ᾱ is above 1.
      let (update, base) = (plan.updates[0], small.updates[0])
      #expect(agree(update.noise * update.noise, base.noise * base.noise + base.x0 * base.x0 * c, 1e-12))
      #expect(update.sample == base.sample && update.x0 == base.x0)
    }
  }

  @Test func theCapLimitsOnlyTheStepToTheLastNoisyLevel() throws {
    let grid = try grid(10)
    let table = try GammaTable.gaussian(dataVariance: 0.25, levels: Array(grid.levels.dropLast()))
    let free = try AnalyticDPM(.ddim(eta: 1), .table(table, interpolates: false)).plan(grid)
    // One level of 255: √V = 2/255 · √(π/2).
    let cap = AnalyticDPM.pixelCap(levels: 1)
    #expect(agree(cap.squareRoot(), 0.00982991480247451, 1e-10))
    let capped = try AnalyticDPM(.ddim(eta: 1), .table(table, interpolates: false), varianceCap: cap).plan(grid)
    #expect(free.updates[8].noise > 0.02)
    #expect(capped.updates[8].noise == cap.squareRoot())
    #expect(capped.updates[9].noise == 0)
    for index in 0..<8 { #expect(capped.updates[index].noise == free.updates[index].noise) }
  }
}
