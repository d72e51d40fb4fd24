/// A checked panel with its ranges, ticks and legend, and the room that they take.
struct PanelLayout {
  static let labelSize = 12.0
  /// The length of both axes of a panel with equal scales.
  static let side = 560.0

  let panel: PlotPanel
  /// What the panel takes unless its scales are equal.
  let size: (width: Double, height: Double)
  let x: AxisRange
  let y: AxisRange
  let xTicks: [Tick]
  let yTicks: [Tick]
  let legend: Legend
  /// The widest label of the vertical axis.
  let labelWidth: Double

  /// Chooses ranges and ticks for a panel of a size.
  init(_ panel: PlotPanel, size: (width: Double, height: Double)) throws(PictureError) {
    try panel.check()
    let points = panel.points
    let ranges = panel.hasEqualScales ? AxisRange.square(around: points) : Self.ranges(of: panel, points)
    guard let ranges else {
      throw .empty("a panel without points" + (panel.title.isEmpty ? "" : ": \(panel.title)"))
    }
    (self.panel, self.size, x, y) = (panel, size, ranges.x, ranges.y)
    // Equal scales get equal steps.
    let counts = panel.hasEqualScales ? (x: 7, y: 7) : (x: Int(size.width / 80), y: Int(size.height / 55))
    yTicks = y.ticks(about: counts.y)
    labelWidth = yTicks.map { $0.label.map(Self.width) ?? 0 }.max() ?? 0
    let length = panel.hasEqualScales ? Self.side : size.width - labelWidth - 60
    xTicks = x.ticks(about: counts.x, along: length) { Self.width(of: $0) + 12 }
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

  /// Each axis' range by itself; nil without points.
  private static func ranges(of panel: PlotPanel, _ points: [PlotPoint]) -> (x: AxisRange, y: AxisRange)? {
    let heights = panel.series.flatMap(\.bars).map(\.height)
    let (x, y) = (panel.x.scale, panel.y.scale)
    // Bars stand on 0, or, where there is none, so that the lowest can be seen.
    let ground = heights.min().map { [y == .linear ? 0 : $0 / 2] } ?? []
    guard !points.isEmpty,
      let x = AxisRange(covering: points.map { $0.x } + panel.marks, scale: x, margin: 0.02),
      var y = AxisRange(covering: points.map { $0.y } + ground, scale: y, margin: 0.05)
    else { return nil }
    // A gap under bars would make them look shorter than they are.
    if y.scale == .linear, !heights.isEmpty, points.allSatisfy({ $0.y >= 0 }) { y.low = 0 }
    return (x, y)
  }
}

/// The names of series beside samples of their colours, in as many lines as they need.
struct Legend {
  private static let size = 12.0
  private static let lineHeight = 18.0
  /// A sample of the curve, and the space after it.
  private static let sample = (length: 18.0, space: 6.0)

  private struct Entry {
    let series: PlotPanel.Series
    let x: Double
    let line: Int
  }

  private let entries: [Entry]

  /// Lays out the series that have names in lines of a width.
  init(_ series: [PlotPanel.Series], width: Double) {
    var entries: [Entry] = []
    var (x, line) = (0.0, 0)
    for series in series where !series.name.isEmpty {
      let length =
        Self.sample.length + Self.sample.space + series.name.estimatedWidth(size: Self.size)
      if x > 0, x + length > width { (x, line) = (0, line + 1) }
      entries.append(Entry(series: series, x: x, line: line))
      x += length + 16
    }
    self.entries = entries
  }

  /// The height, with the space below; 0 without entries.
  var height: Double {
    entries.last.map { Double($0.line + 1) * Self.lineHeight + 6 } ?? 0
  }

  /// Draws the entries from a top left corner.
  func draw(x: Double, y: Double, in document: inout SVGDocument) {
    for entry in entries {
      let series = entry.series
      let left = x + entry.x
      let middle = y + (Double(entry.line) + 0.5) * Self.lineHeight
      let right = left + Self.sample.length
      if !series.points.isEmpty || !series.paths.isEmpty {
        document.line(left, middle, right, middle, series.colour, width: 2)
      }
      if !series.bars.isEmpty {
        document.rectangle(x: right - 13, y: middle - 5, width: 10, height: 10, series.colour)
      }
      if !series.dots.isEmpty || !series.cloud.isEmpty {
        document.dot(x: (left + right) / 2, y: middle, series.colour)
      }
      document.text(series.name, x: right + Self.sample.space, y: middle + 4, size: Self.size, .ink)
    }
  }
}

/// Where a panel's axes lie in the picture, and the drawing of the panel.
struct PlotFrame {
  /// The radius and the opacity of a cloud's discs.
  private static let disc = (radius: 2.5, opacity: 0.7)
  private static let rightMargin = 22.0

  private let content: PanelLayout
  private let origin: (x: Double, y: Double)
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double

  /// Places a panel.
  /// - Parameters:
  ///   - content: The panel.
  ///   - x: Its left edge in the picture.
  ///   - y: Its upper edge.
  ///   - labelWidth: The room for the vertical axis' labels.
  ///   - headHeight: The room for title and legend.
  init(_ content: PanelLayout, x: Double, y: Double, labelWidth: Double, headHeight: Double) {
    self.content = content
    origin = (x, y)
    left = x + (content.panel.y.name.isEmpty ? 18 : 40) + labelWidth
    top = y + headHeight
    let isSquare = content.panel.hasEqualScales
    right = isSquare ? left + PanelLayout.side : x + content.size.width - Self.rightMargin
    bottom = isSquare ? top + PanelLayout.side : y + content.size.height - Self.footHeight(content.panel)
  }

