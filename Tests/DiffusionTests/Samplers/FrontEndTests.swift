import Testing

@testable import Diffusion

/// A model's own sampler, from its scheduler_config.json, and the same sampler by name in its place: one plan.
@Suite struct FrontEndTests {
  private static func read(_ fields: String) throws -> SchedulerConfiguration {
    let folder = try Folder()
    defer { withExtendedLifetime(folder) {} }
    return try SchedulerConfiguration(file: try folder.write("scheduler_config.json", "{\(fields)}".utf8))
  }

  /// A sampler by name in place of the model's own.
  private func named(_ name: SamplerName, steps: Int, in place: SchedulerConfiguration) -> SamplingMethod {
    var method = SamplingMethod(name, steps: steps)
    method.clipping = place.clipping(for: name)
    place.adapt(&method)
    return method
  }

  /// Every sampler that some class stands for, with the class's settings that choose it.
  static let pairs: [(SamplerName, String)] = [
    (.ddpm, #""_class_name": "DDPMScheduler""#),
    (.ddpm, #""_class_name": "DDPMScheduler", "variance_type": "fixed_large""#),
    (.ddim, #""_class_name": "DDIMScheduler""#),
    (.ddim, #""_class_name": "DDIMScheduler", "set_alpha_to_one": false, "rescale_betas_zero_snr": true"#),
    (.pndm, #""_class_name": "PNDMScheduler""#),
    (.pndm, #""_class_name": "PNDMScheduler", "set_alpha_to_one": true"#),
    (.plms, #""_class_name": "PNDMScheduler", "skip_prk_steps": true"#),
    (.dpmSolver1, #""_class_name": "DPMSolverMultistepScheduler", "solver_order": 1"#),
    (.dpmSolver2M, #""_class_name": "DPMSolverMultistepScheduler""#),
    (.dpmSolver3M, #""_class_name": "DPMSolverMultistepScheduler", "solver_order": 3"#),
    (.sdeDPMSolver, #""_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++""#),
    (.euler, #""_class_name": "EulerDiscreteScheduler""#),
    (.unipc2, #""_class_name": "UniPCMultistepScheduler""#),
    (.unipc3, #""_class_name": "UniPCMultistepScheduler", "solver_order": 3"#),
  ]

  @Test(arguments: pairs, ["leading", "trailing", "linspace"])
  func bothGiveOnePlan(pair: (name: SamplerName, fields: String), spacing: String) throws {
    for shared in ["", #", "beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 997"#] {
      let text =
        pair.fields + #", "prediction_type": "v_prediction", "timestep_spacing": "\#(spacing)", "steps_offset": 1"#
        + shared
      let configuration = try Self.read(text)
      for steps in [1, 2, 3, 4, 5, 7, 10, 13, 14, 30, 50] {
        // A Runge-Kutta start takes three of at least four steps.
        if pair.name == .pndm && steps < 4 { continue }
        var other = named(pair.name, steps: steps, in: configuration)
        let own = try configuration.method(steps: steps)
        #expect(own.name == pair.name)
        // diffusers draws DDPM's last noise unless the last timestep is 0, which a sampler by name does only when asked.
        if pair.name == .ddpm { other.drawsFinalNoise = own.drawsFinalNoise }
        // diffusers lowers the order of the last steps below 15 steps only, a sampler by name always.
        if pair.name == .dpmSolver3M && steps >= 15 { other.solver = own.solver }
        let plan = try own.plan(prediction: configuration.prediction)
        #expect(try other.plan(prediction: configuration.prediction) == plan, "\(steps) steps, \(text)")
        #expect(try configuration.plan(steps: steps) == plan)
      }
    }
  }

  /// Levels in σ too, where the model's timesteps reach from end to end.
  @Test(
    arguments: [
      (SamplerName.euler, "EulerDiscreteScheduler"), (.dpmSolver2M, "DPMSolverMultistepScheduler"),
      (.unipc2, "UniPCMultistepScheduler"),
    ], ["karras", "exponential"])
  func sigmasAreThose(pair: (name: SamplerName, type: String), spacing: String) throws {
    let configuration = try Self.read(#""_class_name": "\#(pair.type)", "use_\#(spacing)_sigmas": true"#)
    for steps in [1, 2, 7, 20] {
      var other = SamplingMethod(pair.name, steps: steps)
      other.spacing = .init(rawValue: spacing)
      configuration.adapt(&other)
      #expect(try other.plan(prediction: .epsilon) == configuration.plan(steps: steps))
    }
  }

  /// Steps of unequal length have their halfway level in the middle, as the Runge-Kutta method does: linspace's 999, 832
  /// and 666 of 7 steps. 1000 // 7 // 2 = 71 below 999 is 928, and as far above 832 it is 903; both are what diffusers
  /// takes, each for a part of the step.
  @Test func halfwayIsTheMiddle() throws {
    let configuration = try Self.read(
      #""_class_name": "PNDMScheduler", "set_alpha_to_one": false, "timestep_spacing": "linspace""#)
    let times = try configuration.plan(steps: 7).updates.filter(\.evaluates).map(\.level.time)
    #expect(times.prefix(12) == [999, 916, 916, 832, 832, 749, 749, 666, 666, 583, 583, 500])
  }

  /// A solver with options of its own is that of its sampler, and leaves none of the others' to say.
  @Test func aSolverBelongsToItsSampler() throws {
    var method = SamplingMethod(.unipc2, steps: 5)
    let usual = try method.plan(prediction: .epsilon)
    method.solver = UniPC(order: 2)
    #expect(try method.plan(prediction: .epsilon) == usual)
    method.solver = UniPC(order: 2, variant: .bh1)
    #expect(try method.plan(prediction: .epsilon) != usual)
    method.solver = Euler()
    #expect(throws: DiffusionError.self) { try method.plan(prediction: .epsilon) }
    var noisy = SamplingMethod.ddim(steps: 5, eta: 0.5)
    noisy.solver = DDIM(eta: 0.5, rederivesEpsilon: true)
    #expect(throws: DiffusionError.self) { try noisy.plan(prediction: .epsilon) }
    noisy.eta = nil
    #expect(try noisy.plan(prediction: .epsilon).stepCount == 5)
  }

  /// Options that scheduler configurations bring are refused where they would do nothing.
  @Test func levelsInSigmaAreRefusedWhereTheyDoNothing() throws {
    func isRefused(_ name: SamplerName, _ change: (inout SamplingMethod) -> Void) -> Bool {
      var method = SamplingMethod(name, steps: 5)
      change(&method)
      return (try? method.plan(prediction: .epsilon)) == nil
    }
    #expect(!isRefused(.euler) { $0.sigmaLevels = .logLinear })
    #expect(isRefused(.dpmSolver2M) { $0.sigmaLevels = .logLinear })
    #expect(!isRefused(.heun) { $0.sigmaLevels = .range(.init(.exponential)) })
    #expect(
      isRefused(.euler) {
        $0.sigmaLevels = .range(.init(.exponential))
        $0.spacing = .karras
      })
    #expect(isRefused(.ddim) { $0.sigmaLevels = .explodingChain(end: 1e-5) })
    #expect(isRefused(.odeEuler) { $0.usedTimesteps = 900 })
    #expect(isRefused(.odeEuler) { $0.tellsLogSigma = true })
    #expect(
      isRefused(.ddim) {
        $0.timesteps = [900, 500]
        $0.usedTimesteps = 900
      })
  }
}
