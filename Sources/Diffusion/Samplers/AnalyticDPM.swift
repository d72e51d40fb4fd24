/// DDPM or DDIM with the variance that is best for the model's own mean: `V = Λ + γ² c`, where Λ is the base's variance,
/// `γ = √ᾱ' - √((1 - ᾱ' - Λ) ᾱ / (1 - ᾱ))`, and c is the variance of x0 given x (Bao et al., 2022, "Analytic-DPM", and
/// the same year's NPR-DPM and SN-DPM).
public struct AnalyticDPM: Planner {
  /// The sampler whose variance is replaced.
  public enum Base: Sendable, Hashable {
    /// DDPM: Λ = β̃, and then γ² = ᾱ' β² / (1 - ᾱ)².
    case ddpm
    /// DDIM: Λ = η² β̃.
    case ddim(eta: Double)
  }

  /// How c is known.
  public enum Estimate: Sendable, Hashable {
    /// One number for a level, `c = clip((1 - ᾱ) / ᾱ · (1 - Γ), 0, limit)` with the table's `varianceLimit`, 1 for data in
    /// -1 … 1; whether Γ is interpolated between the table's levels, or each sampled one must be there.
    case table(GammaTable, interpolates: Bool)
    /// One for each pixel, from a second output g that estimates E[(ε - ε_θ)² | x]: NPR-DPM. Pixels are in -1 … 1.
    case noiseResidual
    /// One for each pixel, from a second output h that estimates E[ε² | x]: SN-DPM.
    case noiseSquare
  }

  /// The sampler whose variance is replaced.
  public var base: Base
  /// How c is known.
  public var estimate: Estimate
  /// The most that V may be on the step before the last, to the last noisy level, where noise is visible.
  public var varianceCap: Double?
  /// Whether the step to clean data draws noise too. Images are left without; exact variances are met with.
  public var drawsFinalNoise: Bool

  /// A sampler with its estimate.
  public init(
    _ base: Base, _ estimate: Estimate, varianceCap: Double? = nil, drawsFinalNoise: Bool = false
  ) {
    self.base = base
    self.estimate = estimate
    self.varianceCap = varianceCap
    self.drawsFinalNoise = drawsFinalNoise
  }

  /// The cap under which noise of pixels in -1 … 1 moves one by `levels` of 255 on average: E|√V z| = √(2V/π) (Bao et
  /// al., 2022, use 1 or 2).
  public static func pixelCap(levels: Double) -> Double {
    let deviation = levels * 2 / 255 * (Double.pi / 2).squareRoot()
    return deviation * deviation
  }

  /// The coefficients of every step.
  /// - Parameter grid: Variance-preserving levels.
  /// - Returns: One update for each step.
  /// - Throws: `DiffusionError` if an option, the levels or the prediction do not suit the method, or the table lacks a
  ///   level.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try checkOptions()
    try grid.checkVariancePreserving(for: "Analytic-DPM")
    let steps = grid.diffusionSteps
    var updates: [PlannedUpdate] = []
    for (index, step) in steps.enumerated() {
      var update = grid.update(from: step.level, to: step.next)
      let (variance, gain) = applyMean(of: step, to: &update)
      if drawsFinalNoise || !step.isLast {
        let isCapped = index + 1 < steps.count && steps[index + 1].isLast
        try applyNoise(step, variance, gain, isCapped ? varianceCap : nil, &update)
      }
      updates.append(update)
    }
    return grid.plan(updates)
  }

  private func checkOptions() throws(DiffusionError) {
    if case .ddim(let eta) = base {
      try require(eta >= 0 && eta <= 1, "η is \(eta): it must lie between 0, no noise, and 1, DDPM's noise.")
    }
    guard let varianceCap else { return }
    try require(varianceCap >= 0, "The cap of the variance is \(varianceCap): it must be at least 0.")
    guard case .table = estimate else {
      throw DiffusionError(
        .invalidOption, "A cap of the variance needs one variance for all pixels: leave it out with NPR-DPM and SN-DPM."
      )
    }
  }

  /// Sets the base's mean; what remains is Λ and γ².
  private func applyMean(of step: DiffusionStep, to update: inout PlannedUpdate) -> (variance: Double, gain: Double) {
    switch base {
    case .ddpm:
      let mean = step.posteriorMean
      (update.sample, update.x0) = mean
      return (step.posteriorVariance, mean.x0 * mean.x0)
    case .ddim(let eta):
      let variance = eta * eta * step.posteriorVariance
      let direction = step.direction(variance: variance)
      update.x0 = step.next.alpha
      update.epsilon = direction
      let root = step.next.alpha - direction * step.level.alpha / step.level.sigma
      return (variance, root * root)
    }
  }

  private func applyNoise(
    _ step: DiffusionStep, _ variance: Double, _ gain: Double, _ cap: Double?, _ update: inout PlannedUpdate
  ) throws(DiffusionError) {
    let (signal, noise) = (step.level.alpha * step.level.alpha, step.level.sigma * step.level.sigma)
    // A ratio that is finite on a device too keeps 0 · ratio at 0.
    let ratio = min(noise / signal, Double(Float.greatestFiniteMagnitude))
    switch estimate {
    case .table(let table, let interpolates):
      let gamma = try table.gamma(at: step.level, interpolates: interpolates)
      // Without signal x says nothing of x0, and Γ = 1 nothing of its variance: that is the data's.
      let posterior = (signal == 0 ? table.dataVariance : nil) ?? ratio * (1 - gamma)
      let total = variance + gain * min(max(posterior, 0), table.varianceLimit ?? .infinity)
      update.noise = min(total, cap ?? total).squareRoot()
    case .noiseResidual:
      update.noise = 1
      update.variance = .noiseResidual(base: variance, gain: gain, ratio: ratio)
    case .noiseSquare:
      update.noise = 1
      update.variance = .noiseSquare(base: variance, gain: gain, ratio: ratio)
    }
  }
}