  /// What the panel takes, with names and labels.
  var width: Double { right + Self.rightMargin - origin.x }
  /// What the panel takes, with names and labels.
  var height: Double { bottom + Self.footHeight(content.panel) - origin.y }

  private static func footHeight(_ panel: PlotPanel) -> Double { panel.x.name.isEmpty ? 34 : 56 }

  /// Draws the panel, back to front.
  func draw(in document: inout SVGDocument) {
    let panel = content.panel
    drawGrid(in: &document)
    for line in panel.series {
      for bar in line.bars { draw(bar, line.colour, in: &document) }
    }
    for mark in panel.marks {
      document.line(column(mark), top, column(mark), bottom, .background, width: 0.8, isDashed: true)
    }
    for line in panel.series { drawPathsAndCloud(of: line, in: &document) }
    for line in panel.series where line.points.count > 1 {
      document.polyline(line.points.map(place), line.colour)
    }
    drawAxes(in: &document)
    for line in panel.series {
      // A curve of one point would not be seen.
      for dot in line.dots + (line.points.count == 1 ? line.points : []) {
        document.dot(x: column(dot.x), y: row(dot.y), line.colour)
      }
    }
    document.text(panel.title, x: left, y: origin.y + 18, size: 14, .ink, isBold: true)
    content.legend.draw(x: left, y: top - content.legend.height, in: &document)
  }

  /// Where a point lies in the picture.
  func place(_ point: PlotPoint) -> (x: Double, y: Double) { (column(point.x), row(point.y)) }

  /// A bar, with a thin gap to its neighbours where there is room for one.
  private func draw(_ bar: PlotPanel.Bar, _ colour: RGB, in document: inout SVGDocument) {
    let (start, end) = (column(bar.range.lowerBound), column(bar.range.upperBound))
    let gap = end - start > 4 ? 0.5 : 0
    let height = bottom - row(bar.height)
    document.rectangle(x: start + gap, y: bottom - height, width: end - start - 2 * gap, height: height, colour)
  }

  private func drawPathsAndCloud(of line: PlotPanel.Series, in document: inout SVGDocument) {
    // The more lines, the fainter each: many opaque ones would cover everything.
    let opacity = min(0.6, max(0.15, 50 / Double(max(1, line.paths.count))))
    for path in line.paths where path.count > 1 {
      document.polyline(path.map(place), line.colour, width: 1.3, opacity: opacity)
    }
    let cloud = PointCloud(line.cloud.map(place))
    // At least half the diagonal of a cell, or a dense cloud would have holes.
    let radius = max(Self.disc.radius, cloud.cellWidth / 2.0.squareRoot())
    for (percent, discs) in cloud.grouped(single: Self.disc.opacity) {
      document.discs(discs.map { ($0.x, $0.y) }, radius: radius, line.colour, opacity: Double(percent) / 100)
    }
  }

  private func column(_ value: Double) -> Double { left + content.x.place(of: value) * (right - left) }

  private func row(_ value: Double) -> Double { bottom - content.y.place(of: value) * (bottom - top) }

  private func drawGrid(in document: inout SVGDocument) {
    for tick in content.xTicks where tick.label != nil {
      document.line(column(tick.value), top, column(tick.value), bottom, .pale)
    }
    for tick in content.yTicks where tick.label != nil {
      document.line(left, row(tick.value), right, row(tick.value), .pale)
    }
  }

  private func drawAxes(in document: inout SVGDocument) {
    document.line(left, bottom, right, bottom, .ink)
    document.line(left, top, left, bottom, .ink)
    for tick in content.xTicks {
      let x = column(tick.value)
      document.line(x, bottom, x, bottom + (tick.label == nil ? 3 : 5), .ink)
      guard let label = tick.label else { continue }
      write(label, x: x, y: bottom + 19, anchor: .middle, in: &document)
    }
    for tick in content.yTicks {
      let y = row(tick.value)
      document.line(left - (tick.label == nil ? 3 : 5), y, left, y, .ink)
      if let label = tick.label { write(label, x: left - 9, y: y + 4, anchor: .end, in: &document) }
    }
    document.text(
      content.panel.x.name, x: (left + right) / 2, y: bottom + 42, size: 13, .ink, anchor: .middle)
    document.text(
      content.panel.y.name, x: origin.x + 20, y: (top + bottom) / 2, size: 13, .ink,
      anchor: .middle, isTurned: true)
  }

  private func write(
    _ label: Tick.Label, x: Double, y: Double, anchor: SVGDocument.Anchor,
    in document: inout SVGDocument
  ) {
    let size = PanelLayout.labelSize
    switch label {
    case .text(let text):
      document.text(text, x: x, y: y, size: size, .faded, anchor: anchor)
    case .powerOfTen(let exponent):
      // Two texts, since programs differ about raised parts of a text that is aligned at its end.
      let text = DecimalNumber(mantissa: exponent, exponent: 0).plain
      let right = anchor == .end ? x : x + PanelLayout.width(of: label) / 2
      let start = right - text.estimatedWidth(size: 0.75 * size)
      document.text("10", x: start - 1, y: y, size: size, .faded, anchor: .end)
      document.text(text, x: start, y: y - 0.4 * size, size: 0.75 * size, .faded)
    }
  }
}
