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

  @OptionGroup var bench: BenchOptions

  func validate() throws {
    guard (2...10_000_000).contains(vectors), (1...65_536).contains(dimension), (1..<vectors).contains(k) else {
      throw ValidationError(
        "--vectors must be from 2 to 10000000, --dimension from 1 to 65536, -k from 1 to one less than the vectors")
    }
    guard Double(vectors) * Double(dimension) <= 1e9 else {
      throw ValidationError("a benchmark of this size does not fit; take fewer vectors or a smaller dimension")
    }
  }

  func run() async throws {
    let engine = try bench.engine()
    let set = try Vectors(normalNumbers(vectors * dimension, seed: 1), dimension: dimension)
    var found: NeighbourLists?
    let measurement = try await bench.measure {
      found = try await engine.neighbours(of: set, k: k, metric: metric)
    }
    let distances = found?.distances ?? []
    let mean = distances.reduce(0, +) / Double(max(1, distances.count))
    let products = 2 * Double(set.count) * Double(set.count) * Double(set.dimension)
    try bench.show(
      measurement, on: engine,
      [
        .number("gflops", "GFLOP/s", products / measurement.median / 1e9, "%.1f"),
        .number("mean_distance", "mean distance of neighbours", mean, "%.6f"),
      ])
  }
}

struct BenchArgmaxableCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "argmaxable",
    abstract: "Time the search for classes that can never have the highest score.",
    usage: """
      weft bench argmaxable [<options>]
      weft bench argmaxable --tensor <name> <file.safetensors>
      """,
    discussion: """
      Decides every class once, says which stage of the search settled how many and in what time, and checks all proofs \
      again with a checker of its own. Classes are normal numbers, --planted of them moved half way from another \
      class to the mean of all, where they can never win; or they are a tensor of a file.
      """)

  @Option(parsing: .unconditional, help: "Classes.") var classes = 2000
  @Option(parsing: .unconditional, help: "Elements of a class's vector.") var dimension = 64
  @Option(parsing: .unconditional, help: "Classes that are moved inside the others' hull.") var planted = 20

  @Option(help: ArgumentHelp("The tensor to take instead, of shape [classes, dimension].", valueName: "name"))
  var tensor: String?

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  @OptionGroup var tiles: TileOptions

  @Argument(help: ArgumentHelp("A checkpoint with the tensor.", valueName: "file.safetensors"))
  var file: String?

  func validate() throws {
    guard (file == nil) == (tensor == nil) else {
      throw ValidationError("a file and --tensor belong together: give both or neither")
    }
    guard classes >= 2, dimension >= 1 else {
      throw ValidationError("--classes must be at least 2, --dimension at least 1")
    }
    guard (2...1_000_000).contains(classes), (1...16_384).contains(dimension), classes * dimension <= 500_000_000 else {
      throw ValidationError("a benchmark of this size does not fit; take fewer classes or a smaller dimension")
    }
    guard planted >= 0, planted == 0 || classes - planted > 2 * dimension else {
      throw ValidationError("--planted must leave more than twice as many classes as there are dimensions")
    }
  }

  func run() async throws {
    let engine = try tiles.engine()
    let layer = try layer()
    let start = ContinuousClock.now
    var stages = StageTimes(since: start)
    var summary = ArgmaxableSummary()
    var proofs: [ClassProof] = []
    let bar = ProgressBar.onStandardError(title: "argmaxable", total: layer.classes.count, unit: .classes)
    defer { bar?.clear() }
    try await ArgmaxSearch(layer.classes, on: engine).run { found, stage in
      stages.add(found.count, stage)
      for proof in found { _ = summary.add(proof) }
      proofs += found
      bar?.remark = summary.remark
      bar?.advance(documents: found.count, tokens: 0)
    }
    bar?.clear()
    let (wall, processors) = (start.duration(to: .now) / .seconds(1), processorSeconds())
    let again = ContinuousClock.now
    let held = try await ProofChecker(layer.classes).findings(proofs).count { $0 == .proven }

    var entries: [ReportEntry] = [
      .duration("seconds", "to decide all", wall), .duration("processor_seconds", "of processors' time", processors),
    ]
    entries += stages.entries
    for verdict in Verdict.allCases {
      entries.append(.integer(verdict.rawValue, verdict.rawValue, summary.count(verdict)))
    }
    if file == nil {
      let found = summary.proofs(.unargmaxable).count { layer.planted.contains($0.index) }
      entries += [
        .integer("planted", "planted", layer.planted.count), .integer("planted_found", "of them unargmaxable", found),
      ]
    }
    entries += [
      .integer("proofs_held", "proofs that held when checked again", held),
      .duration("check_seconds", "to check them", again.duration(to: .now) / .seconds(1)),
    ]
    try BenchReport(entries: entries + ReportEntry.device(engine)).show(json: json)
  }

  /// The layer of the file, or one of random numbers with the indices of what was planted.
  private func layer() throws -> (classes: OutputClasses, planted: Set<Int>) {
    if let file, let tensor { return (try ArgmaxableLayer(file: file, tensor: tensor).classes, []) }
    var numbers = normalNumbers(classes * dimension, seed: 1)
    // Spread over the layer, and never the first, which is one of those that they are moved towards.
    let chosen = (0..<planted).map { ($0 + 1) * classes / (planted + 1) }
    let others = Array(Set(0..<classes).subtracting(chosen)).sorted()
    var mean = [Double](repeating: 0, count: dimension)
    for row in others {
      for j in mean.indices { mean[j] += Double(numbers[row * dimension + j]) / Double(others.count) }
    }
    for (number, row) in chosen.enumerated() {
      let other = others[number * 37 % others.count]
      for j in mean.indices {
        numbers[row * dimension + j] = Float((mean[j] + Double(numbers[other * dimension + j])) / 2)
      }
    }
    return (try OutputClasses(Vectors(numbers, dimension: dimension)), Set(chosen))
  }
}

/// How many classes each stage of a search settled, and how long it took.
private struct StageTimes {
  private var last: ContinuousClock.Instant
  private var counts: [SearchStage: Int] = [:]
  private var seconds: [SearchStage: Double] = [:]

  init(since start: ContinuousClock.Instant) { last = start }

  /// Adds classes that were settled since the last call.
  mutating func add(_ count: Int, _ stage: SearchStage) {
    let now = ContinuousClock.now
    counts[stage, default: 0] += count
    seconds[stage, default: 0] += last.duration(to: now) / .seconds(1)
    last = now
  }

  var entries: [ReportEntry] {
    SearchStage.allCases.flatMap { stage -> [ReportEntry] in
      let name = stage.rawValue.replacing(" ", with: "_")
      return [
        .integer("settled_by_" + name, "settled by \(stage.rawValue)", counts[stage] ?? 0),
        .duration(name + "_seconds", "time of that stage", seconds[stage] ?? 0),
      ]
    }
  }
}
