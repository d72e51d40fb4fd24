import ArgumentParser
import Diffusion
import Engine
import Foundation
import Networks

struct BenchDenoiseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "denoise",
    abstract: "Time a sampler's step.",
    usage: "weft bench denoise [<options>]",
    discussion: """
      A step reads a sample and a network's output and writes the next sample, clipped, with noise unless --no-noise \
      is given. Times are of one step: a run's time divided by its steps, which are sent to the device together and \
      take one another's results. With a tiny sample, such as --batch 1 --shape 4 --steps-per-run 1000, that is the \
      host's work for a step, with what the device's driver adds. GB/s count what a step reads and writes; the noise \
      is computed, not read.
      """)

  @Option(parsing: .unconditional, help: "Samples in the batch.") var batch = 64

  @Option(
    help: ArgumentHelp("A sample's dimensions (3,64,64).", valueName: "n,n,…"),
    transform: { try SampleShape($0) })
  var shape = SampleShape(dimensions: [3, 64, 64])

  @Flag(inversion: .prefixedNo, help: "Add noise, as DDPM does, or none, as DDIM does.")
  var noise = true

  @Flag(help: "Only copy: the same kernel, without an output, a clip or noise.")
  var copy = false

  @Option(parsing: .unconditional, help: "Steps sent to the device together.") var stepsPerRun = 10

  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (1...65_536).contains(batch), (1...100_000).contains(stepsPerRun) else {
      throw ValidationError("--batch must be from 1 to 65536 and --steps-per-run from 1 to 100000")
    }
    guard Double(batch) * Double(shape.elements) < 1e9 else {
      throw ValidationError("a benchmark of this size does not fit; take a smaller batch or shape")
    }
  }

  func run() async throws {
    let engine = try bench.engine()
    let steps = try await StepInputs(
      samples: batch, elements: shape.elements, copies: copy, addsNoise: noise, on: engine)
    var buildTimes: [Double] = []
    let measurement = try await bench.measure {
      let start = ContinuousClock.now
      let submission = try steps.submission(stepsPerRun)
      buildTimes.append(start.duration(to: .now) / .seconds(1))
      _ = try await engine.run(submission)
    }
    let building = buildTimes.sorted()[buildTimes.count / 2]
    func perStep(_ seconds: Double) -> Double { seconds / Double(stepsPerRun) }

    let bytes = (copy ? 2 : 3) * batch * shape.elements * MemoryLayout<Float>.size
    let median = perStep(measurement.median)
    try bench.show(
      [
        .seconds("median_seconds", "median of a step", median),
        .seconds("min_seconds", "fastest", perStep(measurement.least)),
        .seconds("max_seconds", "slowest", perStep(measurement.most)),
        .seconds("cpu_seconds", "processors", perStep(measurement.processorMedian)),
        .number("microseconds", "µs a step", 1e6 * median, "%.2f"),
        .number("build_microseconds", "µs of them to describe and check it", 1e6 * perStep(building), "%.2f"),
        .bytes("step_bytes", "read and written", bytes),
        .number("gigabytes_per_second", "GB/s", Double(bytes) / median / 1e9, "%.2f"),
      ], on: engine)
  }
}

/// Sizes of a sample's dimensions, as an argument: `3,64,64`.
struct SampleShape: CustomStringConvertible {
  private static let mostElements = 1_000_000_000

  let dimensions: [Int]

  init(dimensions: [Int]) { self.dimensions = dimensions }

  init(_ argument: String) throws {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    dimensions = parts.compactMap { Int($0) }.filter { $0 > 0 }
    let isSmall = dimensions.reduce(1.0) { $0 * Double($1) } <= Double(Self.mostElements)
    guard dimensions.count == parts.count, (1...4).contains(parts.count), isSmall else {
      throw ValidationError(
        "'\(argument)' is no shape: 1 to 4 whole numbers above 0, such as 3,64,64, of at most 10^9 elements")
    }
  }

  var elements: Int { dimensions.reduce(1, *) }
  var description: String { dimensions.map(String.init).joined(separator: ",") }
}

/// What a trajectory has on the device before its first step.
private struct StepInputs {
  let batch: SampleBatch
  let rows: CoefficientRows
  /// The sample before a step and after it; the next step goes back.
  let samples: (Tensor, Tensor)
  let output: Tensor?
  let identities: Tensor?

