import Foundation
import ModelFiles
import Testing

@testable import Diffusion

/// scheduler_config.json: each class against the mapping that the stored runs of diffusers are checked with.
@Suite struct SchedulerConfigurationTests {
  private func read(_ fields: [String: Any]) throws -> SchedulerConfiguration {
    try read(String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self))
  }

  private func read(_ text: String) throws -> SchedulerConfiguration {
    let folder = try Folder()
    defer { withExtendedLifetime(folder) {} }
    return try SchedulerConfiguration(file: try folder.write("scheduler_config.json", text.utf8))
  }

  /// Stored runs of the classes that are read, with timesteps of the class's own.
  private static let runs: [String] = {
    let known = Set(SchedulerConfiguration.classes.map { $0.name })
    let stored = (try? DiffusersGoldens.stored.get())?.runs ?? []
    return stored.filter { run in
      known.contains(run.scheduler) && run.setTimesteps.numbers("timesteps") == nil && run.step.keys.isEmpty
    }.map(\.name)
  }()

  @Test func manyRunsAreCompared() { #expect(Self.runs.count > 40) }

  @Test(arguments: runs) func plansAreThoseOfTheStoredRuns(name: String) throws {
    let stored = try DiffusersGoldens.stored.get()
    let golden = try #require(stored.runs.first { $0.name == name })
    let mapping = DiffusersMapping(
      scheduler: golden.scheduler, config: golden.config, setTimesteps: golden.setTimesteps, step: golden.step)
    var fields = try Self.fields(of: name)
    fields["_class_name"] = golden.scheduler
    let configuration = try read(fields)
    let plan = try configuration.plan(steps: mapping.steps)
    #expect(plan == (try mapping.planner().plan(mapping.grid())))
  }

  /// A run's configuration as it stands in the file.
  private static func fields(of name: String) throws -> [String: Any] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = try String(contentsOf: folder.appending(path: "Goldens/diffusers.jsonl"), encoding: .utf8)
    for line in file.split(separator: "\n").dropFirst() {
      let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      if record["name"] as? String == name { return record["config"] as? [String: Any] ?? [:] }
    }
    return [:]
  }

  /// What diffusers 0.42.1 writes of a DPMSolverMultistepScheduler, with an infinity that JSON does not have.
  @Test func aSavedFileIsRead() throws {
    let configuration = try read(
      """
      {"_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.42.1", "algorithm_type": "dpmsolver++",
       "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001, "dynamic_thresholding_ratio": 0.995,
       "euler_at_final": false, "final_sigmas_type": "zero", "flow_shift": 1.0, "lambda_min_clipped": -Infinity,
       "lower_order_final": true, "num_train_timesteps": 1000, "prediction_type": "epsilon",
       "rescale_betas_zero_snr": false, "sample_max_value": 1.0, "solver_order": 2, "solver_type": "midpoint",
       "steps_offset": 0, "thresholding": false, "time_shift_type": "exponential", "timestep_spacing": "linspace",
       "trained_betas": null, "use_beta_sigmas": false, "use_dynamic_shifting": false,
       "use_exponential_sigmas": false, "use_flow_sigmas": false, "use_karras_sigmas": false, "use_lu_lambdas": false,
       "variance_type": null}
      """)
    #expect(configuration == (try read(#"{"_class_name": "DPMSolverMultistepScheduler"}"#)))
  }

  /// λ below the limit leaves the noisiest timesteps out: of the cosine schedule with -5.1 those from 981 on, by hand
  /// from ᾱ of its definition.
  @Test func lambdaMayBeLimited() throws {
    let fields: [String: Any] = [
      "_class_name": "DPMSolverMultistepScheduler", "beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1,
    ]
    let configuration = try read(fields)
    let schedule = try NoiseSchedule.squaredCosine()
    let limit = -5.1
    let last = try #require(schedule.alphasBar.lastIndex { 0.5 * log($0 / (1 - $0)) >= limit })
    #expect(last < 999)
    #expect(try configuration.grid(steps: 10).levels[0].time == Double(last))
  }

  @Test func trainedBetas() throws {
    let configuration = try read([
      "_class_name": "DDIMScheduler", "trained_betas": [0.1, 0.2, 0.5], "num_train_timesteps": 3,
    ])
    let alphas = try #require(configuration.schedule?.alphasBar)
    for (found, expected) in zip(alphas, [0.9, 0.72, 0.36]) { #expect(abs(found - expected) < 1e-12) }
  }

  /// Song et al.'s sampler, corrector steps and all, beside diffusers'.
  @Test(arguments: 0..<3) func scoreSDE(_ index: Int) throws {
    let data = try Data(contentsOf: URL(filePath: "\(UNetGolden.folder)/score_sde.json"))
    let runs = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    let run = runs[index]
    var fields = try #require(run["config"] as? [String: Any])
    fields["_class_name"] = "ScoreSdeVeScheduler"
    let configuration = try read(fields)
    #expect(configuration.imageRange == 0...1 && configuration.prediction == .score)
    let plan = try configuration.plan(steps: try #require(run["steps"] as? Int))
    let told = plan.updates.map(\.level.time)
    for (found, expected) in zip(told, try #require(run["sigmas"] as? [Double])) {
      #expect(abs(found - expected) <= 1e-5 * expected)
    }
    var executor = PlanExecutor(sampleSize: 24) { x, level in
      x.map { -$0 / (1 + level.time * level.time) }
    }
    executor.noise = { instruction, element in
      2.0.squareRoot() * cos(0.9 + 2.3 * Double(instruction) + 0.7 * Double(element))
    }
    let start = (0..<24).map { plan.initialScale * cos(0.3 * Double($0)) }
    let samples = try #require(run["samples"] as? [[Double]])
    let found = executor.trajectory(plan, from: start)
    #expect(found.count == samples.count)
    #expect(GoldenRun.deviation(found, from: samples) < 1e-6)
  }
}
