import Geometry
import Pictures

/// How many vectors have which N: bars on a logarithmic axis, since most have few and a few have very many.
struct HubnessPlot {
  /// Bars at most.
  private static let barLimit = 80

  let report: HubnessReport

  func svg() throws -> String {
    let largest = report.kinds.reduce(1) { max($0, $1.measures.largest) }
    let step = (largest + Self.barLimit) / Self.barLimit
    let bars = bars(report.kinds[0], step)
    var series: [PlotPanel.Series] = [
      .init("nobody's neighbours, N = 0", colour: .orange, bars: bars.filter { $0.range.upperBound < 1 }),
      .init(
        report.kinds.count > 1 ? "N, distances as they are" : "N", colour: .blue,
        bars: bars.filter { $0.range.upperBound > 1 }),
    ].filter { !$0.bars.isEmpty }
    if report.kinds.count > 1 {
      series.append(
        .init("N, \(report.kinds[1].title)", colour: .green, dots: self.bars(report.kinds[1], step).map(\.middle)))
    }
    let measures = report.kinds[0].measures
    let panel = PlotPanel(
      title: "Robin Hood \(rounded(measures.robinHood)), antihubs \(rounded(100 * measures.antihubShare)) %; "
        + "lines at k and 2k",
      x: .init("N: how many others have a vector among their \(report.k) nearest"),
      y: .init(step == 1 ? "vectors" : "vectors, for \(step) values of N", scale: .logarithmic), series: series,
      marks: [Double(report.k), Double(2 * report.k)].filter { $0 <= Double(largest) + 0.5 })
    return try Plot(title: "\(report.name), \(report.metric.rawValue)", panels: [panel]).svg()
  }

  /// N = 0 alone, in a bar as wide as others, then `step` values a bar; without empty ones.
  private func bars(_ kind: HubnessReport.Measured, _ step: Int) -> [PlotPanel.Bar] {
    let histogram = kind.counts.histogram
    var bars: [PlotPanel.Bar] = []
    func add(_ values: Range<Int>, endingAt end: Int) {
      let count = histogram[values.clamped(to: histogram.indices)].reduce(0, +)
      guard count > 0 else { return }
      bars.append(.init(Double(end - step) - 0.5...Double(end) - 0.5, height: Double(count)))
    }
    add(0..<1, endingAt: 1)
    for first in stride(from: 1, to: histogram.count, by: step) { add(first..<first + step, endingAt: first + step) }
    return bars
  }

  private func rounded(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let digits = String(hundredths % 100)
    return "\(hundredths / 100).\(digits.count == 1 ? "0" : "")\(digits)"
  }
}

extension PlotPanel.Bar {
  fileprivate var middle: PlotPoint { PlotPoint(x: (range.lowerBound + range.upperBound) / 2, y: height) }
}
