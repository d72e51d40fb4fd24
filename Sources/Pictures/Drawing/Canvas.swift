/// An image being drawn on, in pixels from the top left corner; the centre of the first pixel is at
/// (0.5, 0.5). What lies outside is cut off.
struct Canvas {
  private(set) var image: Image

  init(width: Int, height: Int, colour: RGB = .white) {
    image = Image(width: width, height: height, filledWith: colour)
  }

  /// Lays a colour over a pixel: an opacity of 0 leaves the pixel alone, 1 replaces it.
  mutating func blend(_ colour: RGB, x: Int, y: Int, opacity: Double) {
    guard x >= 0, y >= 0, x < image.width, y < image.height else { return }
    let offset = (y * image.width + x) * 3
    func mixed(_ new: UInt8, _ old: UInt8) -> UInt8 {
      UInt8((Double(old) + (Double(new) - Double(old)) * min(max(opacity, 0), 1)).rounded())
    }
    image.pixels[offset] = mixed(colour.red, image.pixels[offset])
    image.pixels[offset + 1] = mixed(colour.green, image.pixels[offset + 1])
    image.pixels[offset + 2] = mixed(colour.blue, image.pixels[offset + 2])
  }

  /// Fills whole pixels.
  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: RGB) {
    for row in max(0, y)..<max(0, y + height) {
      for column in max(0, x)..<max(0, x + width) {
        blend(colour, x: column, y: row, opacity: 1)
      }
    }
  }

  /// A disc whose edge is as soft as one pixel.
  mutating func disc(x: Double, y: Double, radius: Double, _ colour: RGB, opacity: Double = 1) {
    guard let columns = pixels(from: x - radius, to: x + radius, limit: image.width),
      let rows = pixels(from: y - radius, to: y + radius, limit: image.height)
    else { return }
    for row in rows {
      for column in columns {
        let (dx, dy) = (Double(column) + 0.5 - x, Double(row) + 0.5 - y)
        let coverage = radius + 0.5 - (dx * dx + dy * dy).squareRoot()
        guard coverage > 0 else { continue }
        blend(colour, x: column, y: row, opacity: min(coverage, 1) * opacity)
      }
    }
  }

  /// A line through points. Where it meets or crosses itself it is no darker than elsewhere.
  mutating func line(
    through points: [(x: Double, y: Double)], width: Double, _ colour: RGB, opacity: Double = 1
  ) {
    var coverages: [Int: Double] = [:]  // by offset of the pixel
    for (start, end) in zip(points, points.dropFirst()) {
      let reach = width / 2 + 0.5
      let (dx, dy) = (end.x - start.x, end.y - start.y)
      let squaredLength = dx * dx + dy * dy
      guard
        let rows = pixels(
          from: min(start.y, end.y) - reach, to: max(start.y, end.y) + reach, limit: image.height)
      else { continue }
      for row in rows {
        let py = Double(row) + 0.5
        // Only the columns near the line: those of its part within reach of the row.
        var (from, to) = (min(start.x, end.x), max(start.x, end.x))
        if abs(dy) > 1e-9 {
          let ends = [(py - reach - start.y) / dy, (py + reach - start.y) / dy]
            .map { start.x + min(max($0, 0), 1) * dx }
          (from, to) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
        }
        guard let columns = pixels(from: from - reach, to: to + reach, limit: image.width) else {
          continue
        }
        for column in columns {
          let px = Double(column) + 0.5
          let along =
            squaredLength > 0 ? ((px - start.x) * dx + (py - start.y) * dy) / squaredLength : 0
          let nearest = min(max(along, 0), 1)
          let (ex, ey) = (px - start.x - nearest * dx, py - start.y - nearest * dy)
          let coverage = min(reach - (ex * ex + ey * ey).squareRoot(), min(width, 1))
          if coverage > 0 { coverages[row * image.width + column, default: 0].raise(to: coverage) }
        }
      }
    }
    for (offset, coverage) in coverages {
      let (y, x) = offset.quotientAndRemainder(dividingBy: image.width)
      blend(colour, x: x, y: y, opacity: coverage * opacity)
    }
  }

  /// A line of text.
  /// - Parameters:
  ///   - text: The text.
  ///   - x: The left edge, or the lower one when turned.
  ///   - y: The top of capital letters, or their left edge when turned.
  ///   - scale: Pixels for each dot of the font.
  ///   - colour: The letters' colour.
  ///   - isTurned: Whether the text runs upwards.
  mutating func text(
    _ text: String, x: Int, y: Int, scale: Int = 2, _ colour: RGB = .ink, isTurned: Bool = false
  ) {
    for (index, letter) in text.enumerated() {
      for (row, dots) in PixelFont.rows(of: letter).enumerated() {
        for (column, dot) in dots.enumerated() where dot == "#" {
          let along = (index * PixelFont.advance + column) * scale
          if isTurned {
            fill(x: x + row * scale, y: y - along - scale, width: scale, height: scale, colour)
          } else {
            fill(x: x + along, y: y + row * scale, width: scale, height: scale, colour)
          }
        }
      }
    }
  }

  /// The pixels of a row or column that a stretch touches, with one more at both ends.
  private func pixels(from low: Double, to high: Double, limit: Int) -> ClosedRange<Int>? {
    guard high >= -1, low <= Double(limit) + 1 else { return nil }
    let first = Int(max(low.rounded(.down) - 1, 0))
    let last = Int(min(high.rounded(.up) + 1, Double(limit - 1)))
    return first <= last ? first...last : nil
  }
}

extension Double {
  fileprivate mutating func raise(to value: Double) { self = max(self, value) }
}
