/// The ordinary differential equation whose marginals are those of the stochastic one (Song et al., 2021):
/// `dx/dt = f x - ½ g² s = f x + g² / (2σ) · ε`.
public struct ProbabilityFlow: Planner {
  /// How the equation is solved.
  public enum Method: Sendable, Hashable {
    /// One evaluation a step, first order.
    case euler
    /// Two evaluations a step, second order: the mean of the slopes at both ends.
    case heun
  }

  /// Where f and g² come from.
  public var schedule: ContinuousSchedule
  /// How the equation is solved.
  public var method: Method

  /// A solver for a schedule.
  public init(_ schedule: ContinuousSchedule, _ method: Method = .heun) {
    self.schedule = schedule
    self.method = method
  }

  /// The coefficients of every step.
  /// - Parameter grid: Levels of the schedule; the last must be noisy for Heun's method.
  /// - Returns: One update for each step of Euler's method, two of Heun's.
  /// - Throws: `DiffusionError` if the levels or the prediction do not suit the method.
  public func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan {
    try grid.checkLevels()
    let times = try schedule.times(of: grid)
    let slopes = zip(times, grid.levels).map { time, level in
      Slope(sample: schedule.drift(at: time), epsilon: schedule.diffusionSquared(at: time) / (2 * level.sigma))
    }
    if method == .heun, let last = grid.levels.last {
      try require(last.sigma > 0, "Heun's method evaluates at the last level, which has no noise: end above time 0.")
    }
    var updates: [PlannedUpdate] = []
    for index in 0..<grid.steps {
      let duration = times[index + 1] - times[index]
      let (level, next) = (grid.levels[index], grid.levels[index + 1])
      var first = grid.update(from: level, to: next)
      first.sample = 1 + slopes[index].sample * duration
      first.epsilon = slopes[index].epsilon * duration
      guard method == .heun else {
        updates.append(first)
        continue
      }
      // x alternates between registers 0 and 1, so that the old one is still there for the second update.
      first.input = index % 2
      first.output = 1 - first.input
      first.keptEpsilon = 2
      first.finishesStep = false
      var second = grid.update(from: next, to: next)
      second.input = first.output
      second.output = first.output
      second.sample = duration / 2 * slopes[index + 1].sample
      second.epsilon = duration / 2 * slopes[index + 1].epsilon
      second.history = [
        .init(first.input, 1 + duration / 2 * slopes[index].sample),
        .init(2, duration / 2 * slopes[index].epsilon),
      ]
      updates += [first, second]
    }
    return grid.plan(updates)
  }

  /// dx/dt = sample · x + epsilon · ε at a time.
  private struct Slope {
    var sample: Double
    var epsilon: Double
  }
}

extension SamplerName {
  /// The probability flow by Euler's method.
  public static let odeEuler = SamplerName(
    "ode-euler", Description("the probability-flow ODE in t by Euler's method", order: 1), family: .stochasticEquation,
    traits: SamplerTraits(.continuous, clipping: .none)
  ) { method, _ in ProbabilityFlow(method.usedContinuousSchedule, .euler) }

  /// The probability flow by Heun's method.
  public static let odeHeun = SamplerName(
    "ode-heun", Description("the probability-flow ODE in t by Heun's method", order: 2, evaluations: 2),
    family: .stochasticEquation, traits: SamplerTraits(.continuous, clipping: .none)
  ) { method, _ in ProbabilityFlow(method.usedContinuousSchedule, .heun) }
}
