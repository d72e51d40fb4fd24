import Testing

@testable import Diffusion

// Lists and sums: diffusers 0.42.1, `set_timesteps` with N = 1000.
@Suite struct SpacingTests {
  @Test func oddStepCounts() throws {
    let expected: [(TimestepSpacing, [Double])] = [
      (.linspace, [999, 832, 666, 500, 333, 166, 0]),
      (.leading(offset: 1), [853, 711, 569, 427, 285, 143, 1]),
      (.trailing, [999, 856, 713, 570, 428, 285, 142]),
      (.linspaceWithoutZero, [999, 856, 714, 571, 428, 285, 143]),
      (.leadingWithoutZero(offset: 0), [875, 750, 625, 500, 375, 250, 125]),
      (.fractionalLinspace, [999, 832.5, 666, 499.5, 333, 166.5, 0]),
      (.analyticTrajectory, [999, 833, 666, 499, 333, 167, 0]),
    ]
    for (spacing, list) in expected { #expect(try spacing.timesteps(7) == list, "\(spacing)") }
    #expect(
      try TimestepSpacing.linspace.timesteps(15)
        == [999, 928, 856, 785, 714, 642, 571, 500, 428, 357, 285, 214, 143, 71, 0])
    #expect(
      try TimestepSpacing.trailing.timesteps(15)
        == [999, 932, 866, 799, 732, 666, 599, 532, 466, 399, 332, 266, 199, 132, 66])
  }

  /// Σ (i + 1) t_i over all lists of 2 … 997 steps. For 61 step counts numpy's `arange` gives trailing spacing one entry
  /// too many, -1, which is left out of the sum.
  @Test(arguments: [
    (TimestepSpacing.linspace, 55_167_460_620.0), (.leading(offset: 1), 44_860_601_918),
    (.trailing, 55_223_160_266), (.linspaceWithoutZero, 55_333_439_621),
    (.leadingWithoutZero(offset: 0), 44_860_601_419),
  ])
  func everyStepCount(spacing: TimestepSpacing, sum: Double) throws {
    var total = 0.0
    for steps in 2..<998 {
      let list = try spacing.timesteps(steps)
      #expect(list.count == steps)
      for (index, timestep) in list.enumerated() { total += Double(index + 1) * timestep }
    }
    #expect(total == sum)
  }

  @Test func singleSteps() throws {
    #expect(try TimestepSpacing.trailing.timesteps(1) == [999])
    #expect(try TimestepSpacing.analyticTrajectory.timesteps(1) == [999])
    #expect(try TimestepSpacing.linspaceWithoutZero.timesteps(1) == [999])
    // They would start at 0, where a network sees data.
    #expect(throws: DiffusionError.self) { try TimestepSpacing.linspace.timesteps(1) }
    #expect(throws: DiffusionError.self) { try TimestepSpacing.leading(offset: 0).timesteps(1) }
  }

  @Test func impossibleStepCounts() throws {
    for steps in [0, -3, 1001] {
      #expect(throws: DiffusionError.self) { try TimestepSpacing.trailing.timesteps(steps) }
    }
    #expect(try TimestepSpacing.trailing.timesteps(1000).last == 0)
    // N // (S + 1) = 0 would repeat timestep 0.
    #expect(throws: DiffusionError.self) { try TimestepSpacing.leadingWithoutZero(offset: 0).timesteps(1000) }
    // 999 + 1 is outside.
    #expect(throws: DiffusionError.self) { try TimestepSpacing.leading(offset: 1).timesteps(1000) }
    #expect(throws: DiffusionError.self) { try TimestepSpacing.leading(offset: -1).timesteps(10) }
  }

  @Test func explicitListsAreChecked() throws {
    try TimestepSpacing.check([999, 500.5, 0], count: 1000)
    for list in [[], [1000], [500, 500], [400, 500], [500, -1], [.nan], [0]] {
      #expect(throws: DiffusionError.self) { try TimestepSpacing.check(list, count: 1000) }
    }
  }

  @Test func sigmaSpacings() throws {
    let schedule = try NoiseSchedule.linear()
    let karras = try SigmaSpacing.karras().sigmas(5, of: schedule)
    let exponential = try SigmaSpacing.exponential.sigmas(5, of: schedule)
    let expected = [157.40728081040749, 36.90895160563345, 5.911208764768033, 0.4913011708241883, 0.010000500037502566]
    for (a, b) in zip(karras, expected) { #expect(agree(a, b, 1e-12)) }
    let even = [157.40728081040763, 14.053161634984136, 1.254651950800563, 0.11201404769507126, 0.010000500037502575]
    for (a, b) in zip(exponential, even) { #expect(agree(a, b, 1e-12)) }
    let elucidated = try SigmaSpacing.karras().sigmas(4, from: 80, to: 0.002)
    for (a, b) in zip(elucidated, [80, 9.723201355260132, 0.46997905799774714, 0.002]) { #expect(agree(a, b, 1e-12)) }
    #expect(try SigmaSpacing.karras().sigmas(1, from: 80, to: 0.002).count == 1)
  }

  @Test func badSigmaOptionsAreRefused() throws {
    #expect(throws: DiffusionError.self) { try SigmaSpacing.karras().sigmas(0, from: 80, to: 0.002) }
    #expect(throws: DiffusionError.self) { try SigmaSpacing.karras(rho: 0).sigmas(3, from: 80, to: 0.002) }
    #expect(throws: DiffusionError.self) { try SigmaSpacing.exponential.sigmas(3, from: 80, to: 0) }
    #expect(throws: DiffusionError.self) { try SigmaSpacing.exponential.sigmas(3, from: 1, to: 2) }
    let silent = try NoiseSchedule.linear().zeroTerminalSNR()
    #expect(throws: DiffusionError.self) { try SigmaSpacing.karras().sigmas(3, of: silent) }
  }
}
