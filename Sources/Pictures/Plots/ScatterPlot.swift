/// Points in the plane, with equal scales on both axes: data behind, samples in front, and lines
/// for how the samples moved.
package struct ScatterPlot: Sendable {
  /// Points of one kind.
  package struct Layer: Sendable {
    /// What the legend calls them.
    package var name: String
    /// The points.
    package var points: [PlotPoint]
    /// The discs' colour.
    package var colour: RGB
    /// The discs' radius in pixels.
    package var radius: Double
    /// 1 hides what lies behind.
    package var opacity: Double

    /// Points of one kind.
    package init(
      name: String, points: [PlotPoint], colour: RGB, radius: Double = 3, opacity: Double = 0.75
    ) {
      self.name = name
      self.points = points
      self.colour = colour
      self.radius = radius
      self.opacity = opacity
    }

    /// The data that samples are compared with: grey.
    package static func data(_ points: [PlotPoint]) -> Layer {
      Layer(name: "data", points: points, colour: .background, radius: 2.5, opacity: 0.7)
    }

    /// Samples: the colour that stands out.
    package static func samples(_ points: [PlotPoint]) -> Layer {
      Layer(name: "samples", points: points, colour: .blue)
    }
  }

  /// Written above the plot; may be empty.
  package var title: String
  /// Names of the axes; may be empty.
  package var axes: (x: String, y: String)
  /// The points, those in front last.
  package var layers: [Layer]
  /// The ways that points took, drawn behind all layers but the first.
  package var trajectories: [[PlotPoint]]

  /// A plot.
  package init(
    title: String = "", axes: (x: String, y: String) = ("x", "y"), layers: [Layer],
    trajectories: [[PlotPoint]] = []
  ) {
    self.title = title
    self.axes = axes
    self.layers = layers
    self.trajectories = trajectories
  }

  /// Draws the plot: some 800 pixels wide and a little higher.
  /// - Throws: ``PictureError/empty(_:)`` if there are no points at all,
  ///   ``PictureError/point(series:index:problem:)`` if one is not finite.
  package func picture() throws(PictureError) -> Image {
    let points = try checkedPoints()
    guard let frame = ScatterFrame(around: points, top: isHeadHigh ? 80 : 54) else {
      throw .empty("no points")
    }
    var canvas = Canvas(width: frame.size.width, height: frame.size.height)
    frame.drawGrid(on: &canvas)
    for (index, layer) in layers.enumerated() {
      if index == min(1, layers.count - 1) { drawTrajectories(on: &canvas, frame) }
      for point in layer.points {
        let place = frame.place(of: point)
        canvas.disc(
          x: place.x, y: place.y, radius: layer.radius, layer.colour, opacity: layer.opacity)
      }
    }
    if layers.isEmpty { drawTrajectories(on: &canvas, frame) }
    frame.drawAxes(on: &canvas, names: axes)
    drawHead(on: &canvas, frame)
    return canvas.image
  }

  /// All points, each fit to be drawn.
  private func checkedPoints() throws(PictureError) -> [PlotPoint] {
    var all: [PlotPoint] = []
    for layer in layers { all += try Self.checked(layer.points, of: layer.name) }
    for (index, trajectory) in trajectories.enumerated() {
      all += try Self.checked(trajectory, of: "trajectory \(index)")
    }
    return all
  }

  private static func checked(
    _ points: [PlotPoint], of series: String
  ) throws(PictureError) -> [PlotPoint] {
    for (index, point) in points.enumerated() {
      for value in [point.x, point.y] {
        if let complaint = AxisScale.linear.complaint(about: value) {
          throw .point(series: series, index: index, problem: complaint)
        }
      }
    }
    return points
  }

  private func drawTrajectories(on canvas: inout Canvas, _ frame: ScatterFrame) {
    // Many lines must not become one blot.
    let opacity = min(0.6, max(0.15, 50 / Double(max(1, trajectories.count))))
    for trajectory in trajectories {
      canvas.line(
        through: trajectory.map { frame.place(of: $0) }, width: 1.3, .orange, opacity: opacity)
    }
  }
}

/// The title to the left and the legend to the right, above the plot.
extension ScatterPlot {
  private static let marker = 24  // width of what stands before a name
  private static let space = 18  // between entries

  /// What the legend lists.
  private var names: [String] {
    layers.map { $0.name }.filter { !$0.isEmpty } + (trajectories.isEmpty ? [] : ["paths"])
  }

  private var legendWidth: Int {
    names.reduce(0) { $0 + Self.marker + PixelFont.width(of: $1) * 2 + Self.space } - Self.space
  }

  /// Whether title and legend need a line each.
  private var isHeadHigh: Bool {
    !names.isEmpty && PixelFont.width(of: title) * 2 + 24 + legendWidth > ScatterFrame.side
  }

  private func drawHead(on canvas: inout Canvas, _ frame: ScatterFrame) {
    canvas.text(title, x: frame.left, y: 22)
    let top = frame.top - 32
    var x = isHeadHigh ? frame.left : frame.right - legendWidth
    for layer in layers where !layer.name.isEmpty {
      canvas.disc(x: Double(x) + 10, y: Double(top) + 7, radius: 5, layer.colour)
      canvas.text(layer.name, x: x + Self.marker, y: top, .faded)
      x += Self.marker + PixelFont.width(of: layer.name) * 2 + Self.space
    }
    guard !trajectories.isEmpty else { return }
    canvas.fill(x: x, y: top + 6, width: Self.marker - 7, height: 2, .orange)
    canvas.text("paths", x: x + Self.marker, y: top, .faded)
  }
}
