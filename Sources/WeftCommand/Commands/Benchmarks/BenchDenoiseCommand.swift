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

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

  func validate() throws {
    guard (1...65_536).contains(batch), (1...100_000).contains(stepsPerRun) else {
      throw ValidationError("--batch must be from 1 to 65536 and --steps-per-run from 1 to 100000")
    }
    guard Double(batch) * Double(shape.elements) < 1e9 else {
      throw ValidationError("a benchmark of this size does not fit; take a smaller batch or shape")
    }
  }

  func run() async throws {
    let engine = try tiles.engine()
    let steps = try await StepInputs(self, on: engine)
    var buildTimes: [Double] = []
    let measurement = try await repetition.measure {
      let start = ContinuousClock.now
      let submission = try steps.submission(stepsPerRun)
      buildTimes.append(start.duration(to: .now) / .seconds(1))
      _ = try await engine.run(submission)
    }
    let building = buildTimes.sorted()[buildTimes.count / 2]
    func perStep(_ seconds: Double) -> Double { seconds / Double(stepsPerRun) }

    let bytes = (copy ? 2 : 3) * batch * shape.elements * MemoryLayout<Float>.size
    let median = perStep(measurement.median)
    repetition.show(
      [
        .seconds("median_seconds", "median of a step", median),
        .seconds("min_seconds", "fastest", perStep(measurement.least)),
        .seconds("max_seconds", "slowest", perStep(measurement.most)),
        .number("microseconds", "µs a step", 1e6 * median, "%.2f"),
        .number("build_microseconds", "µs of them to describe and check it", 1e6 * perStep(building), "%.2f"),
        .bytes("step_bytes", "read and written", bytes),
        .number("gigabytes_per_second", "GB/s", Double(bytes) / median / 1e9, "%.2f"),
      ] + ReportEntry.device(engine))
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

  init(_ command: BenchDenoiseCommand, on engine: Engine) async throws {
    let (count, elements) = (command.batch, command.shape.elements)
    batch = SampleBatch(samples: count, elements: elements)
    func normals(seed: UInt64) async throws -> Tensor {
      try await engine.upload(.float32(normalNumbers(count * elements, seed: seed)), shape: [count, elements])
    }
    samples = (try await normals(seed: 1), try engine.makeTensor(.float32, count, elements))
    output = command.copy ? nil : try await normals(seed: 2)
    // Numbers of a step in the middle of DDPM's 1000: what is repeated stays bounded.
    var row = CoefficientRow()
    if command.copy {
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
    if command.noise && !command.copy {
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
