/// A checked panel with its ranges, ticks and legend, and the room that they take.
struct LinePanelLayout {
  static let labelSize = 12.0

  let panel: LinePanel
  let size: (width: Double, height: Double)
  let x: AxisRange
  let y: AxisRange
  let xTicks: [Tick]
  let yTicks: [Tick]
  let legend: Legend
  /// The widest label of the vertical axis.
  let labelWidth: Double

  /// Chooses ranges and ticks for a panel of a size.
  init(_ panel: LinePanel, size: (width: Double, height: Double)) throws(PictureError) {
    try panel.check()
    let bars = panel.series.flatMap(\.bars)
    let points =
      panel.series.flatMap { $0.points + $0.dots }
      + bars.flatMap {
        [PlotPoint(x: $0.range.lowerBound, y: $0.height), PlotPoint(x: $0.range.upperBound, y: $0.height)]
      }
    let (x, y) = (panel.x.scale, panel.y.scale)
    // Bars stand on 0, or, where there is none, so that the lowest can be seen.
    let ground = bars.map(\.height).min().map { [y == .linear ? 0 : $0 / 2] } ?? []
    guard !points.isEmpty,
      let x = AxisRange(covering: points.map { $0.x } + panel.marks, scale: x, margin: 0.02),
      var y = AxisRange(covering: points.map { $0.y } + ground, scale: y, margin: 0.05)
    else {
      throw .empty("a panel without points" + (panel.title.isEmpty ? "" : ": \(panel.title)"))
    }
    // A gap under bars would make them look shorter than they are.
    if y.scale == .linear, !bars.isEmpty, points.allSatisfy({ $0.y >= 0 }) { y.low = 0 }
    (self.panel, self.size, self.x, self.y) = (panel, size, x, y)
    yTicks = y.ticks(about: Int(size.height / 55))
    labelWidth = yTicks.map { $0.label.map(Self.width) ?? 0 }.max() ?? 0
    let length = size.width - labelWidth - 60
    xTicks = x.ticks(about: Int(size.width / 80), along: length) { Self.width(of: $0) + 12 }
    legend = Legend(panel.series, width: length)
  }

  /// What the title and the legend take above the axes.
  var headHeight: Double { (panel.title.isEmpty ? 8 : 30) + legend.height }

  /// About how wide a tick's label is.
  static func width(of label: Tick.Label) -> Double {
    switch label {
    case .text(let text): text.estimatedWidth(size: labelSize)
    case .powerOfTen(let exponent): "10\(exponent)".estimatedWidth(size: labelSize)
    }
  }
}