extension SamplerName {
  /// Bao et al., 2022: the variance of DDPM.
  public static let analyticDDPM = SamplerName(
    "analytic-ddpm", spellings: ["analyticdpm"],
    Description("DDPM with the optimal variance (Analytic-DPM, Bao et al., 2022)", order: nil), family: .discrete,
    traits: SamplerTraits(
      .timesteps, variances: [.analytic], clipping: .usual, finalNoise: .always, isAnalytic: true,
      startsWithoutSignal: true,
      spacing: .trajectory)
  ) { method, _ throws(DiffusionError) in try AnalyticDPM(.ddpm, gammaOf: method) }

  /// Bao et al., 2022: the mean of DDIM.
  public static let analyticDDIM = SamplerName(
    "analytic-ddim", Description("DDIM's mean with the optimal variance (Analytic-DPM)", order: nil),
    family: .discrete,
    traits: SamplerTraits(
      .timesteps, eta: 0, variances: [.analytic], clipping: .usual, finalNoise: .always, isAnalytic: true,
      startsWithoutSignal: true, spacing: .trajectory)
  ) { method, _ throws(DiffusionError) in try AnalyticDPM(.ddim(eta: method.usedEta), gammaOf: method) }

  /// NPR-DPM (Bao et al., 2022): the variance of DDPM.
  public static let nprDDPM = SamplerName(
    "npr-ddpm", spellings: ["nprdpm"],
    Description("DDPM, variance per pixel from a second head (NPR-DPM, Bao et al., 2022)", order: nil),
    family: .discrete,
    traits: SamplerTraits(
      .timesteps, finalNoise: .always, needsSecondHead: true, startsWithoutSignal: true, spacing: .trajectory)
  ) { method, _ in AnalyticDPM(.ddpm, .noiseResidual, drawsFinalNoise: method.drawsFinalNoise) }

  /// NPR-DPM (Bao et al., 2022): the mean of DDIM.
  public static let nprDDIM = SamplerName(
    "npr-ddim", Description("DDIM's mean, variance per pixel from a second head (NPR-DPM)", order: nil),
    family: .discrete,
    traits: SamplerTraits(
      .timesteps, eta: 0, finalNoise: .always, needsSecondHead: true, startsWithoutSignal: true, spacing: .trajectory)
  ) { method, _ in AnalyticDPM(.ddim(eta: method.usedEta), .noiseResidual, drawsFinalNoise: method.drawsFinalNoise) }

  /// SN-DPM (Bao et al., 2022): the variance of DDPM.
  public static let snDDPM = SamplerName(
    "sn-ddpm", spellings: ["sndpm"],
    Description("DDPM, variance per pixel from squared noise (SN-DPM, Bao et al., 2022)", order: nil),
    family: .discrete,
    traits: SamplerTraits(
      .timesteps, finalNoise: .always, needsSecondHead: true, startsWithoutSignal: true, spacing: .trajectory)
  ) { method, _ in AnalyticDPM(.ddpm, .noiseSquare, drawsFinalNoise: method.drawsFinalNoise) }

  /// SN-DPM (Bao et al., 2022): the mean of DDIM.
  public static let snDDIM = SamplerName(
    "sn-ddim", Description("DDIM's mean, variance per pixel from squared noise (SN-DPM)", order: nil),
    family: .discrete,
    traits: SamplerTraits(
      .timesteps, eta: 0, finalNoise: .always, needsSecondHead: true, startsWithoutSignal: true, spacing: .trajectory)
  ) { method, _ in AnalyticDPM(.ddim(eta: method.usedEta), .noiseSquare, drawsFinalNoise: method.drawsFinalNoise) }
}

extension AnalyticDPM {
  /// The sampler with the options of a method, and its Γ at each timestep.
  init(_ base: Base, gammaOf method: SamplingMethod) throws(DiffusionError) {
    guard let gamma = method.gamma else {
      throw DiffusionError(
        .invalidOption, "The optimal variance needs Γ for each timestep: estimate it over data, or give a table.")
    }
    self.init(
      base, .table(gamma, interpolates: false), varianceCap: method.varianceCap,
      drawsFinalNoise: method.drawsFinalNoise)
  }
}
