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
      are among no vector's. N counts how many others have a vector among their k nearest. Neighbours are exact, a vector is \
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
    guard k >= 1 else { throw ValidationError("-k is \(k): it must be at least 1") }
    try OutputName.check(plot, "--plot", isA: "svg", also: "; plots are vector graphics")
    try OutputName.checkDiffer([("--plot", plot)], inputs: [("the vectors", VectorFile.parts(of: vectors).path)])
    if let candidates {
      guard reduce != nil else { throw ValidationError("--candidates are what --reduce chooses from: give it too") }
      guard candidates >= k else {
        throw ValidationError("--candidates is \(candidates): it must be at least \(k), which is k")
      }
    }
    if let reduce, !reduce.metrics.contains(search.metric) {
      let names = reduce.metrics.map(\.rawValue).joined(separator: " or ")
      throw ValidationError("--reduce \(reduce.rawValue) rescales other distances: give --metric \(names)")
    }
  }

  func run() async throws {
    let file = try plot.map { try OutputFile(path: $0) }
    let source = try VectorFile(named: vectors)
    source.noteRounding(named: vectors)
    let length = reduce == nil ? k : min(candidates ?? max(100, 10 * k), max(k, source.count - 1))
    let engine = try await search.device.engine()
    let lists = try await search.neighbours(of: source, named: vectors, k: length, on: engine)
    if let candidates, candidates > length {
      note(
        "--candidates is \(candidates), and each of \(source.count) vectors has \(length) others: all are candidates")
    }
    let mean = try await source.mean()
    let norms = try await source.distances(from: mean)
    var kinds = [HubnessReport.Measured(title: "as they are", NeighbourCounts(lists, k: k), distancesFromMean: norms)]
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
    try report.show(json: json)
    try file?.commit()
  }
}

/// What `weft hubness` tells.
struct HubnessReport: Report {
  /// Neighbour counts by the distances as they are, or as a reduction makes them, and what follows from the counts.
  struct Measured: Encodable {
    let title: String
    let counts: NeighbourCounts
    let measures: HubnessMeasures
    /// Spearman's correlation of N with the distance from the mean; nil if either is constant.
    let correlation: Double?

