import TestDevices
import Testing
import Weft

@testable import Diffusion

/// The exact denoiser of a handful of points: where samplers must end is known.
@Suite(.enabled(if: TestDevice.hasOpenCL, "no OpenCL device")) struct EmpiricalTests {
  /// Points on a circle: nothing tells one from another.
  private let points: [Float] = (0..<20).flatMap { index -> [Float] in
    let angle = 2 * Double.pi * Double(index) / 20
    return [Float(cosine(angle)), Float(sine(angle))]
  }

  private func draw(_ method: SamplingMethod, count: Int, seed: UInt64) async throws -> SampleSet {
    let engine = try await TestDevice.openCL.engine()
    let denoiser = try await MixtureDenoiser(points: points, shape: [2], on: engine)
    return try await Sampler(method, denoiser: denoiser, on: engine).samples(count: count, seed: seed)
  }

  /// The nearest point and its distance.
  private func nearest(_ sample: ArraySlice<Float>) -> (index: Int, distance: Float) {
    let (x, y) = (sample[sample.startIndex], sample[sample.startIndex + 1])
    let distances = (0..<20).map { index -> Float in
      let (dx, dy) = (points[2 * index] - x, points[2 * index + 1] - y)
      return (dx * dx + dy * dy).squareRoot()
    }
    let least = distances.min() ?? .infinity
    return (distances.firstIndex(of: least) ?? 0, least)
  }

  @Test(arguments: [SamplerName.ddim, .dpmSolver2M, .unipc2, .heun]) func flowEndsOnPoints(name: SamplerName)
    async throws
  {
    var method = SamplingMethod(name, steps: 60)
    method.spacing = .karras
    let samples = try await draw(method, count: 500, seed: 1)
    for index in 0..<samples.count { #expect(nearest(samples[index]).distance < 2e-3) }
  }

  @Test func stochasticSamplersHitAllPointsAlike() async throws {
    for (name, seed) in [(SamplerName.ddpm, 2), (.sdeDPMSolver, 3), (.eulerAncestral, 4)] {
      let samples = try await draw(SamplingMethod(name, steps: 400), count: 2000, seed: UInt64(seed))
      var hits = [Int](repeating: 0, count: 20)
      for index in 0..<samples.count {
        let (point, distance) = nearest(samples[index])
        #expect(distance < 0.05)
        hits[point] += 1
      }
      let square = hits.map { (Double($0) - 100) * (Double($0) - 100) / 100 }.reduce(0, +)
      // χ² with 19 degrees of freedom exceeds this with a probability of 0.001.
      #expect(square < 43.82, "\(name): \(hits)")
    }
  }

  @Test func weightsAreKept() async throws {
    let engine = try await TestDevice.openCL.engine()
    let denoiser = try await MixtureDenoiser(
      means: [-1, 1], shape: [1], deviations: [0.05, 0.2], weights: [3, 1], on: engine)
    let samples = try await Sampler(SamplingMethod(.heun, steps: 60), denoiser: denoiser, on: engine).samples(
      count: 8000, seed: 5)
    let left = samples.values.filter { $0 < 0 }
    let share = Double(left.count) / 8000
    let error = (0.75 * 0.25 / 8000.0).squareRoot()
    #expect(abs(share - 0.75) < 4 * error + 0.005)
    func deviation(_ values: [Float]) -> Double {
      let values = values.map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.map { ($0 - mean) * ($0 - mean) }
      return (squares.reduce(0, +) / Double(values.count)).squareRoot()
    }
    #expect(abs(deviation(left) - 0.05) < 0.01)
    #expect(abs(deviation(samples.values.filter { $0 > 0 }) - 0.2) < 0.015)
  }
}
