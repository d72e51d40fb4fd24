import Testing

@testable import Diffusion

/// The table of what samplers take against their plans: an option is refused where it would change nothing, and changes
/// something where it is taken.
@Suite struct SamplerTraitsTests {
  private func plan(_ name: SamplerName, _ change: (inout SamplingMethod) throws -> Void = { _ in }) throws
    -> SamplingPlan
  {
    var method = SamplingMethod(name, steps: 6)
    try change(&method)
    let prediction: Prediction = name == .flowEuler ? .flow : .epsilon
    if method.needsGamma {
      let levels = try method.grid(prediction: prediction).levels.dropLast()
      method.gamma = try .gaussian(dataVariance: 0.25, levels: Array(levels))
    }
    return try method.plan(prediction: prediction)
  }

  private func isRefused(_ name: SamplerName, _ change: (inout SamplingMethod) throws -> Void) -> Bool {
    do {
      _ = try plan(name, change)
      return false
    } catch {
      return (error as? DiffusionError)?.kind == .invalidOption
    }
  }

  /// Whether any update reads x0, which alone is limited.
  private func usesX0(_ plan: SamplingPlan) -> Bool {
    plan.updates.contains { $0.evaluates && ($0.x0 != 0 || $0.keptX0 != nil) }
  }

  @Test(arguments: SamplerName.allCases) func clippingIsForThoseThatUseX0(name: SamplerName) throws {
    let limit = Clipping.fixed(limit: 1)
    #expect(usesX0(try plan(name)) == (name.traits.clipping != .none))
    #expect(isRefused(name) { $0.clipping = limit } == (name.traits.clipping == .none))
  }

  @Test(arguments: SamplerName.allCases) func etaChangesThePlanOrIsRefused(name: SamplerName) throws {
    guard let usual = name.traits.eta else {
      #expect(isRefused(name) { $0.eta = 0.5 })
      return
    }
    #expect(try plan(name) { $0.eta = usual } == plan(name))
    #expect(try plan(name) { $0.eta = 0.5 } != plan(name))
  }

  @Test(arguments: SamplerName.allCases, SamplingMethod.Variance.allCases)
  func variancesAreTakenOrRefused(name: SamplerName, variance: SamplingMethod.Variance) {
    let isTaken = !isRefused(name) { $0.variance = variance }
    #expect(isTaken == name.traits.variances.contains(variance))
  }

  @Test(arguments: SamplerName.allCases) func finalOptionsChangeThePlanOrAreRefused(name: SamplerName) throws {
    switch name.traits.finalNoise {
    case .never: #expect(isRefused(name) { $0.drawsFinalNoise = true })
    case .always: #expect(try plan(name) { $0.drawsFinalNoise = true } != plan(name))
    case .withOptimalVariance:
      #expect(isRefused(name) { $0.drawsFinalNoise = true })
      let analytic = try plan(name) { $0.variance = .analytic }
      #expect(
        try plan(name) {
          $0.variance = .analytic
          $0.drawsFinalNoise = true
        } != analytic)
    }
    guard name.traits.takesFinalLevel else {
      #expect(isRefused(name) { $0.final = .firstTimestep })
      return
    }
    #expect(try plan(name) { $0.final = .firstTimestep } != plan(name))
  }

  @Test(arguments: SamplerName.allCases) func schedulesAreTakenOrRefused(name: SamplerName) throws {
    let schedules: [(SamplerTraits.ScheduleKind, SamplingMethod.Schedule)] = [
      (.timesteps, .discrete(try .sigmoid())), (.continuous, .continuous(.variancePreserving(betaMax: 19))),
    ]
    for (kind, schedule) in schedules {
      #expect(isRefused(name) { $0.schedule = schedule } == !name.traits.schedules.contains(kind))
      guard name.traits.schedules.contains(kind) else { continue }
      for spacing in SamplingMethod.Spacing.allCases {
        let isTaken = !isRefused(name) {
          $0.schedule = schedule
          $0.spacing = spacing
        }
        // PNDM's halfway levels need timesteps that differ by more than rounding does.
        if name != .pndm { #expect(isTaken == kind.spacings.contains(spacing), "\(spacing)") }
      }
    }
    #expect(isRefused(name) { $0.shift = 3 } == (name != .flowEuler))
    #expect(
      isRefused(name) { $0.timesteps = [900, 400] } == !name.traits.schedules.contains(.timesteps) || name == .pndm)
  }

  /// Grids of continuous time end at noise, which every step draws.
  @Test func whatAGridLeavesWithoutEffectIsRefused() throws {
    let continuous = SamplingMethod.Schedule.continuous(.variancePreserving())
    let options: [(inout SamplingMethod) -> Void] = [
      { $0.drawsFinalNoise = true }, { $0.final = .firstTimestep }, { $0.final = .clean }, { $0.sigmas = [2, 1] },
    ]
    for option in options {
      #expect(
        isRefused(.ddpm) {
          $0.schedule = continuous
          option(&$0)
        })
    }
    #expect(
      isRefused(.ddpm) {
        $0.drawsFinalNoise = true
        $0.final = .firstTimestep
      })
    let table = try GammaTable([.init(time: 1, gamma: 0.5)])
    #expect(isRefused(.ddpm) { $0.gamma = table })
    #expect(isRefused(.ddpm) { $0.varianceCap = 0.1 })
  }

  @Test func secondHeadsAreNamed() throws {
    for name in SamplerName.allCases {
      let usesSecond = try plan(name).updates.contains { $0.variance != .fixed }
      #expect(usesSecond == name.traits.needsSecondHead, "\(name)")
    }
    #expect(SamplingMethod.ddpm(steps: 5, variance: .learned).needsSecondHead)
  }
}
