import Diffusion
import Foundation
import Weft

/// Draws all samples of a request, keeps what pictures of the way need, and writes the files.
struct SampleRun {
  let sampler: Sampler
  /// How many samples are followed on their way, and at how many moments at most after the first.
  var followed: (samples: Int, moments: Int)?
  /// Whether a step takes so long that each is reported.
  var isSlow = false
  private var bar: ProgressBar?

  init(sampler: Sampler) { self.sampler = sampler }

  /// Draws, writes, and says on a terminal what it took.
  ///
  /// - Parameters:
  ///   - request: the samples.
  ///   - targets: where they go.
  ///   - title: the sampler's name.
  ///   - gamma: the Γ that was used, if any.
  /// - Throws: `DiffusionError` if samples diverge, `EngineError` if the device fails, `OutputError` or `PictureError` if a
  ///   file cannot be written.
  mutating func run(
    _ request: SamplingRequest, into targets: SampleTargets, title: String, gamma: GammaTable?
  ) async throws {
    bar = ProgressBar.onStandardError(title: "sample", total: totalSteps(samples: request.count), unit: .steps)
    defer { bar?.clear() }
    let clock = ContinuousClock()
    let start = clock.now
    let (samples, frames) = try await draw(request)
    let seconds = (clock.now - start) / .seconds(1)
    bar?.clear()

    let way = "\(title), \(sampler.plan.stepCount) steps"
    try targets.finish(samples, frames: frames, title: way, gamma: gamma)
    guard bar != nil else { return }
    let count = Quantity.grouped(request.count)
    note("\(count) samples in \(Quantity.short(seconds)) s: \(way), \(sampler.plan.evaluations) evaluations")
  }

  /// - Returns: the samples, and for each moment observed the first samples, brought to unit variance.
  private func draw(_ request: SamplingRequest) async throws -> (samples: SampleSet, frames: [[Float]]) {
    var request = request
    let steps = sampler.plan.stepCount
    if let followed {
      let every = (steps + followed.moments - 1) / followed.moments
      request.observation = .init(every: every, start: true, samples: true)
    } else if bar != nil {
      request.observation = .init(every: isSlow ? 1 : max(1, steps / 20))
    }
    let elements = sampler.denoiser.elementCount
    var samples: [Float] = []
    var frames: [Int: [Float]] = [:]
    var counted = 0
    for try await progress in try sampler.run(request) {
      bar?.advance(documents: progress.step - counted, tokens: 0)
      counted = progress.isFinished ? 0 : progress.step
      if progress.isFinished { samples += progress.samples ?? [] }
      if let followed, progress.batch.lowerBound < followed.samples, let values = progress.samples {
        let part = values.prefix((followed.samples - progress.batch.lowerBound) * elements)
        // Where noise is large, only its shape is of interest.
        let scale = Float(progress.level.unitScale)
        frames[progress.step, default: []] += part.map { $0 * scale }
      }
    }
    let set = SampleSet(shape: sampler.denoiser.sampleShape, values: samples)
    return (set, frames.sorted { $0.key < $1.key }.map(\.value))
  }

  /// Steps of all batches together.
  private func totalSteps(samples: Int) -> Int {
    ((samples - 1) / sampler.batchSize + 1) * sampler.plan.stepCount
  }
}
