import Foundation
import Geometry

/// What `weft hubness` tells.
struct HubnessReport {
  /// Neighbour counts by one kind of distance, and what follows from them.
  struct Kind {
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
  }

  let name: String
  let count: Int
  let dimension: Int
  let k: Int
  let metric: Metric
  /// As distances are, then as they are after a reduction.
  let kinds: [Kind]
  /// Neighbours that the reduction chose from.
  let candidates: Int?
  /// Nil where no pair of vectors has an angle.
  let angles: PairAngles?
  let device: String

  /// Hubs that are named.
  static let namedHubs = 5

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
    func add(_ title: String, _ value: (Kind) -> String) { table.addRow([title] + kinds.map(value)) }
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
