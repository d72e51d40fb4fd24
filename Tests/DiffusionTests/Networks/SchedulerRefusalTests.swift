import Foundation
import ModelFiles
import Testing

@testable import Diffusion

/// Settings that no sampler here has are refused by their names; those that change nothing are not.
@Suite struct SchedulerRefusalTests {
  private func problem(_ text: String) throws -> String? {
    let folder = try Folder()
    defer { withExtendedLifetime(folder) {} }
    let file = try folder.write("scheduler_config.json", text.utf8)
    do {
      _ = try SchedulerConfiguration(file: file)
      return nil
    } catch { return "\(error)" }
  }

  static let refused: [(String, [String])] = [
    (#""_class_name": "VoodooScheduler""#, ["_class_name", "'VoodooScheduler'", "DDPMScheduler"]),
    (#""beta_start": 0.1"#, ["_class_name", "missing"]),
    (#""_class_name": "DDIMScheduler", "prediction_type": "flow_prediction""#, ["prediction_type", "v_prediction"]),
    (#""_class_name": "DDIMScheduler", "beta_schedule": "laplace""#, ["beta_schedule", "'laplace'", "linear"]),
    (#""_class_name": "DDIMScheduler", "beta_start": 0.9, "beta_end": 0.1"#, ["beta_schedule"]),
    (#""_class_name": "DDIMScheduler", "trained_betas": [0.1, 0.2]"#, ["trained_betas", "num_train_timesteps"]),
    (#""_class_name": "DDIMScheduler", "timestep_spacing": "odd""#, ["timestep_spacing", "trailing"]),
    (#""_class_name": "DDIMScheduler", "steps_offset": -1"#, ["steps_offset"]),
    (#""_class_name": "DDIMScheduler", "steps_offset": 1000"#, ["steps_offset", "999"]),
    (#""_class_name": "UniPCMultistepScheduler", "disable_corrector": [0, 0.5]"#, ["disable_corrector[1]", "integer"]),
    (#""_class_name": "UniPCMultistepScheduler", "disable_corrector": [1e30]"#, ["disable_corrector[0]"]),
    (#""_class_name": "UniPCMultistepScheduler", "disable_corrector": [-1]"#, ["disable_corrector[0]"]),
    (#""_class_name": "UniPCMultistepScheduler", "disable_corrector": 3"#, ["disable_corrector", "array"]),
    (#""_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "sigma_min": -1"#, ["sigma_min", "-1"]),
    (
      #""_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "sigma_min": 5, "sigma_max": 2"#,
      ["sigma_min", "sigma_max"]
    ),
    (#""_class_name": "DDIMScheduler", "clip_sample": 1"#, ["clip_sample"]),
    (#""_class_name": "DDIMScheduler", "clip_sample_range": -1"#, ["clip_sample_range"]),
    (#""_class_name": "DDIMScheduler", "thresholding": true, "sample_max_value": 0.5"#, ["sample_max_value"]),
    (#""_class_name": "DDIMScheduler", "frobnicate": 3"#, ["frobnicate"]),
    (
      #""_class_name": "DDPMScheduler", "predict_epsilon": false, "prediction_type": "epsilon""#,
      ["predict_epsilon", "prediction_type"]
    ),
    (#""_class_name": "DDPMScheduler", "predict_epsilon": 1"#, ["predict_epsilon"]),
    (
      #""_class_name": "DDPMScheduler", "timesteps": 500, "num_train_timesteps": 1000"#,
      ["'timesteps'", "num_train_timesteps"]
    ),
    (#""_class_name": "DDPMScheduler", "variance_type": "learned""#, ["variance_type", "fixed_small"]),
    (#""_class_name": "DDPMScheduler", "variance_type": "fixed_large_log""#, ["variance_type"]),
    (#""_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver""#, ["algorithm_type"]),
    (#""_class_name": "DPMSolverMultistepScheduler", "use_lu_lambdas": true"#, ["use_lu_lambdas"]),
    (#""_class_name": "DPMSolverMultistepScheduler", "solver_order": 4"#, ["solver_order"]),
    (
      #""_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++", "solver_order": 3"#,
      ["solver_order", "sde"]
    ),
    (#""_class_name": "UniPCMultistepScheduler", "predict_x0": false"#, ["predict_x0"]),
    (#""_class_name": "UniPCMultistepScheduler", "use_flow_sigmas": true"#, ["use_flow_sigmas"]),
    (#""_class_name": "EulerDiscreteScheduler", "use_beta_sigmas": true"#, ["use_beta_sigmas"]),
    (
      #""_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "use_exponential_sigmas": true"#,
      ["use_exponential_sigmas"]
    ),
    (#""_class_name": "EulerDiscreteScheduler", "final_sigmas_type": "some""#, ["final_sigmas_type", "zero"]),
    (#""_class_name": "ScoreSdeVeScheduler", "sigma_min": 5, "sigma_max": 1"#, ["sigma_max"]),
    (#""_class_name": "ScoreSdeVeScheduler", "snr": 0"#, ["snr"]),
  ]

  @Test(arguments: refused) func unusualValuesAreRefused(fields: String, words: [String]) throws {
    let problem = try #require(try problem("{\(fields)}"))
    for word in words { #expect(problem.contains(word), "\(problem)") }
    #expect(!problem.contains("\n"))
  }

  private func read(_ fields: String) throws -> SchedulerConfiguration {
    let folder = try Folder()
    defer { withExtendedLifetime(folder) {} }
    return try SchedulerConfiguration(file: try folder.write("scheduler_config.json", "{\(fields)}".utf8))
  }

  /// Settings of early versions of diffusers: what changed nothing is ignored, what has another name today is read by it.
  @Test func historicSettings() throws {
    for type in SchedulerConfiguration.classes.map({ $0.name }) {
      let name = #""_class_name": "\#(type)""#
      let plain = try read(name)
      for idle in [
        #""tensor_format": "pt""#, #""tensor_format": "np""#, #""timestep_values": [5, 1]"#,
        #""dtype": "float32""#, #""predict_epsilon": true"#, #""clip_predicted_image": true"#, #""shift": 3.0"#,
        #""timesteps": \#(plain.trainingTimesteps)"#, #""original_inference_steps": 50, "timestep_scaling": 10.0"#,
      ] { #expect(try read(name + ", " + idle) == plain, "\(idle)") }
    }
    let name = #""_class_name": "DDPMScheduler""#
    #expect(try read(name + #", "predict_epsilon": false"#).prediction == .sample)
    let both = #", "predict_epsilon": false, "prediction_type": "v_prediction""#
    #expect(try read(name + both).prediction == .vPrediction)
    #expect(try read(name + #", "timesteps": 500"#).trainingTimesteps == 500)
    #expect(try read(name + #", "timesteps": 500, "num_train_timesteps": 500"#).trainingTimesteps == 500)
    #expect(try read(name + #", "clip_predicted_image": false"#).clipping == .none)
    #expect(try read(name + #", "clip_predicted_image": false, "clip_sample": true"#).clipping == .fixed(limit: 1))
  }

  /// A file that served another class keeps that one's settings.
  @Test(arguments: [
    #""_class_name": "DDIMScheduler", "variance_type": "learned", "_use_default_values": ["set_alpha_to_one"]"#,
    #""_class_name": "PNDMScheduler", "clip_sample": true, "skip_prk_steps": true, "thresholding": false"#,
    #""_class_name": "DDPMScheduler", "unheard_of": null, "unwanted": false"#,
    #""_class_name": "EulerDiscreteScheduler", "sigma_min": null, "interpolation_type": "log_linear""#,
  ])
  func whatChangesNothingIsLeftAlone(fields: String) throws { #expect(try problem("{\(fields)}") == nil) }

  @Test func stepsMustExist() throws {
    let folder = try Folder()
    defer { withExtendedLifetime(folder) {} }
    let file = try folder.write("scheduler_config.json", #"{"_class_name": "DDIMScheduler"}"#.utf8)
    let configuration = try SchedulerConfiguration(file: file)
    for steps in [0, -1, 1001] {
      #expect(throws: DiffusionError.self) { try configuration.plan(steps: steps) }
    }
    #expect(try configuration.plan(steps: 50, strength: 0.5).stepCount == 25)
  }
}
