@testable import Diffusion

/// Plans that repeat what diffusers does where it departs from the method it implements. They show that a stored run
/// differs in nothing else.
enum DiffusersMistakes {
  /// DDIM that steps to `t - N // S`, though the next evaluation takes the sample for one at the list's next timestep.
  static func ddim(_ mapping: DiffusersMapping) throws -> SamplingPlan {
    let grid = try mapping.grid()
    let schedule = try mapping.schedule()
    let stride = Double(mapping.trainingCount / mapping.steps)
    let plans = try grid.levels.dropLast().map { level in
      let time = level.time - stride
      let next =
        time < 0 ? grid.levels[grid.steps] : NoiseLevel(time: time, alphaBar: try schedule.alphaBar(at: time))
      var step = grid
      step.levels = [level, next]
      return try mapping.planner().plan(step)
    }
    return SamplingPlan(plans.flatMap(\.instructions), start: grid.levels[0], initialScale: grid.initialScale)
  }

  /// Euler's method with churn that evaluates the network before it adds the noise, at the lower level.
  static func churn(_ mapping: DiffusersMapping) throws -> SamplingPlan {
    let grid = try mapping.grid()
    guard let churn = (try mapping.planner() as? Euler)?.churn else { throw DiffusersMapping.Unknown(what: "churn") }
    let updates = zip(grid.levels, grid.levels.dropFirst()).map { level, next in
      var update = grid.update(from: level, to: next)
      let raise = churn.raise(level, on: grid, register: 0)
      update.sample = 1
      update.epsilon = next.sigma - (raise?.next ?? level).sigma
      update.noise = raise?.noise ?? 0
      return update
    }
    return SamplingPlan(updates.map { .update($0) }, start: grid.levels[0], initialScale: grid.initialScale)
  }

  /// PNDM that sums up v of several levels and takes ε from the sum at one of them, instead of summing up ε.
  static func velocitySums(_ mapping: DiffusersMapping) throws -> SamplingPlan {
    var grid = try mapping.grid()
    grid.prediction = .epsilon
    var plan = try mapping.planner().plan(grid)
    var start = grid.levels[0]
    for (index, instruction) in plan.instructions.enumerated() {
      guard case .update(var update) = instruction else { continue }
      // ε = α v + σ x at the step's start. The second update starts there too, with x in register 0.
      if index != 1 { start = update.level }
      let isSample = { (term: PlannedUpdate.HistoryTerm) in term.register == 0 }
      let total = update.epsilon + update.history.filter { !isSample($0) }.reduce(0) { $0 + $1.weight }
      update.epsilon *= start.alpha
      update.history = update.history.map { term in
        .init(term.register, isSample(term) ? term.weight + total * start.sigma : term.weight * start.alpha)
      }
      if !update.history.contains(where: isSample) { update.sample += total * start.sigma }
      plan.instructions[index] = .update(update)
    }
    return plan
  }
}
