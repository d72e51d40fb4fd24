/// A sampler: its names, what it takes and its solver. Each is declared in a file of its own, beside that solver;
/// `allCases`, in SamplerTable.swift, lists them.
public struct SamplerName: RawRepresentable, Sendable, Hashable, CaseIterable {
  /// A line about the sampler.
  public struct Description: Sendable, Hashable {
    /// What it is, and where it comes from.
    public let summary: String
    /// The order of convergence to the exact flow; nil where steps draw noise.
    public let order: Int?
    /// Evaluations of the denoiser each step takes.
    public let evaluationsPerStep: Int
    /// Whether steps draw noise, at least with the usual options.
    public let isStochastic: Bool

    init(_ summary: String, order: Int?, evaluations: Int = 1) {
      self.summary = summary
      self.order = order
      evaluationsPerStep = evaluations
      isStochastic = order == nil
    }
  }

  /// Which levels a sampler steps through.
  enum Family { case discrete, lambda, sigma, flow, stochasticEquation }

  /// The planner of a method with this sampler, for the whole grid of levels. Options are checked before.
  typealias MakePlanner = @Sendable (SamplingMethod, TimeGrid) throws(DiffusionError) -> any Planner

  /// The name on the command line.
  public let rawValue: String
  /// Other names, without what joins their words, and with p for +.
  let spellings: [String]
  /// What the sampler is.
  public let description: Description
  /// Which levels it steps through.
  let family: Family
  /// Which options do something to it.
  public let traits: SamplerTraits
  let makePlanner: MakePlanner

  init(
    _ name: String, spellings: [String] = [], _ description: Description, family: Family, traits: SamplerTraits,
    planner: @escaping MakePlanner
  ) {
    rawValue = name
    self.spellings = spellings
    self.description = description
    self.family = family
    self.traits = traits
    makePlanner = planner
  }

  /// The sampler of this name on the command line; nil if there is none.
  public init?(rawValue: String) {
    guard let name = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = name
  }

  /// A sampler by one of its names elsewhere: `dpm++ 2m`, `DPMPP_2M`, `unipc`, `euler_a` …
  ///
  /// - Parameter text: the name; case, and whether words are joined by spaces, `-` or `_`, do not matter.
  public init?(spelled text: String) {
    let plain = String(
      text.lowercased().filter { !" -_".contains($0) }.map { $0 == "+" ? "p" : $0 })
    guard
      let name = Self.allCases.first(where: { $0.rawValue.filter { $0 != "-" } == plain })
        ?? Self.allCases.first(where: { $0.spellings.contains(plain) })
    else { return nil }
    self = name
  }

  /// Whether both are the same sampler.
  public static func == (one: SamplerName, other: SamplerName) -> Bool { one.rawValue == other.rawValue }

  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

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
  /// Whether, in place of a model's own sampler, it ends where that one does (`set_alpha_to_one`).
  public let keepsFinalLevel: Bool
  /// Whether the noise has the optimal variance, whatever else is asked for: it needs Γ.
  public let isAnalytic: Bool
  /// Whether the noise's variance comes from a network's second output.
  public let needsSecondHead: Bool
  /// Whether steps can start at a level of noise alone.
  public let startsWithoutSignal: Bool
  /// The spacing of timesteps where none is named: that of the sampler's scheduler in diffusers, or, where that is leading,
  /// linspace. Leading starts below the noise that samples start from, the lower the fewer the steps, and with one step at
  /// data; a model's own file that says so is followed all the same.
  public let usualSpacing: SamplingMethod.Spacing

  init(
    _ schedules: ScheduleKind..., eta: Double? = nil, variances: [SamplingMethod.Variance] = [],
    clipping: ClippingUse = .optional, finalNoise: FinalNoise = .never, takesFinalLevel: Bool = true,
    keepsFinalLevel: Bool = false, isAnalytic: Bool = false, needsSecondHead: Bool = false,
    startsWithoutSignal: Bool = false, spacing: SamplingMethod.Spacing = .linspace
  ) {
    self.schedules = schedules
    self.eta = eta
    self.variances = variances
    self.clipping = clipping
    self.finalNoise = finalNoise
    self.takesFinalLevel = takesFinalLevel && schedules.contains(.timesteps)
    self.keepsFinalLevel = keepsFinalLevel
    self.isAnalytic = isAnalytic
    self.needsSecondHead = needsSecondHead
    self.startsWithoutSignal = startsWithoutSignal
    usualSpacing = spacing
  }
}