    init(title: String, _ counts: NeighbourCounts, distancesFromMean: [Double]) {
      self.title = title
      self.counts = counts
      measures = HubnessMeasures(counts)
      correlation = spearmanCorrelation(counts.counts.map(Double.init), distancesFromMean)
    }

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: FieldName.self)
      try fields.encode(measures.skewness, forKey: "skewness")
      try fields.encode(measures.robinHood, forKey: "robin_hood")
      try fields.encode(measures.gini, forKey: "gini")
      try fields.encode(measures.atkinson, forKey: "atkinson")
      try fields.encode(measures.antihubShare, forKey: "antihub_share")
      try fields.encode(measures.hubShare, forKey: "hub_share")
      try fields.encode(measures.hubOccurrence, forKey: "hub_occurrence")
      try fields.encode(measures.largestShare, forKey: "largest_share")
      try fields.encode(correlation, forKey: "mean_distance_correlation")
      try fields.encode(measures.hubCount, forKey: "hub_count")
      try fields.encode(measures.largest, forKey: "largest")
      try fields.encode(
        counts.largest(HubnessReport.namedHubs).map { Hub(index: $0, count: counts.counts[$0]) }, forKey: "hubs")
      try fields.encode(counts.histogram, forKey: "histogram")
    }
  }

  private struct Hub: Encodable {
    let index: Int
    let count: Int
  }

  let name: String
  let count: Int
  let dimension: Int
  let k: Int
  let metric: Metric
  /// As distances are, then as they are after a reduction.
  let kinds: [Measured]
  /// Neighbours that the reduction chose from.
  let candidates: Int?
  /// Nil where no pair of vectors has an angle.
  let angles: PairAngles?
  let device: String

  /// Hubs that are named.
  static let namedHubs = 5

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.encode(name, forKey: "vectors")
    try fields.encode(count, forKey: "count")
    try fields.encode(dimension, forKey: "dimension")
    try fields.encode(k, forKey: "k")
    try fields.encode(metric.rawValue, forKey: "metric")
    try fields.encode(kinds[0], forKey: "hubness")
    if kinds.count > 1, let candidates {
      try fields.encode(kinds[1].title, forKey: "reduction")
      try fields.encode(candidates, forKey: "candidates")
      try fields.encode(kinds[1], forKey: "reduced")
    }
    if let angles {
      var object = fields.nestedContainer(keyedBy: FieldName.self, forKey: "angles")
      try object.encode(angles.pairs, forKey: "pairs")
      try object.encode(angles.mean, forKey: "cosine_mean")
      try object.encode(angles.variance, forKey: "cosine_variance")
      try object.encode(angles.deviation, forKey: "deviation")
    }
    try fields.encode(device, forKey: "device")
  }

  // MARK: For people

  func text(on terminal: Terminal) -> String {
    let bold = { (text: String) in Style.bold.apply(to: text, colours: terminal.colours) }
    var text = bold(name) + ": \(Quantity.grouped(count)) vectors of dimension \(Quantity.grouped(dimension)), "
    text += "\(k) \(k == 1 ? "neighbour" : "neighbours") each, metric \(metric.rawValue)"
    text += candidates.map { "; reduced among \($0)" } ?? ""
    text += "\n\n" + measureTable.render(on: terminal) + "\n" + histogramTable(terminal).render(on: terminal) + "\n"
    for kind in kinds {
      let hubs = kind.counts.largest(Self.namedHubs).map { "\($0) (N \(Quantity.grouped(kind.counts.counts[$0])))" }
      text += "greatest hubs\(kinds.count > 1 ? ", \(kind.title)" : ""): \(hubs.joined(separator: ", "))\n"
    }
    if let angles {
      let like = angles.variance > 0 ? String(format: "%.1f", 1 / angles.variance) : "one"
      text += String(
        format: "angles of %@ pairs, seen from the mean: cos has mean %.3f and variance %.3g, as in %@ dimensions\n",
        Quantity.grouped(angles.pairs), (angles.mean * 1000).rounded() / 1000 + 0, angles.variance, like)
    }
    return text
  }

  private var measureTable: TextTable {
    var table = TextTable([.text("")] + kinds.map { .number(kinds.count > 1 ? $0.title : "") })
    func add(_ title: String, _ value: (Measured) -> String) { table.addRow([title] + kinds.map(value)) }
    func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
    func number(_ value: Double) -> String { String(format: "%.3f", value) }
    add("skewness of N") { number($0.measures.skewness) }
    add("Robin Hood index") { number($0.measures.robinHood) }
    add("Gini's index") { number($0.measures.gini) }
    add("Atkinson's index, ε = 1/2") { number($0.measures.atkinson) }
    add("antihubs, N = 0") { percent($0.measures.antihubShare) }
    add("hubs, N ≥ \(2 * k)") { percent($0.measures.hubShare) }
    add("places in lists that hubs take") { percent($0.measures.hubOccurrence) }
    add("greatest N") { Quantity.grouped($0.measures.largest) }
    add("its share of all places") { String(format: "%.3g %%", 100 * $0.measures.largestShare) }
    add("rank correlation of N with the distance from the mean") { $0.correlation.map(number) ?? "–" }
    return table
  }

  /// Counts in ranges that double: 0, 1 … k/2, … k, … 2k, and on.
  private func histogramTable(_ terminal: Terminal) -> TextTable {
    let largest = kinds.reduce(0) { max($0, $1.measures.largest) }
    var bounds = [0, 1]
    for bound in [(k + 1) / 2 + 1, k + 1, 2 * k] where bound > bounds[bounds.count - 1] { bounds.append(bound) }
    while bounds[bounds.count - 1] <= largest { bounds.append(2 * bounds[bounds.count - 1]) }
    let columns: [TextTable.Column] = kinds.flatMap { [.number(kinds.count > 1 ? $0.title : "vectors"), .text("")] }
    var table = TextTable([.number("N")] + columns)
    let shares = kinds.map { kind in
      zip(bounds, bounds.dropFirst()).map { low, high in
        kind.counts.histogram.enumerated().reduce(0) { (low..<high).contains($1.offset) ? $0 + $1.element : $0 }
      }
    }
    let most = max(1, shares.flatMap { $0 }.max() ?? 1)
    let width = max(8, min(40, (terminal.width - 12) / kinds.count - 22))
    for (row, (low, high)) in zip(bounds, bounds.dropFirst()).enumerated() {
      let range = high - low == 1 ? "\(low)" : "\(low) – \(high - 1)"
      table.addRow([range] + shares.flatMap { [Quantity.grouped($0[row]), bar($0[row], most, width, terminal)] })
    }
    return table
  }

  private func bar(_ count: Int, _ most: Int, _ width: Int, _ terminal: Terminal) -> String {
    let length = count == 0 ? 0 : max(1, (count * width + most / 2) / most)
    return String(repeating: terminal.isUnicode ? "█" : "#", count: length)
  }
}
