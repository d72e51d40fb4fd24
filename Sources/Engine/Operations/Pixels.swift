/// The places of a batch of images of one size, as the rows of a tensor: pixel `(b, y, x)` is row
/// `(b · height + y) · width + x`, and its channels lie side by side.
package struct PixelGrid: Sendable, Hashable {
  package var images: Int
  package var height: Int
  package var width: Int

  package init(images: Int, height: Int, width: Int) {
    self.images = images
    self.height = height
    self.width = width
  }

  /// Pixels of one image.
  package var pixels: Int { height * width }
  /// Pixels of all images.
  package var rows: Int { images * pixels }

  /// Each image as a sequence of its pixels, for attention.
  package var segments: Segments { Segments(lengths: [Int](repeating: pixels, count: images)) }

  package func validate(_ name: StaticString) throws(EngineError) {
    try require(
      images > 0 && height > 0 && width > 0
        && images.multipliedClamping(by: height).multipliedClamping(by: width) <= indexLimit, name,
      "\(images) images of \(height) × \(width) pixels")
  }
}

/// The channels of each pixel: those of one tensor `[rows, channels]`, or of two, which are read as if they stood side by
/// side. So a skip connection is never copied.
package struct PixelRows: Sendable {
  package var first: Tensor
  package var second: Tensor?

  package init(_ first: Tensor, _ second: Tensor? = nil) {
    self.first = first
    self.second = second
  }

  package var channels: Int { first.width + (second?.width ?? 0) }

  package func validate(_ name: StaticString, rows: Int) throws(EngineError) {
    try HeadSlices(first, channels: first.width).validate(name, rows: rows)
    guard let second else { return }
    try HeadSlices(second, channels: second.width).validate(name, rows: rows)
  }

  /// Checks that a result does not lie where the pixels do.
  func requireApart(from out: Tensor, _ name: StaticString) throws(EngineError) {
    try require(out, isNot: first, name)
    if let second { try require(out, isNot: second, name) }
  }

  /// A kernel's parameters: both tensors with their channels; the first stands in for a second that is not there.
  var arguments: KernelArguments {
    [
      "first": .tensor(first), "first_channels": .int(first.width), "second": .tensor(second ?? first),
      "second_channels": .int(second?.width ?? 0),
    ]
  }

  /// Reads one channel of one row at a time.
  func reader(_ memory: HostMemory) throws(EngineError) -> (_ row: Int, _ channel: Int) -> Double {
    let elements = try memory.floats(first)
    let others = try second.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let widths = (first.width, second?.width ?? 0)
    return { row, channel in
      if channel < widths.0 { return Double(elements[row * widths.0 + channel]) }
      guard let others else { return 0 }
      return Double(others[row * widths.1 + channel - widths.0])
    }
  }
}

extension HeadSlices {
  /// Checks that each image has one number for each channel, such as its part of a time embedding.
  package func validate(perImage grid: PixelGrid, channels: Int, _ name: StaticString) throws(EngineError) {
    try validate(name, rows: grid.images)
    try require(
      heads == 1 && self.channels == channels, name,
      "an image brings \(heads) × \(self.channels) numbers for \(channels) channels")
  }
}
