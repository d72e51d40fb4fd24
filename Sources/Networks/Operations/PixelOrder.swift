package import Engine

/// Changes the order of a batch of images between planes `[image, channel, height, width]`, as samples are kept and
/// files have them, and pixels `[image, height, width, channel]`, as networks compute.
package struct PixelOrder: DeviceOperation {
  package enum Direction: Sendable, Hashable {
    case planesToPixels
    case pixelsToPlanes
  }

  package var direction: Direction
  package var source: Tensor
  package var grid: PixelGrid
  package var channels: Int
  /// Each image is multiplied by its `inputScale` on the way.
  package var inputScales: CoefficientRows?
  package var out: Tensor

  package init(
    _ direction: Direction, of source: Tensor, grid: PixelGrid, channels: Int, inputScales: CoefficientRows? = nil,
    into out: Tensor
  ) {
    self.direction = direction
    self.source = source
    self.grid = grid
    self.channels = channels
    self.inputScales = inputScales
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "pixel order"
    try grid.validate(name)
    try require(channels > 0, name, "\(channels) channels")
    let count = grid.rows.multipliedClamping(by: channels)
    try require(source, holds: count, name, "the source")
    try require(out, holds: count, name, "the result")
    try require(out, isNot: source, name)
    try inputScales?.validate(name, samples: grid.images)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let elements = try memory.floats(source)
    let result = try memory.floats(out)
    let row = try inputScales.map { (rows) throws(EngineError) in try rows.reader(memory) }
    for image in 0..<grid.images {
      let scale = row?(image)(.inputScale) ?? 1
      for pixel in 0..<grid.pixels {
        for c in 0..<channels {
          let plane = (image * channels + c) * grid.pixels + pixel
          let place = (image * grid.pixels + pixel) * channels + c
          switch direction {
          case .planesToPixels: result[place] = Float(scale * Double(elements[plane]))
          case .pixelsToPlanes: result[plane] = Float(scale * Double(elements[place]))
          }
        }
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    // Elements of a group: NW_GROUP · PO_RUN.
    let elements = tiles.variant == .cpu ? 256 : tiles.rowGroup * 4
    let scales = inputScales ?? CoefficientRows(source)
    return [
      KernelLaunch(
        "network/pixel_order.cl", "pixel_order", tiles,
        arguments: [
          "source": .tensor(source), "out": .tensor(out), "pixels": .int(grid.pixels), "channels": .int(channels),
          "to_pixels": .int(direction == .planesToPixels ? 1 : 0), "scaled": .int(inputScales == nil ? 0 : 1),
        ] + scales.arguments(),
        groups: [grid.images * ceilingDivide(grid.pixels * channels, elements)], groupSize: tiles.rowGroup)
    ]
  }
}
