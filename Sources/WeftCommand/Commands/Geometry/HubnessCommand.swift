import ArgumentParser
import Foundation
import Geometry
import ModelFiles
import Weft

struct HubnessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hubness",
    abstract: "Tell how evenly vectors are each other's nearest neighbours.",
    usage: """
      weft hubness [<options>] <vectors.npy>
      weft hubness [<options>] <file.safetensors#tensor>
      """,
    discussion: """
      In high dimension a few vectors, hubs, are among the nearest neighbours of very many others, and many, antihubs, \
      are among nobody's. N counts how many others have a vector among their k nearest. Neighbours are exact, a vector is \
      not its own, and copies of it are.

      --reduce rescales distances by what is around both vectors and shows the same measures again:

        local-scaling             1 - exp(-d² / (r r')), r the distance of the k-th neighbour
        nicdm                     d / √(μ μ'), μ the mean distance of the k neighbours
        mutual-proximity          how improbable it is to be nearer, for normals fitted to both lists
        mutual-proximity-empiric  the same, counted
        dis-sim-local             |x - y|² less the squared distances to the centroids of the k neighbours
        csls                      r + r' - 2 cos, r the mean cosine of the k neighbours; with --metric cosine

      The first two take the root of squared-euclidean distances; mutual proximity takes them as they are.

        weft hubness model.safetensors#embeddings.word_embeddings.weight --metric cosine --reduce csls
      """)

  @Argument(
    help: ArgumentHelp(
      "One vector a row: a .npy file, or a tensor of a safetensors file. It is read as needed and may be larger than memory.",
      valueName: "vectors"))
  var vectors: String

  @Option(
    name: .customShort("k"), parsing: .unconditional, help: ArgumentHelp("Neighbours of each vector.", valueName: "n"))
  var k = 10

  @OptionGroup var search: NeighbourArguments

  @Option(
    help: ArgumentHelp("Rescale distances, and show what that does.", valueName: "name"),
    transform: { try Choice.named($0) })
  var reduce: HubnessReduction?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Neighbours that --reduce chooses from (the larger of 100 and 10 k, or all).", valueName: "n"))
  var candidates: Int?

  @Flag(help: "Print one JSON object instead of a report.")
  var json = false

  @Option(help: ArgumentHelp("Plot how many vectors have which N.", valueName: "out.svg"))
  var plot: String?

  func validate() throws {
    try NeighbourArguments.checkName(vectors)
    guard (1...1024).contains(k) else { throw ValidationError("-k is \(k): it must be from 1 to 1024") }
    try OutputName.check(plot, "--plot", isA: "svg", also: "; plots are vector graphics")
    try OutputName.checkDiffer([("--plot", plot)], inputs: [("the vectors", VectorFile.parts(of: vectors).path)])
    if let candidates {
      guard reduce != nil else { throw ValidationError("--candidates are what --reduce chooses from: give it too") }
      guard (k...1024).contains(candidates) else {
        throw ValidationError("--candidates is \(candidates): it must be from \(k), which is k, to 1024")
      }
    }
    if let reduce, !reduce.metrics.contains(search.metric) {
      let names = reduce.metrics.map(\.rawValue).joined(separator: " or ")
      throw ValidationError("--reduce \(reduce.rawValue) rescales other distances: give --metric \(names)")
    }
  }

  func run() async throws {
    let file = try plot.map { try OutputFile(path: $0) }
    file?.removeWhenInterrupted()
    let source = try VectorFile(named: vectors)
    source.noteRounding(named: vectors)
    let length = reduce == nil ? k : min(candidates ?? max(100, 10 * k), 1024, max(k, source.count - 1))
    let engine = try await search.device.engine()
    let lists = try await search.neighbours(of: source, named: vectors, k: length, on: engine)
    if let candidates, candidates > length {
      note(
        "--candidates is \(candidates), and each of \(source.count) vectors has \(length) others: all are candidates")
    }
    let mean = try await source.mean()
    let norms = try await source.distances(from: mean)
    var kinds = [HubnessReport.Kind(title: "as they are", NeighbourCounts(lists, k: k), distancesFromMean: norms)]
    if let reduce {
      let reduced = try await lists.reduced(by: reduce, k: k, vectors: source)
      kinds.append(.init(title: reduce.rawValue, NeighbourCounts(reduced), distancesFromMean: norms))
    }
    let angles = try await PairAngles(of: source, mean: mean, distances: norms)
    let report = HubnessReport(
      name: vectors, count: source.count, dimension: source.dimension, k: k, metric: search.metric, kinds: kinds,
      candidates: reduce == nil ? nil : length, angles: angles, device: engine.device.name)
    try show(report, plot: file)
  }

  private func show(_ report: HubnessReport, plot file: OutputFile?) throws {
    try file?.write(Array(try HubnessPlot(report: report).svg().utf8))
    try printReport(json ? report.json : report.text(on: Terminal(describing: STDOUT_FILENO)))
    try file?.commit()
  }
}
