import Foundation
import Testing

@testable import Diffusion

/// Samples of few steps, of which the first and the last are special: without older outputs, of lower order, to clean
/// data, or from the lowest σ to itself.
@Suite struct EndGoldenTests {
  private static let lines = (try? SchedulerGoldens.ends.get())?.lines ?? []

  @Test func theFileHoldsTheRuns() throws {
    let lines = try SchedulerGoldens.ends.get().lines
    #expect(lines.count == 135)
    for line in lines { #expect(line.runs.map(\.steps) == [1, 2, 3, 10, 16]) }
  }

  @Test(arguments: lines) func samplesAreThoseOfDiffusers(line: SchedulerGoldens.Line) throws {
    let elements = try SchedulerGoldens.ends.get().elements
    for run in line.runs where !startsAtData(line, run.steps) {
      let mapping = try line.mapping(steps: run.steps)
      func plan() throws -> SamplingPlan {
        if line.isRead { return try line.configuration().plan(steps: run.steps) }
        return try mapping.planner().plan(mapping.grid())
      }
      // PNDM's warm-up takes three of at least four steps.
      if line.scheduler == "PNDMScheduler", run.error != nil {
        #expect(throws: DiffusionError.self) { try plan() }
        continue
      }
      let golden = DiffusersGolden(
        name: "", scheduler: line.scheduler, config: line.config, setTimesteps: mapping.setTimesteps,
        step: mapping.step, timesteps: [], sigmas: nil, initNoiseSigma: 1, startScale: 1, rounding: 0, samples: [],
        double: nil)
      // A step from σmax to itself.
      if line.scheduler == "UniPCMultistepScheduler", run.steps == 1, mapping.sigmaSpacing != nil,
        line.config.text("final_sigmas_type", default: "") == "sigma_min"
      {
        #expect(throws: DiffusionError.self) { try plan() }
        continue
      }
      let found = GoldenRun(golden, elements: elements).samples(of: try plan())
      #expect(found.allSatisfy { $0.allSatisfy(\.isFinite) }, "\(run.steps) steps")
      let last = try #require(found.last)
      if let sample = run.sample {
        #expect(GoldenRun.deviation([last], from: [sample]) < 1e-7, "\(run.steps) steps")
      } else if let before = run.before, run.error == nil, found.count > 1 {
        #expect(GoldenRun.deviation([found[found.count - 2]], from: [before]) < 1e-7, "\(run.steps) steps, but one")
      }
    }
  }

  /// A single step that diffusers takes at timestep 0; `GridGoldenTests` says what is done here.
  private func startsAtData(_ line: SchedulerGoldens.Line, _ steps: Int) -> Bool {
    switch line.scheduler {
    case "PNDMScheduler": steps == 1 && line.config.count("steps_offset", default: 0) == 0
    case "EulerDiscreteScheduler", "LMSDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler": steps == 1
    default: false
    }
  }
}
