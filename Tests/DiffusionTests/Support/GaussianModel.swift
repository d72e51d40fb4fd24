@testable import Diffusion

/// The exact denoiser of independent normal data N(mean, variance).
struct GaussianModel {
  var mean = 0.0
  var variance = 0.25

  /// E[x0 | x] = μ + αs² / (α²s² + σ²) · (x - αμ).
  func x0(_ x: Double, _ level: NoiseLevel) -> Double {
    mean + level.alpha * variance / marginalVariance(level) * (x - level.alpha * mean)
  }

  /// Variance of x at a level.
  func marginalVariance(_ level: NoiseLevel) -> Double {
    level.alpha * level.alpha * variance + level.sigma * level.sigma
  }

  /// What a network of this kind would put out.
  func output(_ x: Double, _ level: NoiseLevel, _ prediction: Prediction) -> Double {
    let x0 = x0(x, level)
    // σ / (α²s² + σ²) · (x - αμ), not (x - α x0) / σ: that one loses digits at low noise.
    let epsilon = level.sigma / marginalVariance(level) * (x - level.alpha * mean)
    switch prediction {
    case .epsilon: return epsilon
    case .sample: return x0
    case .vPrediction: return (level.alpha * epsilon - level.sigma * x0) * level.unitScale
    case .flow: return epsilon - x0
    case .score: return -epsilon / level.sigma
    }
  }

  /// The model for `PlanExecutor`.
  func denoiser(_ prediction: Prediction = .epsilon) -> PlanExecutor.Denoiser {
    { x, level in x.map { output($0, level, prediction) } }
  }

  /// Where the probability flow takes a sample: x keeps its place in units of the marginal's deviation.
  func flowed(_ x: Double, from start: NoiseLevel, to end: NoiseLevel) -> Double {
    (marginalVariance(end) / marginalVariance(start)).squareRoot() * (x - start.alpha * mean) + end.alpha * mean
  }
}
