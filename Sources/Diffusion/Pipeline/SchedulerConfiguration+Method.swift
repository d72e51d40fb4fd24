extension SchedulerConfiguration {
  /// What is done to x0 by a sampler that takes the place of the model's own, where nothing else is said: as the model's
  /// would, or ±1, with samplers that images are usually limited for.
  public func clipping(for sampler: SamplerName) -> Clipping {
    guard sampler.traits.clipping == .usual else { return .none }
    return kind == .ddpm || kind == .ddim ? clipping : .fixed(limit: 1)
  }

  /// Gives a sampler that takes the place of the model's own the noise that the network knows, and the places of steps
  /// that the model's files name, unless it has its own.
  public func adapt(_ method: inout SamplingMethod) {
    guard let schedule, method.name.traits.schedules.contains(.timesteps) else { return }
    // Where there is no signal, x0 does not follow from ε, and λ and σ are infinite.
    let isBare = schedule.alphasBar.last == 0 && !method.name.traits.bearsNoSignal
    let kept = isBare ? try? NoiseSchedule(alphasBar: schedule.alphasBar.dropLast() + [0x1p-24]) : schedule
    method.schedule = .discrete(kept ?? schedule)
    if method.spacing == nil, method.timesteps == nil, method.sigmas == nil,
      method.name.traits.usualSpacing == .linspace
    {
      switch spacing {
      case .leading: method.spacing = .leading
      case .trailing: method.spacing = .trailing
      case .linspace: method.spacing = .linspace
      }
      method.timestepsOffset = stepsOffset
    }
    if method.final == nil, [.ddim, .pndm, .plms].contains(method.name), kind == .ddim || kind == .pndm {
      method.final = final
    }
    if method.name == .ddpm, method.variance == nil, case .ddpm(let variance) = solver, variance == .large {
      method.variance = .large
    }
  }
}
