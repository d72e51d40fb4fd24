internal import Engine
internal import Networks

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
    return ConformanceCase(.pixelOrder, title, small: small) { backend in
      let grid = PixelGrid(images: 3, height: height, width: width)
      let count = grid.rows * channels
      var generator = SplitMix64(seed: 1301)
      let source = Draw.uniform(count, &generator)
      let scales: [Float] = isScaled ? [0.5, 2, -0.25] : [1, 1, 1]

      var workspace = Workspace(backend)
      let out = try workspace.output(grid.rows, channels)
      var operation = PixelOrder(
        direction, of: try workspace.upload(source + Poison.floats(1), count + 1), grid: grid, channels: channels,
        into: out.part)
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
      let got = try await workspace.run(reading: out)

      var expected = [Double?](repeating: nil, count: count)
      for image in 0..<3 {
        for pixel in 0..<grid.pixels {
          for c in 0..<channels {
            let plane = (image * channels + c) * grid.pixels + pixel
            let place = (image * grid.pixels + pixel) * channels + c
            let (from, to) = direction == .planesToPixels ? (plane, place) : (place, plane)
            expected[to] = Double(scales[image]) * Double(source[from])
          }
        }
      }
      try compare(got, with: expected, shape: [grid.rows, channels], within: .exact)
    }
  }
}
