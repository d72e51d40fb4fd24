/// Γ_t = E‖ε_θ(x_t, t)‖² / dim, the mean square of a network's predicted noise: what Analytic-DPM needs to know of a
/// model (Bao et al., 2022). It is estimated once, over data, and kept beside the weights.
public struct GammaTable: Sendable, Hashable {
  /// One timestep's estimate.
  public struct Entry: Sendable, Hashable {
    /// What the network was told.
    public var time: Double
    /// Γ, near 0 for clean data and near 1 for noise.
    public var gamma: Double

    /// An estimate for a timestep.
    public init(time: Double, gamma: Double) {
      self.time = time
      self.gamma = gamma
    }
  }

  /// Estimates by rising time.
  public let entries: [Entry]

  /// A table from its entries, in any order.
  /// - Parameter entries: At least one, each of another time.
  /// - Throws: `DiffusionError` if there are none, two have the same time, or a number is not finite or Γ below 0.
  public init(_ entries: [Entry]) throws(DiffusionError) {
    guard !entries.isEmpty else { throw DiffusionError(.invalidData, "A Γ table needs at least one entry.") }
    let sorted = entries.sorted { $0.time < $1.time }
    for (index, entry) in sorted.enumerated() {
      guard entry.time.isFinite, entry.gamma.isFinite, entry.gamma >= 0 else {
        throw DiffusionError(
          .invalidData, "Γ at time \(entry.time) is \(entry.gamma): both must be finite, and Γ at least 0.")
      }
      guard index == 0 || sorted[index - 1].time < entry.time else {
        throw DiffusionError(.invalidData, "The Γ table has two entries for time \(entry.time).")
      }
    }
    self.entries = sorted
  }

  /// The table of data that are independent normal numbers, for an exact model: Γ = (1 - ᾱ) / (ᾱ s² + 1 - ᾱ).
  /// - Parameters:
  ///   - dataVariance: s², at least 0.
  ///   - levels: Noisy variance-preserving levels, each of another time.
  /// - Returns: Γ at each level's time.
  /// - Throws: `DiffusionError` if the variance is negative or levels share a time.
  public static func gaussian(dataVariance: Double, levels: [NoiseLevel]) throws(DiffusionError) -> GammaTable {
    try require(dataVariance >= 0 && dataVariance < .infinity, "The data's variance is \(dataVariance).")
    return try GammaTable(
      levels.map { level in
        let noise = level.sigma * level.sigma
        return Entry(time: level.time, gamma: noise / (level.alpha * level.alpha * dataVariance + noise))
      })
  }

  /// Γ at a time.
  /// - Parameters:
  ///   - time: What the network is told.
  ///   - interpolates: Whether a time between two entries takes what lies between theirs, linearly.
  /// - Returns: Γ.
  /// - Throws: `DiffusionError` if the table says nothing about that time.
  public func gamma(at time: Double, interpolates: Bool) throws(DiffusionError) -> Double {
    let after = entries.firstIndex { $0.time >= time }
    if let after, entries[after].time == time { return entries[after].gamma }
    guard interpolates, let after, after > 0 else {
      throw DiffusionError(
        .invalidData,
        "The Γ table has no entry for time \(time)\(interpolates ? ", nor entries on both sides of it" : ""): "
          + "estimate Γ on the timesteps that are sampled.")
    }
    let (low, high) = (entries[after - 1], entries[after])
    return low.gamma + (time - low.time) / (high.time - low.time) * (high.gamma - low.gamma)
  }
}
