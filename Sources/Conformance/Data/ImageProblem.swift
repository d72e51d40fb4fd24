internal import Engine
internal import Foundation

/// `x · sigmoid(x)`
func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

/// A batch of images on the host, plane by plane as `[image][channel][y][x]`, and how they reach a device: as pixels, in
/// one tensor or two.
struct ImageProblem: Sendable {
  let grid: PixelGrid
  /// Channels of the first and the second tensor; 0 for no second.
  let channels: (first: Int, second: Int)
  private(set) var planes: [[[[Double]]]]

  init(
    _ grid: PixelGrid, channels: Int, and second: Int = 0, _ draw: Draw = .uniform, spread: Float = 1,
    offset: Float = 0,
    seed: UInt64
  ) {
    self.grid = grid
    self.channels = (channels, second)
    var generator = SplitMix64(seed: seed)
    planes = (0..<grid.images).map { _ in
      (0..<channels + second).map { _ in
        (0..<grid.height).map { _ in (0..<grid.width).map { _ in Double(offset + spread * draw(&generator)) } }
      }
    }
  }

  var allChannels: Int { channels.first + channels.second }

  /// The pixels as rows, followed by a poisoned one each.
  func stage(in workspace: inout Workspace) throws -> PixelRows {
    func upload(_ range: Range<Int>) throws -> Tensor {
      var rows: [Float] = []
      for image in planes {
        for y in 0..<grid.height {
          for x in 0..<grid.width { rows += range.map { Float(image[$0][y][x]) } }
        }
      }
      return try workspace.upload(rows + Poison.floats(range.count), grid.rows + 1, range.count)
    }
    let first = try upload(0..<channels.first)
    return PixelRows(first, channels.second == 0 ? nil : try upload(channels.first..<allChannels))
  }
}

/// Numbers of each image in a slice of wider rows, with poison around them.
struct ImageNumbers: Sendable {
  let set: VectorSet

  init(images: Int, channels: Int, before: Int, after: Int, seed: UInt64) {
    set = VectorSet(
      count: images, .init(channels: channels, before: before, after: after), .uniform, seed: seed)
  }

  func stage(in workspace: inout Workspace) throws -> HeadSlices { try workspace.upload(set) }
}
