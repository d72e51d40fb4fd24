extension SamplingMethod {
  /// The planner with its options.
  func planner(for grid: TimeGrid) throws(DiffusionError) -> any Planner {
    try checkOptions()
    try checkOptions(on: grid)
    switch name {
    case .ddpm:
      switch variance ?? .small {
      case .analytic: return try analytic(.ddpm)
      case .small: return DDPM(variance: .small, drawsFinalNoise: drawsFinalNoise)
      case .large: return DDPM(variance: .large, drawsFinalNoise: drawsFinalNoise)
      case .learned: return DDPM(variance: .learnedRange, drawsFinalNoise: drawsFinalNoise)
      }
    case .ddim:
      if variance == .analytic { return try analytic(.ddim(eta: usedEta)) }
      return DDIM(eta: usedEta)
    case .analyticDDPM: return try analytic(.ddpm)
    case .analyticDDIM: return try analytic(.ddim(eta: usedEta))
    case .nprDDPM: return AnalyticDPM(.ddpm, .noiseResidual, drawsFinalNoise: drawsFinalNoise)
    case .nprDDIM: return AnalyticDPM(.ddim(eta: usedEta), .noiseResidual, drawsFinalNoise: drawsFinalNoise)
    case .snDDPM: return AnalyticDPM(.ddpm, .noiseSquare, drawsFinalNoise: drawsFinalNoise)
    case .snDDIM: return AnalyticDPM(.ddim(eta: usedEta), .noiseSquare, drawsFinalNoise: drawsFinalNoise)
    case .dpmSolver1: return DPMSolverPlusPlus(order: 1)
    case .dpmSolver2M: return DPMSolverPlusPlus(order: 2)
    case .dpmSolver3M: return DPMSolverPlusPlus(order: 3)
    case .dpmSolver2S: return DPMSolverSinglestep()
    case .sdeDPMSolver: return SDEDPMSolverPlusPlus()
    case .unipc2: return UniPC(order: 2)
    case .unipc3: return UniPC(order: 3)
    case .euler: return Euler()
    case .eulerAncestral: return EulerAncestral(eta: usedEta)
    case .heun: return Heun()
    case .edm: return Heun(churn: try churn(grid))
    case .lms: return LMS()
    case .pndm: return PNDM(warmUp: .rungeKutta(halfway: try halfway(grid)))
    case .plms: return PNDM(warmUp: .multistep)
    case .lcm: return LCM()
    case .flowEuler:
      // With a predicted sample, Euler's step along the flow is DDIM's.
      return grid.prediction == .flow ? FlowEuler() : DDIM()
    case .eulerMaruyama: return ReverseSDE(.eulerMaruyama(continuous))
    case .reverseDiffusion: return ReverseSDE(.reverseDiffusion)
    case .ancestral: return ReverseSDE(.ancestral)
    case .predictorCorrector: return ReverseSDE(.reverseDiffusion, corrector: ReverseSDE.Corrector())
    case .odeEuler: return ProbabilityFlow(continuous, .euler)
    case .odeHeun: return ProbabilityFlow(continuous, .heun)
    }
  }

  private var usedEta: Double { eta ?? name.traits.eta ?? 0 }

  private func analytic(_ base: AnalyticDPM.Base) throws(DiffusionError) -> AnalyticDPM {
    guard let gamma else {
      throw DiffusionError(
        .invalidOption, "The optimal variance needs Γ for each timestep: estimate it over data, or give a table.")
    }
    return AnalyticDPM(
      base, .table(gamma, interpolates: false), varianceCap: varianceCap, drawsFinalNoise: drawsFinalNoise)
  }

  /// The churn that Karras et al. (2022) found for CIFAR-10: S_churn 30, S_min 0.01, S_max 1, S_noise 1.007.
  private func churn(_ grid: TimeGrid) throws(DiffusionError) -> Churn {
    let time: SigmaTime
    switch schedule {
    case .discrete(let schedule): time = .interpolated(schedule)
    case nil: time = .interpolated(try .linear())
    case .continuous: time = .quarterLogarithm
    }
    return Churn(amount: 30, range: 0.01...1, noise: 1.007, time: time)
  }

  /// The levels at the timesteps halfway through the first three steps.
  private func halfway(_ grid: TimeGrid) throws(DiffusionError) -> [NoiseLevel] {
    let noise: NoiseSchedule
    switch schedule {
    case .discrete(let schedule): noise = schedule
    case nil: noise = try .linear()
    case .continuous: return []  // refused before
    }
    var levels: [NoiseLevel] = []
    for (level, next) in zip(grid.levels, grid.levels.dropFirst()).prefix(3) {
      let middle = max(0, ((level.time + next.time) / 2).rounded())
      levels.append(NoiseLevel(time: middle, alphaBar: try noise.alphaBar(at: middle)))
    }
    return levels
  }
}
