@testable import Diffusion

/// A stored run, followed by a plan.
struct GoldenRun {
  let golden: DiffusersGolden
  let elements: [Int]
  let mapping: DiffusersMapping

  init(_ golden: DiffusersGolden, elements: [Int]) {
    self.golden = golden
    self.elements = elements
    mapping = DiffusersMapping(
      scheduler: golden.scheduler, config: golden.config, setTimesteps: golden.setTimesteps, step: golden.step)
  }

  func plan() throws -> SamplingPlan { try mapping.planner().plan(mapping.grid()) }

  /// The stored elements after every step that diffusers counts.
  func samples() throws -> [[Double]] { samples(of: try plan()) }

  /// The same of another plan.
  func samples(of plan: SamplingPlan) -> [[Double]] {
    let plan = mapping.countsEvaluations ? Self.finishingEvaluations(plan) : plan
    // The call of step() that an instruction belongs to: the steps finished before it.
    let calls = plan.updates.indices.map { index in plan.updates[..<index].count { $0.finishesStep } }
    var executor = PlanExecutor(sampleSize: DiffusersGolden.batchSize / 4, denoiser: DiffusersGolden.model)
    executor.secondOutput = DiffusersGolden.secondOutput
    executor.scalesInput = true
    executor.noise = { instruction, element in
      // Samples here are those of diffusers divided by σ_data, and so is their noise; no run with σ_data draws any.
      DiffusersGolden.noise(call: calls[instruction], element: element)
    }
    let start = DiffusersGolden.start.map { $0 * plan.initialScale * golden.startScale }
    return executor.trajectory(plan, from: start).map { sample in
      elements.map { sample[$0] * mapping.dataDeviation }
    }
  }

  /// The plan with a sample after all that follows an evaluation, before the next one.
  private static func finishingEvaluations(_ plan: SamplingPlan) -> SamplingPlan {
    var updates = plan.updates
    for index in updates.indices {
      updates[index].finishesStep = index + 1 == updates.count || updates[index + 1].evaluates
    }
    return SamplingPlan(updates.map { .update($0) }, start: plan.start, initialScale: plan.initialScale)
  }

  /// The largest difference over all steps, relative to a sample's value or, where that is small, to a hundredth of the
  /// step's largest sample: rounding in single precision is relative to the terms that are added up, not to a sum near 0.
  static func deviation(_ found: [[Double]], from stored: [[Double]]) -> Double {
    var worst = 0.0
    for (found, stored) in zip(found, stored) {
      let floor = 0.01 * stored.reduce(1e-30) { max($0, abs($1)) }
      for (one, other) in zip(found, stored) {
        let deviation = abs(one - other) / max(abs(other), floor)
        worst = deviation.isNaN ? .infinity : max(worst, deviation)
      }
    }
    return worst
  }
}
