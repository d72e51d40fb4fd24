/// The axes of a scatter plot: which range lies in which pixels.
struct ScatterFrame {
  /// Both axes' length in pixels.
  static let side = 724
  private static let font = 2  // pixels for each dot

  let left: Int
  let top: Int
  private let x: AxisRange
  private let y: AxisRange
  private let xTicks: [Tick]
  private let yTicks: [Tick]

  /// Equal scales that hold all points, which the caller has checked; nil if there are none.
  init?(around points: [PlotPoint], top: Int) {
    guard let x = AxisRange(covering: points.lazy.map { $0.x }, scale: .linear, margin: 0),
      let y = AxisRange(covering: points.lazy.map { $0.y }, scale: .linear, margin: 0)
    else { return nil }
    let (width, height) = (Self.extent(of: points.map { $0.x }), Self.extent(of: points.map { $0.y }))
    let magnitude = max(abs(x.low), abs(x.high), abs(y.low), abs(y.high))
    // Only if both extents are next to nothing do the ranges made up for that count; a point cloud
    // on a vertical line keeps its height.
    let extent = max(width, height)
    let span =
      extent > 0 && extent >= magnitude * AxisRange.narrowest ? extent * 1.08 : max(x.span, y.span)
    self.x = x.widened(to: span)
    self.y = y.widened(to: span)
    xTicks = self.x.ticks(about: 7, along: Double(Self.side)) { Double(Self.width(of: $0) + 24) }
    yTicks = self.y.ticks(about: 7)
    left = 56 + (yTicks.map { Self.width(of: $0.label) }.max() ?? 0)
    self.top = top
  }

  var right: Int { left + Self.side }
  var bottom: Int { top + Self.side }
  /// The size of the whole picture.
  var size: (width: Int, height: Int) { (right + 24, bottom + 72) }

  /// Where a point lies in the picture.
  func place(of point: PlotPoint) -> (x: Double, y: Double) {
    (
      Double(left) + x.place(of: point.x) * Double(Self.side),
      Double(bottom) - y.place(of: point.y) * Double(Self.side)
    )
  }

  func drawGrid(on canvas: inout Canvas) {
    for tick in xTicks {
      canvas.fill(x: column(of: tick), y: top, width: 1, height: Self.side, .pale)
    }
    for tick in yTicks {
      canvas.fill(x: left, y: row(of: tick), width: Self.side, height: 1, .pale)
    }
  }

  func drawAxes(on canvas: inout Canvas, names: (x: String, y: String)) {
    canvas.fill(x: left, y: bottom, width: Self.side, height: 1, .ink)
    canvas.fill(x: left, y: top, width: 1, height: Self.side + 1, .ink)
    for tick in xTicks {
      guard case .text(let text)? = tick.label else { continue }
      let x = column(of: tick)
      canvas.fill(x: x, y: bottom, width: 1, height: 6, .ink)
      canvas.text(text, x: x - Self.width(of: tick.label) / 2, y: bottom + 13, .faded)
    }
    for tick in yTicks {
      guard case .text(let text)? = tick.label else { continue }
      let y = row(of: tick)
      canvas.fill(x: left - 5, y: y, width: 6, height: 1, .ink)
      canvas.text(text, x: left - 12 - Self.width(of: tick.label), y: y - 7, .faded)
    }
    let middle = (x: left + Self.side / 2, y: top + Self.side / 2)
    canvas.text(names.x, x: middle.x - PixelFont.width(of: names.x), y: bottom + 44)
    canvas.text(names.y, x: 10, y: middle.y + PixelFont.width(of: names.y), isTurned: true)
  }

  private func column(of tick: Tick) -> Int { left + Int(x.place(of: tick.value) * Double(Self.side)) }

  private func row(of tick: Tick) -> Int { bottom - Int(y.place(of: tick.value) * Double(Self.side)) }

  private static func width(of label: Tick.Label?) -> Int {
    guard case .text(let text)? = label else { return 0 }
    return PixelFont.width(of: text) * font
  }

  private static func extent(of values: [Double]) -> Double {
    (values.max() ?? 0) - (values.min() ?? 0)
  }
}

extension AxisRange {
  /// A range of another span about the same middle.
  fileprivate func widened(to span: Double) -> AxisRange {
    let middle = low + self.span / 2
    return AxisRange(low: middle - span / 2, high: middle + span / 2, scale: scale)
  }
}
