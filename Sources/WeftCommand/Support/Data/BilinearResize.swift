/// Brings images to another size by linear interpolation in both directions.
///
/// Pixels are squares with their value at the middle: `y = (y' + ½) · H / H' - ½`. Beyond the outermost middles the edge
/// goes on. As torch's `interpolate(mode: "bilinear", align_corners: False)`; a picture that shrinks is not smoothed
/// first.
struct BilinearResize {
  private let source: (height: Int, width: Int)
  private let rows: [Tap]
  private let columns: [Tap]

  /// Where a pixel of the result lies between two of the source.
  private struct Tap {
    let first: Int
    let second: Int
    let share: Float

    static func taps(_ count: Int, from source: Int) -> [Tap] {
      (0..<count).map { place in
        let at = max(0, (Double(place) + 0.5) * Double(source) / Double(count) - 0.5)
        let first = min(Int(at), source - 1)
        return Tap(first: first, second: min(first + 1, source - 1), share: Float(at - Double(first)))
      }
    }
  }

  init(from source: (height: Int, width: Int), to target: (height: Int, width: Int)) {
    self.source = source
    rows = Tap.taps(target.height, from: source.height)
    columns = Tap.taps(target.width, from: source.width)
  }

  /// Planes, one after the other: all channels of all images.
  func apply(_ planes: [Float]) -> [Float] {
    let size = source.height * source.width
    var result: [Float] = []
    result.reserveCapacity(planes.count / size * rows.count * columns.count)
    for plane in stride(from: 0, to: planes.count, by: size) {
      for row in rows {
        let (above, below) = (plane + row.first * source.width, plane + row.second * source.width)
        for column in columns {
          func between(_ line: Int) -> Float {
            let (left, right) = (planes[line + column.first], planes[line + column.second])
            return left + column.share * (right - left)
          }
          let (top, bottom) = (between(above), between(below))
          result.append(top + row.share * (bottom - top))
        }
      }
    }
    return result
  }
}
