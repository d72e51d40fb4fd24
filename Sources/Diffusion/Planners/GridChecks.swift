extension TimeGrid {
  /// Checks what every planner relies on: levels that can be computed with, falling noise, and a prediction that x0 and ε
  /// follow from at every level but the last.
  func checkLevels() throws(DiffusionError) {
    try require(steps >= 1, "A grid of \(levels.count) levels has no step: give at least two.")
    try require(initialScale >= 0 && initialScale < .infinity, "The initial noise's size is \(initialScale).")
    for (index, level) in levels.enumerated() {
      let (alpha, sigma) = (level.alpha, level.sigma)
      try require(
        alpha >= 0 && sigma >= 0 && alpha + sigma > 0 && (alpha + sigma).isFinite,
        "Level \(index) has α = \(alpha) and σ = \(sigma): both must be finite and at least 0, and not both 0.")
      try require(
        sigma <= largestNumber,
        "Level \(index) has σ = \(sigma): devices compute in float32, where at most \(largestNumber) fits.")
      if index > 0 {
        // σ / α, without dividing by an α of 0.
        let previous = levels[index - 1]
        try require(
          alpha > 0 && sigma * previous.alpha <= previous.sigma * alpha,
          "Level \(index) has no signal or is noisier than the one before it: levels go from noise to data.")
      }
      if index < steps { try checkPrediction(at: level, index) }
    }
  }

  /// Whether every level has unit variance.
  var isVariancePreserving: Bool {
    levels.allSatisfy { abs($0.alpha * $0.alpha + $0.sigma * $0.sigma - 1) < 1e-9 }
  }

  /// Checks that every level has unit variance, besides what `checkLevels` does.
  func checkVariancePreserving(for method: String) throws(DiffusionError) {
    try checkLevels()
    for (index, level) in levels.enumerated() {
      let variance = level.alpha * level.alpha + level.sigma * level.sigma
      try require(
        abs(variance - 1) < 1e-9,
        "\(method) needs variance-preserving levels, but level \(index) has α² + σ² = \(variance).")
    }
    try require(prediction != .flow, "\(method) needs variance-preserving levels, which flow models do not have.")
  }

  private func checkPrediction(at level: NoiseLevel, _ index: Int) throws(DiffusionError) {
    try require(level.sigma > 0, "Level \(index) has no noise, but the denoiser is asked there.")
    switch prediction {
    case .epsilon, .score:
      try require(
        level.alpha > 0,
        "Level \(index) has no signal, so x0 does not follow from ε: the model must predict v, or the schedule keep a floor of 2^-24."
      )
    case .flow:
      try require(
        abs(level.alpha + level.sigma - 1) < 1e-9,
        "A flow's velocity needs α = 1 - σ, but level \(index) has α = \(level.alpha) and σ = \(level.sigma).")
    case .sample, .vPrediction: break
    }
  }
}
