/// One pair of axes with its curves.
package struct LinePanel: Sendable {
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

  /// A curve, some dots, some bars, or more than one of these.
  package struct Series: Sendable {
    /// What the legend and messages call it; without a name it is not in the legend.
    package var name: String
    /// Its colour.
    package var colour: RGB
    /// The curve, from point to point.
    package var points: [PlotPoint]
    /// Single points, drawn as discs.
    package var dots: [PlotPoint]
    /// Bars, drawn behind all curves.
    package var bars: [Bar]

    /// A curve, some dots, some bars, or more than one of these.
    package init(
      _ name: String, colour: RGB = .blue, points: [PlotPoint] = [], dots: [PlotPoint] = [], bars: [Bar] = []
    ) {
      self.name = name
      self.colour = colour
      self.points = points
      self.dots = dots
      self.bars = bars
    }
  }

  /// Written above the panel; may be empty.
  package var title: String
  /// The horizontal axis.
  package var x: Axis
  /// The vertical axis.
  package var y: Axis
  /// The curves, those in front last.
  package var series: [Series]
  /// Values of the horizontal axis that are marked by vertical lines.
  package var marks: [Double]

  /// A panel.
  package init(
    title: String = "", x: Axis, y: Axis, series: [Series], marks: [Double] = []
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
    self.marks = marks
  }

  /// Refuses values that have no place on their axis.
  func check() throws(PictureError) {
    for line in series {
      let name = line.name.isEmpty ? "series" : line.name
      try check(line.points, of: name)
      try check(line.dots, of: "\(name), dots")
      let corners = line.bars.flatMap { bar in
        [bar.range.lowerBound, bar.range.upperBound].map { PlotPoint(x: $0, y: bar.height) }
      }
      try check(corners, of: "\(name), bars")
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
