import Diffusion

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
