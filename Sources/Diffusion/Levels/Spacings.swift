internal import Foundation

/// Which of a model's N timesteps a sampler of S steps visits, by the names that diffusers uses (table 2 of Lin et al.,
/// 2023).
///
/// Every list falls, holds S different timesteps and is rounded as numpy rounds, halves to even. A step leads from an
/// entry to the next one, never to `t - N / S`, which differs when S does not divide N.
public enum TimestepSpacing: Sendable, Hashable {
  /// `round(linspace(0, N - 1, S))`: DDPM, DDIM and PNDM.
  case linspace
  /// `linspace(0, N - 1, S)`, not rounded: Euler and Heun in σ.
  case fractionalLinspace
  /// `round(linspace(0, N - 1, S + 1))` without its 0: DPM-Solver and UniPC.
  case linspaceWithoutZero
  /// `i · (N // S) + offset`: DDPM, DDIM, PNDM, and Euler and Heun in σ.
  case leading(offset: Int)
  /// `i · (N // (S + 1)) + offset` without i = 0: DPM-Solver and UniPC.
  case leadingWithoutZero(offset: Int)
  /// `round(N - i · N / S) - 1`: all.
  case trailing
  /// `round(1 + i · (N - 1) / (S - 1)) - 1`: the trajectory of Analytic-DPM, which counts timesteps from 1. It differs
  /// from `linspace` where a half is rounded.
  case analyticTrajectory
  /// Every so many of the evenly spaced timesteps that a latent consistency model was distilled for, at most N:
  /// `LCM.timesteps`.
  case consistency(distilled: Int = LCM.distilledTimesteps)

  /// The timesteps of a sampler, from noise to data.
  /// - Parameters:
  ///   - steps: S.
  ///   - count: N, the timesteps the model was trained with.
  /// - Returns: S timesteps in 0 … N - 1.
  /// - Throws: `DiffusionError` if that many different timesteps do not exist, or a single step would not start at noise.
  public func timesteps(_ steps: Int, of count: Int = 1000) throws(DiffusionError) -> [Double] {
    try require(
      steps >= 1 && steps <= count, "\(steps) steps of a model of \(count) timesteps: give 1 to \(count).")
    if case .consistency(let distilled) = self {
      return try LCM.timesteps(steps, distilled: min(distilled, count), of: count)
    }
    let list = unchecked(steps, Double(count))
    try Self.check(list, count: count)
    return list
  }

  /// Checks a list of timesteps that was not made here.
  /// - Parameters:
  ///   - timesteps: From noise to data.
  ///   - count: The timesteps the model was trained with.
  /// - Throws: `DiffusionError` unless there is at least one, all are in 0 … count - 1, and they fall strictly.
  public static func check(_ timesteps: [Double], count: Int) throws(DiffusionError) {
    try require(!timesteps.isEmpty, "A list of timesteps needs at least one.")
    for (index, timestep) in timesteps.enumerated() {
      try require(
        timestep >= 0 && timestep <= Double(count - 1),
        "Timestep \(timestep), entry \(index), is outside the schedule's 0 … \(count - 1).")
      try require(
        index == 0 || timestep < timesteps[index - 1],
        "Timestep \(timestep), entry \(index), does not lie below the entry before it: take fewer steps or other timesteps."
      )
    }
    // numpy's spacings put a single step at timestep 0, where the model expects no noise.
    try require(
      count == 1 || timesteps[0] > 0,
      "The first timestep is 0, where a model sees data: take more steps, or a spacing that starts higher, such as trailing."
    )
  }

  private func unchecked(_ steps: Int, _ count: Double) -> [Double] {
    let last = count - 1
    switch self {
    case .linspace:
      return evenlySpaced(from: 0, to: last, count: steps).reversed().map { $0.rounded(.toNearestOrEven) }
    case .fractionalLinspace:
      return evenlySpaced(from: 0, to: last, count: steps).reversed()
    case .linspaceWithoutZero:
      return evenlySpaced(from: 0, to: last, count: steps + 1).reversed().dropLast()
        .map { $0.rounded(.toNearestOrEven) }
    case .leading(let offset):
      let ratio = (count / Double(steps)).rounded(.down)
      return (0..<steps).reversed().map { Double($0) * ratio + Double(offset) }
    case .leadingWithoutZero(let offset):
      let ratio = (count / Double(steps + 1)).rounded(.down)
      return (1...steps).reversed().map { Double($0) * ratio + Double(offset) }
    case .trailing:
      // numpy's `arange` repeats the rounded difference of its first two numbers; halves depend on it.
      let difference = (count - count / Double(steps)) - count
      return (0..<steps).map { (count + Double($0) * difference).rounded(.toNearestOrEven) - 1 }
    // `.consistency` has whole numbers of its own.
    case .analyticTrajectory, .consistency:
      guard steps > 1 else { return [last] }
      return (0..<steps).reversed().map {
        (1 + Double($0) * last / Double(steps - 1)).rounded(.toNearestOrEven) - 1
      }
    }
  }
}

/// Noise levels σ̂ that do not follow a model's timesteps.
public enum SigmaSpacing: Sendable, Hashable {
  /// `(σmax^(1/ρ) + i / (S - 1) · (σmin^(1/ρ) - σmax^(1/ρ)))^ρ` (Karras et al., 2022).
  case karras(rho: Double = 7)
  /// Evenly spaced in ln σ.
  case exponential

  /// The levels of a sampler, from noise to data. The final level is not among them.
  /// - Parameters:
  ///   - steps: S, how many levels.
  ///   - highest: σmax.
  ///   - lowest: σmin, above 0.
  /// - Returns: S falling numbers; σmax alone for one step.
  /// - Throws: `DiffusionError` if an option does not fit.
  public func sigmas(_ steps: Int, from highest: Double, to lowest: Double) throws(DiffusionError) -> [Double] {
    try require(steps >= 1, "\(steps) steps: a sampler needs at least one.")
    try require(
      0 < lowest && lowest < highest && highest < .infinity,
      "σ from \(highest) to \(lowest): the first must be finite and larger, the second above 0.")
    let ramp = evenlySpaced(from: 0, to: 1, count: steps)
    switch self {
    case .karras(let rho):
      try require(rho > 0 && rho < .infinity, "ρ is \(rho): it must be above 0; Karras et al. use 7.")
      let (first, last) = (pow(highest, 1 / rho), pow(lowest, 1 / rho))
      return ramp.map { pow(first + $0 * (last - first), rho) }
    case .exponential:
      return evenlySpaced(from: log(highest), to: log(lowest), count: steps).map(exp)
    }
  }

  /// The levels of a sampler between the ends of a schedule, or given ends.
  /// - Parameters:
  ///   - steps: S, how many levels.
  ///   - schedule: Where ends that are not given come from.
  ///   - highest: σmax, if not that of the last timestep.
  ///   - lowest: σmin, if not that of timestep 0.
  /// - Returns: S falling numbers.
  /// - Throws: `DiffusionError` if an option does not fit, such as a schedule that ends without signal.
  public func sigmas(
    _ steps: Int, of schedule: NoiseSchedule, from highest: Double? = nil, to lowest: Double? = nil
  ) throws(DiffusionError) -> [Double] {
    try sigmas(
      steps, from: highest ?? schedule.sigmas[schedule.count - 1], to: lowest ?? schedule.sigmas[0])
  }
}
