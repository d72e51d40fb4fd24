/// The names of curves beside samples of their colours, in as many lines as they need.
struct Legend {
  private static let size = 12.0
  private static let lineHeight = 18.0
  /// A sample of the curve, and the space after it.
  private static let sample = (length: 18.0, space: 6.0)

  private struct Entry {
    let series: LinePanel.Series
    let x: Double
    let line: Int
  }

  private let entries: [Entry]

  /// Lays out the series that have names in lines of a width.
  init(_ series: [LinePanel.Series], width: Double) {
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
      let left = x + entry.x
      let middle = y + (Double(entry.line) + 0.5) * Self.lineHeight
      let right = left + Self.sample.length
      if !entry.series.points.isEmpty {
        document.line(left, middle, right, middle, entry.series.colour, width: 2)
      }
      if !entry.series.bars.isEmpty {
        document.rectangle(x: right - 13, y: middle - 5, width: 10, height: 10, entry.series.colour)
      }
      if !entry.series.dots.isEmpty {
        document.dot(x: (left + right) / 2, y: middle, entry.series.colour)
      }
      document.text(
        entry.series.name, x: right + Self.sample.space, y: middle + 4, size: Self.size, .ink)
    }
  }
}
