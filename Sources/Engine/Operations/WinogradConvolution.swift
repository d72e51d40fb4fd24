// Convolutions by Winograd's minimal filtering: `Kernels/network/winograd_cpu.cl` has the formula.

extension Convolution {
  /// Whether a device whose convolutions are transformed gains by it: 16 products stand for 36, but images and sums are
  /// transformed too, and the weights are 16 ninths as large, which few pixels do not repay.
  package static func gainsByTransforms(
    _ grid: PixelGrid, inputs: Int, outputs: Int, size: Int, stride: Int, padding: Padding
  ) -> Bool {
    size == 3 && stride == 1 && padding == .around && grid.height % 2 == 0 && grid.width % 2 == 0 && grid.pixels >= 64
      && inputs >= 32 && outputs >= 32
  }

  /// `[row, output]` sums of windows, by tiles.
  func transformedSums(_ pixels: (Int, Int) -> Double, _ kernels: [[[Double]]]) -> [Double] {
    var sums = [Double](repeating: 0, count: grid.rows * weights.outputs)
    func combined(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> [Double] { [a - c, b + c, c - b, b - d] }
    func folded(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> [Double] { [a + b + c, b - c - d] }
    for image in 0..<grid.images {
      for tile in 0..<grid.pixels / 4 {
        let (y, x) = (tile / (grid.width / 2) * 2, tile % (grid.width / 2) * 2)
        var turned = [[Double]](repeating: [], count: 16)
        for c in 0..<weights.inputs {
          let d = (y - 1..<y + 3).map { i in
            (x - 1..<x + 3).map { j in
              (0..<grid.height).contains(i) && (0..<grid.width).contains(j)
                ? pixels(image * grid.pixels + i * grid.width + j, c) : 0
            }
          }
          let lines = (0..<4).map { combined(d[0][$0], d[1][$0], d[2][$0], d[3][$0]) }
          for i in 0..<4 {
            for (j, value) in combined(lines[0][i], lines[1][i], lines[2][i], lines[3][i]).enumerated() {
              turned[4 * i + j].append(value)
            }
          }
        }
        for o in 0..<weights.outputs {
          let m = (0..<16).map { dot(turned[$0], kernels[$0][o]) }
          let lines = (0..<4).map { folded(m[$0], m[4 + $0], m[8 + $0], m[12 + $0]) }
          for p in 0..<2 {
            for (q, value) in folded(lines[0][p], lines[1][p], lines[2][p], lines[3][p]).enumerated() {
              sums[(image * grid.pixels + (y + p) * grid.width + x + q) * weights.outputs + o] = value
            }
          }
        }
      }
    }
    return sums
  }

  /// Tiles of 2 × 2 pixels to panels of the result's channels. Only CPU devices are given such weights.
  func transformedLaunches(_ tiles: TileShape) -> [KernelLaunch] {
    guard tiles.variant == .cpu else { return [] }
    let rowGrid = PixelGrid(images: grid.images, height: grid.height / 2, width: grid.width / 2)
    let itemRows = 32
    let rowGroups = ceilingDivide(rowGrid.rows, itemRows)
    let panels = ceilingDivide(weights.outputs, weights.panels.width)
    let panelsPerItem =
      tiles.choice[TileChoice.panelsPerItem]
      ?? Self.panelsPerItem(rowGroups: rowGroups, panels: panels, units: tiles.computeUnits)
    return [
      KernelLaunch(
        "network/winograd_cpu.cl", "winograd", tiles,
        defines: ["PW_ROWS": "\(itemRows)"].merging(tiles.choice.macros) { $1 },
        arguments: [
          "rows": .tensor(input.first), "row_stride": .int(input.first.width),
          "panels": .tensor(weights.panels.tensor), "channels": .int(weights.inputs),
          "panels_per_item": .int(panelsPerItem), "row_groups": .int(rowGroups), "tile_count": .int(rowGrid.rows),
          "column_count": .int(weights.outputs),
        ] + imageArguments(rowGrid) + endArguments,
        groups: [rowGroups * ceilingDivide(panels, panelsPerItem)], groupSize: 1)
    ]
  }

  /// The most panels that a work-item keeps sums of: the kernel's `WG_PANELS`.
  private static let mostPanels = 3

  /// Panels of a work-item: each transforms the pixels anew, so that more are better as long as all units have work.
  private static func panelsPerItem(rowGroups: Int, panels: Int, units: Int) -> Int {
    // Transforming the pixels takes a sixth of the time of multiplying them by a panel.
    func time(_ count: Int) -> Double {
      Double(ceilingDivide(rowGroups * ceilingDivide(panels, count), units)) * (Double(count) + 1 / 6)
    }
    return (1...mostPanels).min { time($0) < time($1) } ?? 1
  }
}

/// `[outputs, 4 · 4, inputs]` of `[outputs, inputs, 3 · 3]`: `G g Gᵀ`.
func transformedColumns(_ weights: [Float], inputs: Int) -> [Float] {
  var columns = [Float](repeating: 0, count: weights.count / 9 * 16)
  func turned(_ a: Double, _ b: Double, _ c: Double) -> [Double] { [a, (a + b + c) / 2, (a - b + c) / 2, c] }
  for pair in 0..<weights.count / 9 {
    let g = weights[9 * pair..<9 * pair + 9].map(Double.init)
    let lines = (0..<3).map { turned(g[$0], g[3 + $0], g[6 + $0]) }
    for i in 0..<4 {
      for (j, value) in turned(lines[0][i], lines[1][i], lines[2][i]).enumerated() {
        columns[(pair / inputs * 16 + 4 * i + j) * inputs + pair % inputs] = Float(value)
      }
    }
  }
  return columns
}
