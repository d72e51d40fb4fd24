import Testing

@testable import Diffusion

@Suite struct GridTests {
  @Test func stepsLeadToTheNextEntry() throws {
    let schedule = try NoiseSchedule.linear()
    // 1000 // 7 = 142, but 856 leads to 713.
    let grid = try TimeGrid.discrete(schedule, spacing: .trailing, steps: 7)
    #expect(grid.levels.map(\.time) == [999, 856, 713, 570, 428, 285, 142, -1])
    #expect(grid.initialScale == 1 && !grid.scalesInput)
    #expect(agree(grid.levels[1].alphaBar, schedule.alphasBar[856], 1e-12))
    #expect(grid.levels[7].alpha == 1 && grid.levels[7].sigma == 0)
    let kept = try TimeGrid.discrete(schedule, spacing: .trailing, steps: 7, final: .firstTimestep)
    #expect(agree(kept.levels[7].alphaBar, 0.9999, 1e-12))
    #expect(kept.levels[7].time == 0)
  }

  // diffusers 0.42.1, Euler, 7 steps: σ and `init_noise_sigma`.
  @Test func explodingGridsStartAsDiffusersDo() throws {
    let linspace = try TimeGrid.discrete(.linear(), spacing: .fractionalLinspace, steps: 7, form: .exploding)
    let sigmas = [157.41, 33.664, 9.4889, 3.4336, 1.4624, 0.58561, 0.010001, 0]
    for (level, sigma) in zip(linspace.levels, sigmas) {
      #expect(level.alpha == 1)
      #expect(abs(level.sigma - sigma) <= 5e-5 * sigma)
    }
    #expect(abs(linspace.initialScale - 157.4073) < 5e-5)
    #expect(linspace.scalesInput)
    let leading = try TimeGrid.discrete(.linear(), spacing: .leading(offset: 0), steps: 7, form: .exploding)
    #expect(abs(leading.levels[0].sigma - 39.749) < 5e-4)
    #expect(abs(leading.initialScale - 39.7620) < 5e-5)
  }

  @Test func sigmaGrids() throws {
    let schedule = try NoiseSchedule.linear()
    let sigmas = try SigmaSpacing.karras().sigmas(5, of: schedule)
    let grid = try TimeGrid.sigmas(sigmas, time: .interpolated(schedule))
    #expect(grid.levels.map(\.sigma) == sigmas + [0])
    // diffusers: 999, 843.3562, 592.9974, 141.8220, 0, in 32 bits.
    for (level, time) in zip(grid.levels, [999, 843.3562, 592.9974, 141.822, 0]) {
      #expect(abs(level.time - time) < 6e-3)
    }
    let rounded = try TimeGrid.sigmas(sigmas, time: .rounded(schedule), form: .variancePreserving)
    #expect(rounded.levels.map(\.time).prefix(5) == [999, 843, 593, 142, 0])
    #expect(rounded.initialScale == 1)
    for (a, b) in zip(rounded.levels, grid.levels) {
      #expect(agree(a.sigma / a.alpha, b.sigma, 1e-12))
      #expect(agree(a.alpha * a.alpha + a.sigma * a.sigma, 1, 1e-12))
    }
    // diffusers' DPM-Solver with exponential σ: 999, 721, 302, 30, 0.
    let exponential = try SigmaSpacing.exponential.sigmas(5, of: schedule)
    let truncated = try TimeGrid.sigmas(exponential, time: .truncated(schedule))
    #expect(truncated.levels.map(\.time)[1..<4] == [721, 302, 30])
    let elucidated = try TimeGrid.sigmas([80, 1], time: .quarterLogarithm)
    #expect(agree(elucidated.levels[0].time, 1.0955066586684703, 1e-12))
    #expect(elucidated.levels[1].time == 0)
  }

