/// The samplers by name.
public enum SamplerName: String, Sendable, Hashable, CaseIterable {
  case ddpm
  case ddim
  case analyticDDPM = "analytic-ddpm"
  case analyticDDIM = "analytic-ddim"
  case nprDDPM = "npr-ddpm"
  case nprDDIM = "npr-ddim"
  case snDDPM = "sn-ddpm"
  case snDDIM = "sn-ddim"
  case dpmSolver1 = "dpm-solver-1"
  case dpmSolver2M = "dpm-solver-2m"
  case dpmSolver3M = "dpm-solver-3m"
  case dpmSolver2S = "dpm-solver-2s"
  case sdeDPMSolver = "sde-dpm-solver-2m"
  case unipc2 = "unipc-2"
  case unipc3 = "unipc-3"
  case euler
  case eulerAncestral = "euler-ancestral"
  case heun
  case edm
  case lms
  case pndm
  case plms
  case lcm
  case flowEuler = "flow-euler"
  case eulerMaruyama = "euler-maruyama"
  case reverseDiffusion = "reverse-diffusion"
  case ancestral
  case predictorCorrector = "predictor-corrector"
  case odeEuler = "ode-euler"
  case odeHeun = "ode-heun"

  /// A line about the sampler.
  public struct Description: Sendable, Hashable {
    /// What it is, and where it comes from.
    public let summary: String
    /// The order of convergence to the exact flow; nil where steps draw noise.
    public let order: Int?
    /// Evaluations of the denoiser each step takes.
    public let evaluationsPerStep: Int
    /// Whether steps draw noise, at least with the usual options.
    public let isStochastic: Bool

    fileprivate init(_ summary: String, order: Int?, evaluations: Int = 1, stochastic: Bool? = nil) {
      self.summary = summary
      self.order = order
      evaluationsPerStep = evaluations
      isStochastic = stochastic ?? (order == nil)
    }
  }

  /// What the sampler is.
  public var description: Description {
    switch self {
    case .ddpm: Description("ancestral sampling of the trained chain (Ho et al., 2020)", order: nil)
    case .ddim: Description("deterministic; with --eta between that and DDPM (Song et al., 2020)", order: 1)
    case .analyticDDPM: Description("DDPM with the optimal variance (Analytic-DPM, Bao et al., 2022)", order: nil)
    case .analyticDDIM: Description("DDIM's mean with the optimal variance (Analytic-DPM)", order: nil)
    case .nprDDPM: Description("DDPM, variance per pixel from a second head (NPR-DPM, Bao et al., 2022)", order: nil)
    case .nprDDIM: Description("DDIM's mean, variance per pixel from a second head (NPR-DPM)", order: nil)
    case .snDDPM: Description("DDPM, variance per pixel from squared noise (SN-DPM, Bao et al., 2022)", order: nil)
    case .snDDIM: Description("DDIM's mean, variance per pixel from squared noise (SN-DPM)", order: nil)
    case .dpmSolver1: Description("DPM-Solver++ of order 1: DDIM's step (Lu et al., 2022)", order: 1)
    case .dpmSolver2M: Description("DPM-Solver++ 2M, multistep: a good default (Lu et al., 2022)", order: 2)
    case .dpmSolver3M: Description("DPM-Solver++ 3M, multistep", order: 3)
    case .dpmSolver2S: Description("DPM-Solver++ 2S, singlestep: pairs of steps", order: 2)
    case .sdeDPMSolver: Description("SDE-DPM-Solver++ 2M: the reverse SDE, multistep", order: nil)
    case .unipc2: Description("UniPC, predictor and corrector of order 2 (Zhao et al., 2023)", order: 3)
    case .unipc3: Description("UniPC of order 3", order: 4)
    case .euler: Description("Euler's method in σ (Karras et al., 2022)", order: 1)
    case .eulerAncestral: Description("Euler's method in σ with fresh noise each step", order: nil)
    case .heun: Description("Heun's method in σ (Karras et al., 2022)", order: 2, evaluations: 2)
    case .edm: Description("Heun's method with churn (EDM, Karras et al., 2022)", order: nil, evaluations: 2)
    case .lms: Description("linear multistep of order 4 in σ", order: 4)
    case .pndm: Description("pseudo linear multistep with a Runge-Kutta start (Liu et al., 2022)", order: 2)
    case .plms: Description("pseudo linear multistep with a multistep start", order: 2)
    case .lcm: Description("latent consistency sampling, for models distilled for it (Luo et al., 2023)", order: nil)
    case .flowEuler: Description("Euler's method for flow matching (Lipman et al., 2023)", order: 1)
    case .eulerMaruyama: Description("the reverse SDE by Euler and Maruyama (Song et al., 2021)", order: nil)
    case .reverseDiffusion:
      Description("the reverse SDE, discretised as the forward one (Song et al., 2021)", order: nil)
    case .ancestral: Description("ancestral sampling of the discretised SDE (Song et al., 2021)", order: nil)
    case .predictorCorrector:
      Description("reverse diffusion with a Langevin corrector (Song et al., 2021)", order: nil, evaluations: 2)
    case .odeEuler: Description("the probability-flow ODE in t by Euler's method", order: 1)
    case .odeHeun: Description("the probability-flow ODE in t by Heun's method", order: 2, evaluations: 2)
    }
  }

  /// Which kind of levels the sampler steps through.
  enum Family { case discrete, lambda, sigma, flow, stochasticEquation }

  var family: Family {
    switch self {
    case .ddpm, .ddim, .analyticDDPM, .analyticDDIM, .nprDDPM, .nprDDIM, .snDDPM, .snDDIM, .pndm, .plms, .lcm: .discrete
    case .dpmSolver1, .dpmSolver2M, .dpmSolver3M, .dpmSolver2S, .sdeDPMSolver, .unipc2, .unipc3: .lambda
    case .euler, .eulerAncestral, .heun, .edm, .lms: .sigma
    case .flowEuler: .flow
    case .eulerMaruyama, .reverseDiffusion, .ancestral, .predictorCorrector, .odeEuler, .odeHeun: .stochasticEquation
    }
  }
}
