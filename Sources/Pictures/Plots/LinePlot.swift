/// Curves in one or more panels, as a vector graphic.
package struct LinePlot: Sendable {
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
  package var panels: [LinePanel]
  /// How the panels lie.
  package var arrangement: Arrangement

  /// A plot.
  package init(title: String = "", panels: [LinePanel], arrangement: Arrangement = .row) {
    self.title = title
    self.panels = panels
    self.arrangement = arrangement
  }

  /// The plot as the text of an SVG file.
  /// - Throws: ``PictureError/empty(_:)`` if there are no panels or a panel has no points,
  ///   ``PictureError/point(series:index:problem:)`` if a value has no place on its axis.
  package func svg() throws(PictureError) -> String {
    guard !panels.isEmpty else { throw .empty("a plot without panels") }
    let isRow = arrangement == .row && panels.count > 1
    let size: (width: Double, height: Double) =
      isRow ? (470, 340) : (680, panels.count > 1 ? 290 : 390)
    let head = title.isEmpty ? 12.0 : 44

    // Neighbours share their edges: axes one above the other, or plots side by side.
    var contents: [LinePanelLayout] = []
    for panel in panels { contents.append(try LinePanelLayout(panel, size: size)) }
    let labelWidth = contents.map { $0.labelWidth }.max() ?? 0
    let headHeight = contents.map { $0.headHeight }.max() ?? 0
    var document = SVGDocument()
    for (index, content) in contents.enumerated() {
      let offset = Double(index)
      let frame = LineFrame(
        content, x: isRow ? offset * size.width : 0, y: head + (isRow ? 0 : offset * size.height),
        labelWidth: isRow ? content.labelWidth : labelWidth,
        headHeight: isRow ? headHeight : content.headHeight)
      frame.draw(in: &document)
    }
    document.text(title, x: 20, y: 30, size: 17, .ink, isBold: true)
    let count = Double(panels.count)
    return document.file(
      width: isRow ? count * size.width : size.width,
      height: head + (isRow ? size.height : count * size.height), title: title)
  }
}
