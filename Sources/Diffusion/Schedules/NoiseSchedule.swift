/// The noise of a model trained in discrete time: ᾱ of the timesteps 0 ..< N (Ho et al., 2020).
///
/// Everything is kept in Double: in single precision `1 - ᾱ / ᾱ'` loses 5e-4 of its value at the first timesteps.
public struct NoiseSchedule: Sendable, Hashable {
  /// ᾱ of every timestep, falling; only the last may be 0.
  public let alphasBar: [Double]
  /// σ̂ = √((1 - ᾱ) / ᾱ) of every timestep, rising: the noise of a sample divided by α.
  public let sigmas: [Double]

  /// A schedule from ᾱ of every timestep.
  /// - Parameter alphasBar: Strictly falling numbers between 0 and 1; only the last may be 0.
  /// - Throws: `DiffusionError` if there are none, or one does not fit.
  public init(alphasBar: [Double]) throws(DiffusionError) {
    try require(!alphasBar.isEmpty, "A noise schedule needs at least one timestep.")
    var previous = 1.0
    for (timestep, value) in alphasBar.enumerated() {
      let isLast = timestep == alphasBar.count - 1
      try require(
        value < previous && (value > 0 || isLast && value == 0),
        "ᾱ at timestep \(timestep) is \(value): it must lie below the value before it, \(previous), and above 0"
          + (isLast ? " or be 0." : "."))
      previous = value
    }
    self.alphasBar = alphasBar
    sigmas = alphasBar.map { ((1 - $0) / $0).squareRoot() }
  }

  /// A schedule from β of every timestep: ᾱ is the product of 1 - β so far.
  /// - Parameter betas: Numbers above 0 and below 1; the last may be 1.
  /// - Throws: `DiffusionError` if there are none, or one does not fit.
  public init(betas: [Double]) throws(DiffusionError) {
    var alphaBar = 1.0
    var alphasBar: [Double] = []
    alphasBar.reserveCapacity(betas.count)
    for (timestep, beta) in betas.enumerated() {
      try require(
        beta > 0 && (beta < 1 || beta == 1 && timestep == betas.count - 1),
        "β at timestep \(timestep) is \(beta): it must lie between 0 and 1.")
      alphaBar *= 1 - beta
      alphasBar.append(alphaBar)
    }
    try self.init(alphasBar: alphasBar)
  }

  /// Timesteps of the schedule, N.
  public var count: Int { alphasBar.count }

  /// β = 1 - ᾱ / ᾱ' of every timestep.
  public var betas: [Double] {
    zip(alphasBar, [1] + alphasBar.dropLast()).map { 1 - $0 / $1 }
  }
}
