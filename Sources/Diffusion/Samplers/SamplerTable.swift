// The samplers and the scheduler classes: the one place that lists what the files beside this one declare. Lists and
// messages show them in this order.

extension SamplerName {
  /// All samplers with planned steps.
  public static let allCases: [SamplerName] = [
    .ddpm, .ddim, .analyticDDPM, .analyticDDIM, .nprDDPM, .nprDDIM, .snDDPM, .snDDIM,
    .dpmSolver1, .dpmSolver2M, .dpmSolver3M, .dpmSolver2S, .sdeDPMSolver, .unipc2, .unipc3,
    .euler, .eulerAncestral, .heun, .edm, .kdpm2, .lms, .pndm, .plms, .lcm, .flowEuler,
    .eulerMaruyama, .reverseDiffusion, .ancestral, .predictorCorrector, .odeEuler, .odeHeun,
  ]
}

extension SchedulerConfiguration {
  /// The scheduler classes of diffusers that are known.
  static let classes: [any SchedulerClass.Type] = [
    DDPMScheduler.self, DDIMScheduler.self, PNDMScheduler.self, DPMSolverMultistepScheduler.self,
    EulerDiscreteScheduler.self, UniPCMultistepScheduler.self, ScoreSdeVeScheduler.self,
  ]
}