  /// The list's lowest σ is the schedule's: the last step leads there from itself, and is empty exactly.
  @Test func aRepeatedFinalSigmaMakesAnEmptyStep() throws {
    let schedule = try NoiseSchedule.linear()
    let sigmas = try SigmaSpacing.karras().sigmas(5, of: schedule)
    for form in [LevelForm.exploding, .variancePreserving] {
      let grid = try TimeGrid.sigmas(sigmas, time: .sigma, final: schedule.sigmas[0], form: form)
      #expect(grid.spans.map(\.isEmpty) == [false, false, false, false, true])
      for (level, next) in zip(grid.levels, grid.levels.dropFirst().dropLast()) { #expect(next.lambda > level.lambda) }
    }
    #expect(try TimeGrid.sigmas(sigmas, time: .sigma, final: 0.001).steps == 5)
    #expect(throws: DiffusionError.self) { try TimeGrid.sigmas([2], time: .sigma, final: 2) }
  }

  @Test func badSigmasAreRefused() {
    for list in [[], [1, 1], [1, 2], [0], [1, 0, 0], [1, 0, 0.5], [1, -0.5], [.infinity, 1], [.nan], [-1]] as [[Double]]
    {
      #expect(throws: DiffusionError.self) { try TimeGrid.sigmas(list, time: .sigma) }
    }
    #expect(throws: DiffusionError.self) { try TimeGrid.sigmas([4, 2, 0], time: .sigma, final: 1) }
    for final in [-1, 3, .nan] {
      #expect(throws: DiffusionError.self) { try TimeGrid.sigmas([4, 2], time: .sigma, final: final) }
    }
  }

  // diffusers 0.42.1, FlowMatchEuler with shift 3 and σ of 1, 0.75, 0.5, 0.25.
  @Test func flowGrids() throws {
    let grid = try TimeGrid.flow(steps: 4, shift: 3)
    for (level, sigma) in zip(grid.levels, [1, 0.9, 0.75, 0.5, 0]) {
      #expect(abs(level.sigma - sigma) < 1e-12)
      #expect(abs(level.alpha - (1 - sigma)) < 1e-12)
      #expect(abs(level.time - 1000 * sigma) < 1e-9)
    }
    #expect(grid.prediction == .flow && grid.initialScale == 1)
    #expect(throws: DiffusionError.self) { try TimeGrid.flow(steps: 4, shift: 0) }
    #expect(throws: DiffusionError.self) { try TimeGrid.flow(steps: 0) }
    #expect(throws: DiffusionError.self) { try TimeGrid.flow(sigmas: [1.2, 0.5]) }
    #expect(throws: DiffusionError.self) { try TimeGrid.flow(sigmas: []) }
  }

  @Test func continuousGrids() throws {
    let schedule = ContinuousSchedule.variancePreserving()
    let grid = try TimeGrid.uniformLambda(schedule, steps: 12)
    let spacing = (grid.levels[12].lambda - grid.levels[0].lambda) / 12
    for (level, next) in zip(grid.levels, grid.levels.dropFirst()) {
      #expect(abs(next.lambda - level.lambda - spacing) < 1e-9)
    }
    #expect(grid.levels[0].time == 1 && grid.levels[12].time == 1e-3)
    let uniform = try TimeGrid.uniformTime(.varianceExploding(), steps: 4, to: 0.2)
    for (level, time) in zip(uniform.levels, [1, 0.8, 0.6, 0.4, 0.2]) { #expect(abs(level.time - time) < 1e-12) }
    #expect(uniform.initialScale == 50)
    for times in [[], [1], [0.5, 0.5], [0.5, 0], [1.5, 0.5], [0.5, .nan]] as [[Double]] {
      #expect(throws: DiffusionError.self) { try TimeGrid.continuous(schedule, times: times) }
    }
    #expect(throws: DiffusionError.self) { try TimeGrid.uniformLambda(schedule, steps: 3, to: 0) }
    #expect(throws: DiffusionError.self) { try TimeGrid.uniformTime(schedule, steps: 0) }
  }

  @Test func strengthKeepsTheLastSteps() throws {
    let grid = try TimeGrid.discrete(.linear(), spacing: .trailing, steps: 50)
    // diffusers: init_timestep = min(int(50 · strength), 50).
    for (strength, steps) in [(1.0, 50), (0.8, 40), (0.79, 39), (0.02, 1)] {
      let part = try grid.suffix(strength: strength)
      #expect(part.steps == steps)
      #expect(part.levels == Array(grid.levels[(50 - steps)...]))
      #expect(part.initialScale == part.levels[0].sigma)
    }
    // k / S is k steps, however the quotient and the product were rounded.
    for steps in 1...200 {
      let grid = TimeGrid(levels: (0...steps).map { NoiseLevel(time: 0, alpha: 1, sigma: Double(steps - $0)) })
      for kept in 1...steps { #expect(try grid.suffix(strength: Double(kept) / Double(steps)).steps == kept) }
    }
    for strength in [0, -0.5, 1.01, 0.019, .nan] {
      #expect(throws: DiffusionError.self) { try grid.suffix(strength: strength) }
    }
  }
}
