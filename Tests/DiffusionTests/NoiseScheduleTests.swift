import Testing

@testable import Diffusion

// Numbers: numpy 64-bit formulas, which agree with the 32-bit `alphas_cumprod` of diffusers 0.42.1 to 1.4e-5.
@Suite struct NoiseScheduleTests {
  private static let places = [0, 1, 99, 499, 998, 999]

  private func expect(_ schedule: NoiseSchedule, _ expected: [Double], _ tolerance: Double = 1e-12) {
    for (place, value) in zip(Self.places, expected) {
      #expect(agree(schedule.alphasBar[place], value, tolerance), "ᾱ_\(place)")
    }
  }

  @Test func linear() throws {
    expect(
      try .linear(),
      [
        0.9999, 0.9997800920720721, 0.89701814567496, 0.07858724288177824, 4.118193638138445e-05,
        4.035829765375676e-05,
      ])
  }

  @Test func scaledLinear() throws {
    expect(
      try .scaledLinear(),
      [
        0.9999, 0.9997973619004856, 0.9716971138291589, 0.3331877673563, 0.000748380060796751, 0.0007334124595808159,
      ])
    // Stable Diffusion's.
    expect(
      try .scaledLinear(from: 0.00085, to: 0.012),
      [
        0.99915, 0.9982960278384514, 0.8954627734950016, 0.27766965045646763, 0.004716698899875748,
        0.004660098513077238,
      ])
  }

  @Test func squaredCosine() throws {
    // The last factor is 1 - 0.999, which rounds at 1e-13.
    expect(
      try .squaredCosine(),
      [
        0.999958715775178, 0.9999125759273678, 0.9720927371139696, 0.4938435904406382, 2.4287669070348544e-06,
        2.4287669070348567e-09,
      ], 1e-9)
  }

  @Test func sigmoid() throws {
    expect(
      try .sigmoid(),
      [
        0.9998507947991829, 0.9997010188194536, 0.9807492988253783, 0.30193105660219516, 4.0489620005560006e-05,
        3.968181990533219e-05,
      ])
  }

  @Test func zeroTerminalSNREndsWithoutSignal() throws {
    let rescaled = try NoiseSchedule.linear().zeroTerminalSNR()
    expect(
      rescaled, [0.9999, 0.9997793254331531, 0.8963783098266697, 0.07602875054711475, 4.213262465088072e-09, 0], 1e-9)
    #expect(rescaled.alphasBar[999] == 0)
    #expect(rescaled.sigmas[999] == .infinity)
    let floored = try NoiseSchedule.linear().zeroTerminalSNR(hasFloor: true)
    #expect(floored.alphasBar[999] == 0x1p-24)
    // 4.2e-9 without the floor.
    #expect(agree(floored.alphasBar[998], 0x1p-24, 1e-8))
    #expect(floored.alphasBar[..<995] == rescaled.alphasBar[..<995])
    #expect(throws: DiffusionError.self) { try NoiseSchedule(betas: [0.5]).zeroTerminalSNR() }
  }

  @Test func betasAndAlphasBarAgree() throws {
    let betas = [0.1, 0.2, 0.5]
    let schedule = try NoiseSchedule(betas: betas)
    for (a, b) in zip(schedule.alphasBar, [0.9, 0.72, 0.36]) { #expect(agree(a, b, 1e-15)) }
    for (a, b) in zip(schedule.betas, betas) { #expect(agree(a, b, 1e-14)) }
    for (a, b) in zip(schedule.sigmas, [1.0 / 3, 0.62360956446232352, 4.0 / 3]) { #expect(agree(a, b, 1e-14)) }
  }

  @Test func timestepOfASigma() throws {
    let schedule = try NoiseSchedule.linear()
    // numpy's `interp` over ln σ; diffusers' `_sigma_to_t` gives the same to its 32 bits.
    let expected = [
      (36.90895160563345, 843.355429825579), (5.911208764768033, 592.9947056124696),
      (0.4913011708241883, 141.81732581363732), (1, 258.09301969495516), (1e-3, 0), (0, 0), (500, 999),
    ]
    for (sigma, timestep) in expected {
      #expect(abs(schedule.timestep(forSigma: sigma) - timestep) < 1e-9, "σ \(sigma)")
    }
    for timestep in 0..<1000 {
      #expect(abs(schedule.timestep(forSigma: schedule.sigmas[timestep]) - Double(timestep)) < 1e-9)
    }
    let silent = try schedule.zeroTerminalSNR()
    #expect(silent.timestep(forSigma: 1e9) == 998)
    #expect(silent.timestep(forSigma: .infinity) == 999)
  }

  @Test func betweenTimestepsSigmaIsLinear() throws {
    let schedule = try NoiseSchedule.linear()
    // diffusers' Euler with linspace spacing and 7 steps: σ at 832.5 is 33.664, at 499.5 it is 3.4336.
    #expect(abs(try schedule.sigma(at: 832.5) - 33.664) < 5e-4)
    #expect(abs(try schedule.sigma(at: 499.5) - 3.4336) < 5e-5)
    let sigma = try schedule.sigma(at: 499.5)
    #expect(agree(try schedule.alphaBar(at: 499.5), 1 / (1 + sigma * sigma), 1e-15))
    #expect(try schedule.alphaBar(at: 999) == schedule.alphasBar[999])
    for timestep in [-0.5, 999.5, .nan] {
      #expect(throws: DiffusionError.self) { try schedule.sigma(at: timestep) }
    }
  }

  @Test(arguments: [
    [], [1.0], [0.9, 0.9], [0.9, 0.95], [0, 0], [0.9, 0, 0], [.nan], [0.5, -0.1], [1.5],
  ])
  func alphasBarThatDoNotFallAreRefused(alphasBar: [Double]) {
    #expect(throws: DiffusionError.self) { try NoiseSchedule(alphasBar: alphasBar) }
  }

  @Test(arguments: [[], [0.0], [1.0, 0.5], [0.5, 1.5], [.nan], [-0.1]])
  func betasOutOfRangeAreRefused(betas: [Double]) {
    #expect(throws: DiffusionError.self) { try NoiseSchedule(betas: betas) }
  }

  @Test func familiesCheckTheirOptions() {
    #expect(throws: DiffusionError.self) { try NoiseSchedule.linear(from: 0.02, to: 0.01) }
    #expect(throws: DiffusionError.self) { try NoiseSchedule.linear(from: 0) }
    #expect(throws: DiffusionError.self) { try NoiseSchedule.scaledLinear(to: 1) }
    #expect(throws: DiffusionError.self) { try NoiseSchedule.sigmoid(count: 0) }
    #expect(throws: DiffusionError.self) { try NoiseSchedule.squaredCosine(maximum: 1) }
  }
}
