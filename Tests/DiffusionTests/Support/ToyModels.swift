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

/// What an update does with a centred Gaussian model, whose output is proportional to x: `x' = gain · x + noise · z`.
struct LinearStep {
  var gain: Double
  var noise: Double

  /// The step of an update without history.
  init(_ update: PlannedUpdate, _ model: GaussianModel, _ prediction: Prediction = .epsilon) {
    let output = model.output(1, update.level, prediction)
    let conversion = update.conversion
    let x0 = conversion.x0FromSample + conversion.x0FromOutput * output
    let epsilon = conversion.epsilonFromSample + conversion.epsilonFromOutput * output
    gain = update.sample + update.x0 * x0 + update.epsilon * epsilon
    noise = update.noise
  }
}

extension SamplingPlan {
  /// The variance of the samples at the end, for a centred Gaussian model.
  ///
  /// Langevin steps are taken as those of samples with infinitely many elements, whose norms are not random.
  func outputVariance(_ model: GaussianModel, _ prediction: Prediction = .epsilon) -> Double {
    var variance = initialScale * initialScale
    for instruction in instructions {
      switch instruction {
      case .update(let update):
        let step = LinearStep(update, model, prediction)
        variance = step.gain * step.gain * variance + step.noise * step.noise
      case .langevin(let step):
        // s = -x / v, so that ‖z‖² / ‖s‖² = v² / variance.
        let marginal = model.marginalVariance(step.level)
        let size = 2 * step.factor * step.signalToNoise * step.signalToNoise * marginal * marginal / variance
        let gain = 1 - size / marginal
        variance = gain * gain * variance + 2 * size
      }
    }
    return variance
  }
}

/// Whether two numbers agree to a relative error.
func agree(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool { abs(a - b) <= tolerance * max(abs(a), abs(b)) }

/// `o = x · t / (t + 1)`, on the host: the network of the goldens.
struct ToyDenoiser: Denoiser {
  let sampleShape: [Int]
  var prediction = Prediction.epsilon
  var outputHeads = 1

  func evaluate(_ call: DenoiserCall) async throws -> [Float] {
    let elements = elementCount
    return (0..<call.count).flatMap { sample -> [Float] in
      let time = call.level(of: sample).time
      let factor = Float(time / (time + 1))
      let x = call.samples[sample * elements..<(sample + 1) * elements]
      let first = x.map { $0 * factor }
      return outputHeads == 1 ? first : first + x.map { 0.5 * $0 * factor }
    }
  }
}

/// The exact denoiser of N(mean, variance), on the host.
struct HostGaussian: Denoiser {
  let sampleShape: [Int]
  var model = GaussianModel()
  var prediction = Prediction.epsilon

  func evaluate(_ call: DenoiserCall) async throws -> [Float] {
    let elements = elementCount
    return call.samples.enumerated().map { index, x in
      Float(model.output(Double(x), call.level(of: index / elements), prediction))
    }
  }
}
