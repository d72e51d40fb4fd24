/// Which options do something to a sampler, and which of their values are usual. Validation, lists and help all read these
/// lines: an option that would do nothing is refused.
public struct SamplerTraits: Sendable, Hashable {
  /// Kinds of noise schedules.
  public enum ScheduleKind: String, Sendable, Hashable, CaseIterable {
    /// A list of levels: `NoiseSchedule`.
    case timesteps
    /// A stochastic differential equation: `ContinuousSchedule`.
    case continuous
    /// Flow matching's own, α = 1 - σ.
    case flow

    /// The spacings that such a schedule has.
    public var spacings: [SamplingMethod.Spacing] {
      switch self {
      case .timesteps: SamplingMethod.Spacing.allCases.filter { $0 != .lambda }
      case .continuous: [.linspace, .lambda]
      case .flow: []
      }
    }
  }

  /// Whether limiting x0 does something.
  public enum ClippingUse: Sendable, Hashable {
    /// It works on ε, which is taken before x0 is limited.
    case none
    /// It takes any limit.
    case optional
    /// It takes any, and images are usually limited to ±1.
    case usual
  }

  /// When the step to clean data can draw noise.
  public enum FinalNoise: Sendable, Hashable {
    case never
    case always
    /// With the optimal variance only: the sampler's own vanishes there.
    case withOptimalVariance
  }

  /// The kinds of schedules it steps through, the usual one first.
  public let schedules: [ScheduleKind]
  /// The usual η; nil if it has none.
  public let eta: Double?
  /// The variances that can be asked for by name.
  public let variances: [SamplingMethod.Variance]
  /// Whether limiting x0 does something.
  public let clipping: ClippingUse
  /// When the step to clean data can draw noise.
  public let finalNoise: FinalNoise
  /// Whether the last step may lead to timestep 0 instead of clean data.
  public let takesFinalLevel: Bool
  /// Whether the noise's variance comes from a network's second output.
  public let needsSecondHead: Bool
  /// Whether steps can start at a level of noise alone.
  public let bearsNoSignal: Bool
  /// The spacing of timesteps where none is named.
  public let usualSpacing: SamplingMethod.Spacing

  fileprivate init(
    _ schedules: ScheduleKind..., eta: Double? = nil, variances: [SamplingMethod.Variance] = [],
    clipping: ClippingUse = .optional, finalNoise: FinalNoise = .never, takesFinalLevel: Bool = true,
    needsSecondHead: Bool = false, bearsNoSignal: Bool = false, spacing: SamplingMethod.Spacing = .linspace
  ) {
    self.schedules = schedules
    self.eta = eta
    self.variances = variances
    self.clipping = clipping
    self.finalNoise = finalNoise
    self.takesFinalLevel = takesFinalLevel && schedules.contains(.timesteps)
    self.needsSecondHead = needsSecondHead
    self.bearsNoSignal = bearsNoSignal
    usualSpacing = spacing
  }
}

extension SamplerName {
  /// Which options do something to this sampler.
  public var traits: SamplerTraits {
    switch self {
    case .ddpm:
      SamplerTraits(
        .timesteps, .continuous, variances: [.small, .large, .analytic, .learned], clipping: .usual,
        finalNoise: .always, bearsNoSignal: true)
    case .ddim:
      SamplerTraits(
        .timesteps, .continuous, eta: 0, variances: [.analytic], clipping: .usual, finalNoise: .withOptimalVariance,
        bearsNoSignal: true)
    case .analyticDDPM:
      SamplerTraits(
        .timesteps, variances: [.analytic], clipping: .usual, finalNoise: .always, bearsNoSignal: true,
        spacing: .trajectory)
    case .analyticDDIM:
      SamplerTraits(
        .timesteps, eta: 0, variances: [.analytic], clipping: .usual, finalNoise: .always, bearsNoSignal: true,
        spacing: .trajectory)
    case .nprDDPM, .snDDPM:
      SamplerTraits(
        .timesteps, finalNoise: .always, needsSecondHead: true, bearsNoSignal: true, spacing: .trajectory)
    case .nprDDIM, .snDDIM:
      SamplerTraits(
        .timesteps, eta: 0, finalNoise: .always, needsSecondHead: true, bearsNoSignal: true, spacing: .trajectory)
    case .dpmSolver1, .dpmSolver2M, .dpmSolver3M, .dpmSolver2S, .sdeDPMSolver, .unipc2, .unipc3, .euler:
      SamplerTraits(.timesteps, .continuous)
    case .eulerAncestral: SamplerTraits(.timesteps, .continuous, eta: 1)
    case .heun, .edm: SamplerTraits(.timesteps, .continuous, spacing: .karras)
    case .lms: SamplerTraits(.timesteps, .continuous, clipping: .none)
    case .pndm, .plms: SamplerTraits(.timesteps, clipping: .none)
    // Its last step goes to the predicted data, wherever the grid ends.
    case .lcm: SamplerTraits(.timesteps, takesFinalLevel: false)
    case .flowEuler: SamplerTraits(.flow)
    case .eulerMaruyama, .reverseDiffusion, .ancestral, .predictorCorrector, .odeEuler, .odeHeun:
      SamplerTraits(.continuous, clipping: .none)
    }
  }
}
