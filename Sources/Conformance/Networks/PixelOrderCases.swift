internal import Engine
internal import Networks

extension ConformanceFamily { static let pixelOrder: ConformanceFamily = "pixelOrder" }

/// Planes to pixels and back, with and without the noise level's scale: moves are exact.
extension ConformanceKit {
  static let pixelOrderCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for direction in [PixelOrder.Direction.planesToPixels, .pixelsToPlanes] {
      for isScaled in [false, true] {
        for (small, height, width, channels) in [
          (true, 2, 3, 3), (false, 1, 1, 1), (false, 16, 17, 3), (false, 9, 8, 70),
        ] {
          cases.append(
            order(small: small, direction, height: height, width: width, channels: channels, isScaled: isScaled))
        }
      }
    }
    return cases
  }()

  private static func order(
    small: Bool, _ direction: PixelOrder.Direction, height: Int, width: Int, channels: Int, isScaled: Bool
  ) -> ConformanceCase {
    let title = "\(direction), \(height) × \(width) × \(channels)" + (isScaled ? ", scaled" : "")
    return ConformanceCase(.pixelOrder, title, small: small, within: .exact) { workspace in
      let grid = PixelGrid(images: 3, height: height, width: width)
      let count = grid.rows * channels
      var generator = SplitMix64(seed: 1301)
      let source = Draw.uniform(count, &generator)
      let scales: [Float] = isScaled ? [0.5, 2, -0.25] : [1, 1, 1]

      let out = try workspace.output(grid.rows, channels)
      var operation = PixelOrder(
        direction, of: try workspace.upload(source + Poison.floats(1), count + 1), grid: grid, channels: channels,
        into: out)
      if isScaled {
        let table = scales.flatMap { scale in
          var row = CoefficientRow()
          row[.inputScale] = scale
          return row.elements
        }
        operation.inputScales = CoefficientRows(
          try workspace.upload(table, 3, CoefficientRow.width), perSample: true)
      }
      try workspace.append(operation)
      return [out]
    }
  }
}
