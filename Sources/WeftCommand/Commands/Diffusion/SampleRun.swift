import ArgumentParser
import Diffusion
import Engine
import Foundation
import ModelFiles
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

/// The files of a run, opened before anything is computed. At its end each is complete or does not exist.
struct SampleTargets {
  private let space: SampleSpace
  private let data: [Float]
  private let picture: OutputFile?
  private let array: OutputFile?
  private let gamma: OutputFile?

  /// - Parameters:
  ///   - output: where samples go.
  ///   - gamma: where Γ goes, if it is kept.
  ///   - space: what the samples are.
  ///   - data: points that plots show too, in the sampler's size.
  /// - Throws: `OutputError` if one cannot be written.
  init(_ output: SampleOutputOptions, gamma: String? = nil, space: SampleSpace, data: [Float] = []) throws {
    self.space = space
    self.data = data
    picture = try output.output.map { try Self.open($0) }
    array = try output.array.map { try Self.open($0) }
    self.gamma = try gamma.map { try Self.open($0) }
  }

  /// Refuses what does not fit the data, before a device is opened.
  static func check(_ output: SampleOutputOptions, _ data: SampleSpace, samples count: Int) throws {
    try checkMemory(count, data)
    if data.kind == .points, data.shape != [2], output.output != nil {
      throw ValidationError("--output: only points of 2 dimensions have a picture, not \(data.shape[0]): use --array")
    }
    if let path = output.output {
      try OutputName.check(
        path, "--output", isA: SamplePicture.format(of: data),
        also: data.kind == .points ? " of points: they are drawn as a vector graphic" : " of images")
      try SamplePicture.check(data, samples: count, isTrajectory: output.trajectory)
    }
    if output.output == nil && output.array == nil {
      guard data.kind == .images, data.shape[data.shape.count - 1] <= Terminal(describing: STDOUT_FILENO).width else {
        throw ValidationError("the terminal cannot show these samples: give --output picture.png or --array out.npy")
      }
    }
  }

  /// Samples are held as they are, in the data's units, and as the bytes of a file: more than the machine has would end
  /// the run after all its work.
  private static func checkMemory(_ count: Int, _ data: SampleSpace) throws {
    let bytes = 3 * MemoryLayout<Float>.size
    let (numbers, overflow) = count.multipliedReportingOverflow(by: data.elements)
    let limit = min(Int(clamping: ProcessInfo.processInfo.physicalMemory) / bytes, 1 << 31)
    guard overflow || numbers > limit else { return }
    guard limit >= data.elements else {
      throw EngineError(.exhausted, "a sample of shape \(data.shape) does not fit in this machine's memory")
    }
    throw ValidationError(
      "--count is \(count): that many samples of shape \(data.shape) do not fit in this machine's memory; "
        + "\(limit / data.elements) would")
  }

  /// Writes all files, or shows the samples if there are none.
  ///
  /// - Parameters:
  ///   - samples: in the sampler's size.
  ///   - frames: the first samples on their way, in the sampler's size too; empty if they were not followed.
  ///   - title: of a plot.
  ///   - table: Γ, to be kept.
  /// - Throws: `OutputError` or `PictureError` if a file cannot be written.
  func finish(_ samples: SampleSet, frames: [[Float]] = [], title: String, gamma table: GammaTable? = nil) throws {
    let values = space.restore(samples.values)
    try array?.write(NumPyWriter.file(values, shape: [samples.count] + samples.shape))
    try gamma?.write(Array((table?.json ?? "").utf8))
    if let picture {
      let way = frames.map { space.restore($0) }
      let points = space.kind == .points ? space.restore(data) : []
      try picture.write(try SamplePicture(space: space, title: title, data: points).file(values, frames: way))
    }
    for file in [picture, array, gamma] { try file?.commit() }
    guard picture == nil && array == nil else { return }
    let terminal = Terminal(describing: STDOUT_FILENO)
    let preview = BlockPicture(space.brightness(values), shape: space.shape, terminal: terminal)
    print(preview.render(rowLimit: 4), terminator: "")
  }

  private static func open(_ path: String) throws -> OutputFile {
    let file = try OutputFile(path: path)
    return file
  }
}
