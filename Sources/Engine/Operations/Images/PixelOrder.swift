/// Changes the order of a batch of images between planes `[image, channel, height, width]`, as samples are kept and
/// files have them, and pixels `[image, height, width, channel]`, as networks compute.
package struct PixelOrder: Sendable {
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

  func validate() throws(EngineError) {
    let name: StaticString = "pixel order"
    try grid.validate(name)
    try require(channels > 0, name, "\(channels) channels")
    let count = grid.rows.multipliedClamping(by: channels)
    try require(source, holds: count, name, "the source")
    try require(out, holds: count, name, "the result")
    try require(out, isNot: source, name)
    try inputScales?.validate(name, samples: grid.images)
  }
}
