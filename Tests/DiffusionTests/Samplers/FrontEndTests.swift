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
    (.ddpm, #""_class_name": "DDPMScheduler", "variance_type": "learned_range""#),
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
        let other = named(pair.name, steps: steps, in: configuration)
        let own = try configuration.method(steps: steps)
        #expect(own.name == pair.name)
        let plan = try own.plan(prediction: configuration.prediction)
        #expect(try other.plan(prediction: configuration.prediction) == plan, "\(steps) steps, \(text)")
        #expect(try configuration.plan(steps: steps) == plan)
      }
    }
  }

  /// A network that is told ¼ ln σ is told so by every sampler, at every level, on the grid or beside it.
  @Test(arguments: SamplerName.allCases.filter { $0.traits.schedules.contains(.timesteps) })
  func whatTheNetworkIsToldStays(name: SamplerName) throws {
    let configuration = try Self.read(
      #""_class_name": "EulerDiscreteScheduler", "timestep_type": "continuous", "prediction_type": "v_prediction""#)
    var method = named(name, steps: 12, in: configuration)
    if method.needsGamma {
      let levels = try method.grid(prediction: .vPrediction).levels.dropLast()
      method.gamma = try .gaussian(dataVariance: 0.25, levels: Array(levels))
    }
    for update in try method.plan(prediction: .vPrediction).updates where update.evaluates {
      #expect(abs(update.level.time - SigmaTime.quarterLogarithm.time(update.level.exploding.sigma)) < 1e-12)
    }
  }

  /// With churn and halfway a network of continuous time is told the time of the level, as on the grid.
  @Test(
    arguments: [SamplerName.edm, .kdpm2],
    [ContinuousSchedule.variancePreserving(), .subVariancePreserving(), .varianceExploding()])
  func levelsBesideTheGridAreToldAlike(name: SamplerName, schedule: ContinuousSchedule) throws {
    var method = SamplingMethod(name, steps: 9)
    method.schedule = .continuous(schedule)
    method.spacing = .lambda
    let grid = try method.grid(prediction: .epsilon)
    let evaluated = try method.plan(prediction: .epsilon).updates.filter(\.evaluates).map(\.level)
    #expect(!Set(evaluated.map(\.sigma)).isSubset(of: grid.levels.map(\.sigma)))
    for level in evaluated {
      #expect(abs(schedule.level(at: level.time).exploding.sigma / level.exploding.sigma - 1) < 1e-9)
    }
  }

  /// A list of σ may end with the 0 that its last step leads to anyway.
  @Test(arguments: SamplerName.allCases.filter { !$0.traits.isAnalytic && $0.traits.schedules[0] != .continuous })
  func aListOfSigmasMayEndWithZero(name: SamplerName) throws {
    let prediction: Prediction = name == .flowEuler ? .flow : .epsilon
    func plan(_ sigmas: [Double]) throws -> SamplingPlan {
      var method = SamplingMethod(name, steps: 1)
      method.sigmas = sigmas
      return try method.plan(prediction: prediction)
    }
    let list = [0.9, 0.5, 0.3, 0.1, 0.02]
    #expect(try plan(list + [0]) == plan(list))
    for wrong in [[0], [0.9, 0, 0], [0.9, 0, 0.1], [0.9, 0.5, 0.5, 0.1], [0.9, 0.5, 0.5, 0], []] {
      #expect(throws: DiffusionError.self) { try plan(wrong) }
    }
    guard name.traits.takesFinalLevel else { return }
    var method = SamplingMethod(name, steps: 1)
    (method.sigmas, method.final) = (list + [0], .firstTimestep)
    #expect(throws: DiffusionError.self) { try method.plan(prediction: prediction) }
  }

  /// Levels in σ too, where the model's timesteps reach from end to end.
  @Test(
    arguments: [
      (SamplerName.euler, "EulerDiscreteScheduler"), (.dpmSolver2M, "DPMSolverMultistepScheduler"),
      (.unipc2, "UniPCMultistepScheduler"),
    ], ["karras", "exponential"])
  func sigmasAreThose(pair: (name: SamplerName, type: String), spacing: String) throws {
    for (final, level) in [("zero", FinalLevel.clean), ("sigma_min", .firstTimestep)] {
      let configuration = try Self.read(
        #""_class_name": "\#(pair.type)", "use_\#(spacing)_sigmas": true, "final_sigmas_type": "\#(final)""#)
      for steps in [2, 7, 20] + (final == "zero" ? [1] : []) {
        var other = SamplingMethod(pair.name, steps: steps)
        other.spacing = .init(rawValue: spacing)
        other.final = level
        configuration.adapt(&other)
        #expect(try other.plan(prediction: .epsilon) == configuration.plan(steps: steps))
      }
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
