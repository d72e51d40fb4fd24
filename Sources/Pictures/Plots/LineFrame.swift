/// Where a panel's axes lie in the drawing, and the drawing of it.
struct LineFrame {
  private let content: LinePanelLayout
  private let origin: (x: Double, y: Double)
  private let left: Double
  private let right: Double
  private let top: Double
  private let bottom: Double

  /// Places a panel.
  /// - Parameters:
  ///   - content: The panel.
  ///   - x: Its left edge in the drawing.
  ///   - y: Its upper edge.
  ///   - labelWidth: The room for the vertical axis' labels.
  ///   - headHeight: The room for title and legend.
  init(_ content: LinePanelLayout, x: Double, y: Double, labelWidth: Double, headHeight: Double) {
    self.content = content
    origin = (x, y)
    left = x + (content.panel.y.name.isEmpty ? 18 : 40) + labelWidth
    right = x + content.size.width - 22
    top = y + headHeight
    bottom = y + content.size.height - (content.panel.x.name.isEmpty ? 34 : 56)
  }

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
    for line in panel.series where line.points.count > 1 {
      document.polyline(line.points.map { (column($0.x), row($0.y)) }, line.colour)
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

  /// A bar, with a thin gap to its neighbours where there is room for one.
  private func draw(_ bar: LinePanel.Bar, _ colour: RGB, in document: inout SVGDocument) {
    let (start, end) = (column(bar.range.lowerBound), column(bar.range.upperBound))
    let gap = end - start > 4 ? 0.5 : 0
    let height = bottom - row(bar.height)
    document.rectangle(x: start + gap, y: bottom - height, width: end - start - 2 * gap, height: height, colour)
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
    let size = LinePanelLayout.labelSize
    switch label {
    case .text(let text):
      document.text(text, x: x, y: y, size: size, .faded, anchor: anchor)
    case .powerOfTen(let exponent):
      // Two texts, since programs differ about raised parts of a text that is aligned at its end.
      let text = DecimalNumber(mantissa: exponent, exponent: 0).plain
      let right = anchor == .end ? x : x + LinePanelLayout.width(of: label) / 2
      let start = right - text.estimatedWidth(size: 0.75 * size)
      document.text("10", x: start - 1, y: y, size: size, .faded, anchor: .end)
      document.text(text, x: start, y: y - 0.4 * size, size: 0.75 * size, .faded)
    }
  }
}
