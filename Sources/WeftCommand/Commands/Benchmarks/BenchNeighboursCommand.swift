import ArgumentParser
import Engine
import Foundation
import Geometry

struct BenchNeighboursCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "neighbours",
    abstract: "Time exact nearest neighbours.",
    usage: "weft bench neighbours [<options>]",
    discussion: """
      From vectors in host memory to each one's neighbours and distances there, all against all. Vectors are normal \
      numbers. GFLOP/s count the inner products, 2 · vectors² · dimension.
      """)

  @Option(parsing: .unconditional, help: "Vectors.") var vectors = 20_000
  @Option(parsing: .unconditional, help: "Elements of a vector.") var dimension = 384
  @Option(name: .customShort("k"), parsing: .unconditional, help: "Neighbours of each.") var k = 10

  @Option(
    help: ArgumentHelp("What is near: euclidean, squared-euclidean, cosine or inner-product.", valueName: "name"),
    transform: { try Choice.named($0) })
  var metric = Metric.euclidean

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

  func validate() throws {
    guard (2...10_000_000).contains(vectors), (1...65_536).contains(dimension), (1...1024).contains(k) else {
      throw ValidationError("--vectors must be from 2 to 10000000, --dimension from 1 to 65536, -k from 1 to 1024")
    }
    guard Double(vectors) * Double(dimension) <= 1e9 else {
      throw ValidationError("a benchmark of this size does not fit; take fewer vectors or a smaller dimension")
    }
  }

  func run() async throws {
    let engine = try tiles.engine()
    let set = try Vectors(normalNumbers(vectors * dimension, seed: 1), dimension: dimension)
    var found: NeighbourLists?
    let measurement = try await repetition.measure {
      found = try await engine.neighbours(of: set, k: k, metric: metric)
    }
    let distances = found?.distances ?? []
    let mean = distances.reduce(0, +) / Double(max(1, distances.count))
    let products = 2 * Double(set.count) * Double(set.count) * Double(set.dimension)
    repetition.show(
      ReportEntry.timings(measurement) + [
        .number("gflops", "GFLOP/s", products / measurement.median / 1e9, "%.1f"),
        .number("mean_distance", "mean distance of neighbours", mean, "%.6f"),
      ] + ReportEntry.device(engine))
  }
}