  /// Steps that only copy the sample, or denoise it and may add noise.
  init(samples count: Int, elements: Int, copies: Bool, addsNoise: Bool, on engine: Engine) async throws {
    batch = SampleBatch(samples: count, elements: elements)
    func normals(seed: UInt64) async throws -> Tensor {
      try await engine.upload(.float32(normalNumbers(count * elements, seed: seed)), shape: [count, elements])
    }
    samples = (try await normals(seed: 1), try engine.makeTensor(.float32, count, elements))
    output = copies ? nil : try await normals(seed: 2)
    // Numbers of a step in the middle of DDPM's 1000: what is repeated stays bounded.
    var row = CoefficientRow()
    if copies {
      row[.sample] = 1
    } else {
      row[.x0FromSample] = 3.56
      row[.x0FromOutput] = -3.42
      row[.limit] = 1
      row[.sample] = 0.994
      row[.x0] = 0.003
      row[.noise] = 0.1
    }
    rows = CoefficientRows(
      try await engine.upload(.float32(row.elements), shape: [1, CoefficientRow.width]), first: 0)
    if addsNoise && !copies {
      let words = (0..<count).flatMap { SampleIdentity(seed: 3, sample: UInt32($0)).words }
      identities = try await engine.upload(.int32(words), shape: [count, 4])
    } else {
      identities = nil
    }
  }

  func submission(_ steps: Int) throws -> Submission {
    var submission = Submission()
    for index in 0..<steps {
      let (from, to) = index.isMultiple(of: 2) ? samples : (samples.1, samples.0)
      var step = DenoiseStep(batch, rows, x: from, output: output, into: to)
      if output != nil { step.clip = .fixed }
      step.noise = identities.map { NoiseSource($0, step: index, stream: .step) }
      try submission.append(step)
    }
    return submission
  }
}

struct BenchAverageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "average",
    abstract: "Time the exact denoiser of a data set.",
    usage: "weft bench average [<options>]",
    discussion: """
      For each noisy sample the mean of all points, weighted by a softmax over distances: what one evaluation of a \
      sampler on --data costs. Points are normal numbers, samples are points with noise. Near the data few points have \
      a weight that counts, and others are left out: --alpha-bar says how much of a point a sample still shows. \
      GFLOP/s count the inner products and the weighted sum of all points, 4 · points · samples · elements.
      """)

  @Option(parsing: .unconditional, help: "Points of the data set.") var points = 100_000
  @Option(parsing: .unconditional, help: "Samples in the batch.") var batch = 64

  @Option(
    help: ArgumentHelp("A point's dimensions (8,8).", valueName: "n,n,…"),
    transform: { try SampleShape($0) })
  var shape = SampleShape(dimensions: [8, 8])

  @Option(help: ArgumentHelp("ᾱ of the samples, above 0 and below 1.", valueName: "number"))
  var alphaBar = 0.5

  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (1...10_000_000).contains(points), (1...65_536).contains(batch) else {
      throw ValidationError("--points must be from 1 to 10000000 and --batch from 1 to 65536")
    }
    guard alphaBar > 0, alphaBar < 1 else { throw ValidationError("--alpha-bar must be above 0 and below 1") }
    guard Double(max(points, batch)) * Double(shape.elements) <= 1e9 else {
      throw ValidationError("a benchmark of this size does not fit; take fewer points, a smaller batch or shape")
    }
  }

  func run() async throws {
    let engine = try bench.engine()
    let inputs = try await AverageInputs(
      points: points, samples: batch, elements: shape.elements, alphaBar: alphaBar, on: engine)
    let measurement = try await bench.measure { try await inputs.average() }
    let pairs = Double(points) * Double(batch)
    let rate = 4 * pairs * Double(shape.elements) / measurement.median / 1e9
    try bench.show(
      measurement, on: engine,
      [
        .number("gflops", "GFLOP/s", rate, "%.1f"),
        .number("pairs_per_second", "points times samples a second", pairs / measurement.median, "%.3g"),
      ])
  }
}

/// A data set and a batch of noisy samples on the device.
private struct AverageInputs {
  private let engine: Engine
  private let mean: PosteriorMean

  init(
    points pointCount: Int, samples count: Int, elements: Int, alphaBar: Double, on engine: Engine
  ) async throws {
    self.engine = engine
    let points = normalNumbers(pointCount * elements, seed: 1)
    let mixture = try await engine.makeMixture(
      means: Vectors(points, dimension: elements), groups: [MixtureGroup(components: pointCount, variance: 0)])
    let (alpha, sigma) = (Float(alphaBar.squareRoot()), Float((1 - alphaBar).squareRoot()))
    var generator = SplitMix64(seed: 3)
    var samples = normalNumbers(count * elements, seed: 2).map { sigma * $0 }
    for sample in 0..<count {
      let point = Int.random(in: 0..<pointCount, using: &generator)
      for e in 0..<elements { samples[sample * elements + e] += alpha * points[point * elements + e] }
    }
    var row = CoefficientRow()
    row[.alpha] = alpha
    row[.sigma] = sigma
    let table = try await engine.upload(.float32(row.elements), shape: [1, CoefficientRow.width])
    let x = try await engine.upload(.float32(samples), shape: [count, elements])
    mean = PosteriorMean(
      HeadSlices(x, channels: elements), rows: count, mixture: mixture, levels: CoefficientRows(table, first: 0),
      partials: try engine.makePartials(rows: count, of: mixture),
      into: try engine.makeTensor(.float32, count, elements))
  }

  func average() async throws {
    var submission = Submission()
    for operation in mean.operations { try submission.append(operation) }
    _ = try await engine.run(submission)
  }
}
