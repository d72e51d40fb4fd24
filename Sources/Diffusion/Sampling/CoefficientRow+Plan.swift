internal import Engine
internal import Networks

extension CoefficientRow {
  /// What the fused step reads for an update.
  init(_ update: PlannedUpdate) {
    self.init()
    set(update.conversion)
    set(update.level, inputScale: update.inputScale)
    self[.sample] = Float(update.sample)
    self[.x0] = Float(update.x0)
    self[.epsilon] = Float(update.epsilon)
    self[.noise] = Float(update.noise)
    for (column, term) in zip([CoefficientColumn.history0, .history1, .history2], update.history) {
      self[column] = Float(term.weight)
    }
    switch update.clipping {
    case .none: break
    case .fixed(let limit): self[.limit] = Float(limit)
    case .dynamic(_, let maximum): self[.limit] = Float(maximum)
    }
    switch update.variance {
    case .fixed: break
    case .learnedRange(let small, let large): setVariance(small, large, 0)
    case .noiseResidual(let base, let gain, let ratio), .noiseSquare(let base, let gain, let ratio):
      setVariance(base, gain, ratio)
    }
    if !update.evaluates {
      for column in [CoefficientColumn.x0FromSample, .x0FromOutput, .epsilonFromSample, .epsilonFromOutput] {
        self[column] = 0
      }
    }
  }

  init(_ step: PlannedLangevin) {
    self.init()
    set(step.conversion)
    set(step.level, inputScale: step.inputScale)
  }

  /// Noise of a standard deviation, on top of a base.
  init(base: Double, noise: Double) {
    self.init()
    self[.sample] = Float(base)
    self[.noise] = Float(noise)
  }

  mutating func set(_ level: NoiseLevel, inputScale: Double) {
    self[.alpha] = Float(level.alpha)
    self[.sigma] = Float(level.sigma)
    self[.time] = Float(level.time)
    self[.inputScale] = Float(inputScale)
  }

  mutating func set(_ conversion: Prediction.Conversion) {
    self[.x0FromSample] = Float(conversion.x0FromSample)
    self[.x0FromOutput] = Float(conversion.x0FromOutput)
    self[.epsilonFromSample] = Float(conversion.epsilonFromSample)
    self[.epsilonFromOutput] = Float(conversion.epsilonFromOutput)
  }

  private mutating func setVariance(_ first: Double, _ second: Double, _ third: Double) {
    self[.variance0] = Float(first)
    self[.variance1] = Float(second)
    self[.variance2] = Float(third)
  }
}

extension StepVariance {
  /// How the kernel computes it.
  var form: NoiseVariance {
    switch self {
    case .fixed: .fixed
    case .learnedRange: .learnedRange
    case .noiseResidual: .noiseResidual
    case .noiseSquare: .noiseSquare
    }
  }
}
