@testable import Diffusion

extension DiffusersMapping {
  func planner() throws -> any Planner {
    switch scheduler {
    case "DDPMScheduler": return try ddpm()
    case "DDIMScheduler":
      return DDIM(eta: step.number("eta", default: 0), rederivesEpsilon: step.flag("use_clipped_model_output"))
    case "DPMSolverMultistepScheduler", "EDMDPMSolverMultistepScheduler": return try multistep()
    case "DPMSolverSinglestepScheduler": return DPMSolverSinglestep(lowerOrderFinal: config.flag("lower_order_final"))
    case "UniPCMultistepScheduler": return try uniPC()
    case "EulerDiscreteScheduler": return Euler(churn: try churn())
    case "EDMEulerScheduler": return Euler()
    case "EulerAncestralDiscreteScheduler": return EulerAncestral()
    case "HeunDiscreteScheduler": return Heun()
    case "LMSDiscreteScheduler": return LMS(order: step.count("order", default: 4))
    case "PNDMScheduler": return PNDM(warmUp: try warmUp())
    case "LCMScheduler": return LCM()
    case "FlowMatchEulerDiscreteScheduler": return FlowEuler(isStochastic: config.flag("stochastic_sampling"))
    default: throw Unknown(what: scheduler)
    }
  }

  /// Whether every evaluation is a step of diffusers' trajectory, not every step of the grid.
  var countsEvaluations: Bool { ["HeunDiscreteScheduler", "PNDMScheduler"].contains(scheduler) }

  private func ddpm() throws -> DDPM {
    // Noise is drawn unless the timestep is 0, also in the step to clean data.
    let drawsFinalNoise = try (timesteps().last ?? 0) > 0
    switch config.text("variance_type", default: "fixed_small") {
    case "fixed_small": return DDPM(variance: .small, drawsFinalNoise: drawsFinalNoise)
    case "fixed_large": return DDPM(variance: .large, drawsFinalNoise: drawsFinalNoise)
    case "learned_range": return DDPM(variance: .learnedRange, drawsFinalNoise: drawsFinalNoise)
    case let other: throw Unknown(what: other)
    }
  }

  private func multistep() throws -> any Planner {
    let order = config.count("solver_order", default: 2)
    let lowersOrder =
      config.flag("euler_at_final") || config.flag("lower_order_final", default: true) && steps < 15
    switch config.text("algorithm_type", default: "dpmsolver++") {
    case "sde-dpmsolver++": return SDEDPMSolverPlusPlus(order: order, lowerOrderFinal: lowersOrder)
    case "dpmsolver++":
      let solver = config.text("solver_type", default: "midpoint")
      guard let variant = DPMSolverPlusPlus.Variant(rawValue: solver) else { throw Unknown(what: solver) }
      return DPMSolverPlusPlus(order: order, variant: variant, lowerOrderFinal: lowersOrder)
    case let other: throw Unknown(what: other)
    }
  }

  private func uniPC() throws -> UniPC {
    let solver = config.text("solver_type", default: "bh2")
    guard let variant = UniPC.Variant(rawValue: solver) else { throw Unknown(what: solver) }
    let disabled = Set((config.numbers("disable_corrector") ?? []).map { Int($0) })
    return UniPC(
      order: config.count("solver_order", default: 2), variant: variant,
      corrector: disabled.isEmpty ? .always : .except(disabled),
      lowerOrderFinal: config.flag("lower_order_final", default: true))
  }

  private func churn() throws -> Churn? {
    let amount = step.number("s_churn", default: 0)
    guard amount > 0 else { return nil }
    return Churn(
      amount: amount,
      range: step.number("s_tmin", default: 0)...step.number("s_tmax", default: .infinity),
      noise: step.number("s_noise", default: 1), time: .interpolated(try schedule()))
  }

  private func warmUp() throws -> PNDM.WarmUp {
    if config.flag("skip_prk_steps") { return .multistep }
    let schedule = try schedule()
    let half = Double(trainingCount / steps / 2)
    return .rungeKutta(
      halfway: try timesteps().prefix(3).map { timestep in
        NoiseLevel(time: timestep - half, alphaBar: try schedule.alphaBar(at: timestep - half))
      })
  }
}
