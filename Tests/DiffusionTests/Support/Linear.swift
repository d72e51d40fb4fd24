@testable import Diffusion

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
