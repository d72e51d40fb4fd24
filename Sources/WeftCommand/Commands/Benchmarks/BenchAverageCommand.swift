import ArgumentParser
import Diffusion
import Engine
import Foundation
import Networks

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

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

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
    let engine = try tiles.engine()
    let inputs = try await AverageInputs(self, on: engine)
    let measurement = try await repetition.measure { try await inputs.average() }
    let pairs = Double(points) * Double(batch)
    let rate = 4 * pairs * Double(shape.elements) / measurement.median / 1e9
    repetition.show(
      ReportEntry.timings(measurement) + [
        .number("gflops", "GFLOP/s", rate, "%.1f"),
        .number("pairs_per_second", "points times samples a second", pairs / measurement.median, "%.3g"),
      ] + ReportEntry.device(engine))
  }
}

/// A data set and a batch of noisy samples on the device.
private struct AverageInputs {
  private let engine: Engine
  private let mean: PosteriorMean

  init(_ command: BenchAverageCommand, on engine: Engine) async throws {
    self.engine = engine
    let (count, elements) = (command.batch, command.shape.elements)
    let points = normalNumbers(command.points * elements, seed: 1)
    let mixture = try await engine.makeMixture(
      means: Vectors(points, dimension: elements), groups: [MixtureGroup(components: command.points, variance: 0)])
    let (alpha, sigma) = (Float(command.alphaBar.squareRoot()), Float((1 - command.alphaBar).squareRoot()))
    var generator = SplitMix64(seed: 3)
    var samples = normalNumbers(count * elements, seed: 2).map { sigma * $0 }
    for sample in 0..<count {
      let point = Int.random(in: 0..<command.points, using: &generator)
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
