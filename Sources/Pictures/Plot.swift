/// Curves, bars and points in one or more panels, as a vector graphic.
package struct Plot: Sendable {
  /// How panels lie.
  package enum Arrangement: Hashable, Sendable {
    /// Side by side.
    case row
    /// One above the other.
    case column
  }

  /// Written above all panels; may be empty.
  package var title: String
  /// The panels, from the left or the top.
  package var panels: [PlotPanel]
  /// How the panels lie.
  package var arrangement: Arrangement

  /// A plot.
  package init(title: String = "", panels: [PlotPanel], arrangement: Arrangement = .row) {
    self.title = title
    self.panels = panels
    self.arrangement = arrangement
  }

  /// The plot as the text of an SVG file.
  ///
  /// However many points a panel has, its clouds take at most ``PointCloud/limit`` marks each.
  /// - Throws: ``PictureError/empty(_:)`` if there are no panels or a panel has no points,
  ///   ``PictureError/point(series:index:problem:)`` if a value cannot be shown on its axis.
  package func svg() throws(PictureError) -> String {
    guard !panels.isEmpty else { throw .empty("a plot without panels") }
    let isRow = arrangement == .row && panels.count > 1
    let size: (width: Double, height: Double) =
      isRow ? (470, 340) : (680, panels.count > 1 ? 290 : 390)

    // Neighbours share their edges: axes one above the other, or plots side by side.
    var contents: [PanelLayout] = []
    for panel in panels { contents.append(try PanelLayout(panel, size: size)) }
    let labelWidth = contents.map { $0.labelWidth }.max() ?? 0
    let headHeight = contents.map { $0.headHeight }.max() ?? 0
    var document = SVGDocument()
    var corner = (x: 0.0, y: title.isEmpty ? 12.0 : 44)
    var (width, height) = (0.0, 0.0)
    for content in contents {
      let frame = PlotFrame(
        content, x: corner.x, y: corner.y, labelWidth: isRow ? content.labelWidth : labelWidth,
        headHeight: isRow ? headHeight : content.headHeight)
      frame.draw(in: &document)
      (width, height) = (max(width, corner.x + frame.width), max(height, corner.y + frame.height))
      if isRow { corner.x += frame.width } else { corner.y += frame.height }
    }
    document.text(title, x: 20, y: 30, size: 17, .ink, isBold: true)
    return document.file(width: width, height: height, title: title)
  }
}

/// One pair of axes with what is drawn between them.
package struct PlotPanel: Sendable {
  /// What an axis measures.
  package struct Axis: Hashable, Sendable {
    /// Written beside it; may be empty.
    package var name: String
    /// How its values are laid out.
    package var scale: AxisScale

    /// An axis.
    package init(_ name: String, scale: AxisScale = .linear) {
      self.name = name
      self.scale = scale
    }
  }

  /// A bar of a histogram: it stands on the horizontal axis.
  package struct Bar: Hashable, Sendable {
    /// The values it stands for, from one edge to the other.
    package var range: ClosedRange<Double>
    /// Its upper end on the vertical axis.
    package var height: Double

    /// A bar.
    package init(_ range: ClosedRange<Double>, height: Double) {
      self.range = range
      self.height = height
    }
  }

  /// What is drawn in one colour: a curve, dots, bars, a cloud of points, paths, or more than one of these.
  package struct Series: Sendable {
    /// What the legend and messages call it; without a name it is not in the legend.
    package var name: String
    /// Its colour.
    package var colour: RGB
    /// The curve, from point to point.
    package var points: [PlotPoint]
    /// Single points, drawn as discs in front of all curves.
    package var dots: [PlotPoint]
    /// Bars, drawn behind all else.
    package var bars: [Bar]
    /// Points of which there may be millions, drawn as small translucent discs behind all curves.
    package var cloud: [PlotPoint]
    /// Ways that points took, drawn as thin translucent lines behind all curves.
    package var paths: [[PlotPoint]]

    /// What is drawn in one colour.
    package init(
      _ name: String, colour: RGB = .blue, points: [PlotPoint] = [], dots: [PlotPoint] = [], bars: [Bar] = [],
      cloud: [PlotPoint] = [], paths: [[PlotPoint]] = []
    ) {
      self.name = name
      self.colour = colour
      self.points = points
      self.dots = dots
      self.bars = bars
      self.cloud = cloud
      self.paths = paths
    }
  }

  /// Written above the panel; may be empty.
  package var title: String
  /// The horizontal axis.
  package var x: Axis
  /// The vertical axis.
  package var y: Axis
  /// The series, those in front last.
  package var series: [Series]
  /// Values of the horizontal axis that are marked by vertical lines.
  package var marks: [Double]
  /// Whether a unit is as long on one axis as on the other, in a square.
  package let hasEqualScales: Bool

  /// A panel whose axes each have the range of its own values.
  package init(
    title: String = "", x: Axis, y: Axis, series: [Series], marks: [Double] = []
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.marks = marks
    hasEqualScales = false
  }

  /// A square panel of the plane: linear axes on which a unit has one length.
  package init(title: String = "", plane axes: (x: String, y: String) = ("x", "y"), series: [Series]) {
    self.title = title
    x = Axis(axes.x)
    y = Axis(axes.y)
    self.series = series
    marks = []
    hasEqualScales = true
  }

  /// All points, and the upper corners of all bars.
  var points: [PlotPoint] {
    series.flatMap { line in
      [line.points, line.dots, line.cloud, Array(line.paths.joined()), line.bars.flatMap(\.corners)].joined()
    }
  }

  /// Refuses values that cannot be shown on their axis.
  func check() throws(PictureError) {
    for line in series {
      let name = line.name.isEmpty ? "series" : line.name
      try check(line.points, of: name)
      try check(line.dots, of: "\(name), dots")
      try check(line.bars.flatMap(\.corners), of: "\(name), bars")
      try check(line.cloud, of: name)
      for (index, path) in line.paths.enumerated() { try check(path, of: "\(name), path \(index)") }
    }
    for (index, mark) in marks.enumerated() {
      if let complaint = x.scale.complaint(about: mark) {
        throw .point(series: "marks", index: index, problem: complaint)
      }
    }
  }

  private func check(_ points: [PlotPoint], of name: String) throws(PictureError) {
    for (index, point) in points.enumerated() {
      if let complaint = x.scale.complaint(about: point.x) ?? y.scale.complaint(about: point.y) {
        throw .point(series: name, index: index, problem: complaint)
      }
    }
  }
}

extension PlotPanel.Bar {
  fileprivate var corners: [PlotPoint] {
    [PlotPoint(x: range.lowerBound, y: height), PlotPoint(x: range.upperBound, y: height)]
  }
}
