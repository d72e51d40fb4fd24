/// A raster image in memory.
package struct Image: Equatable, Sendable {
  /// How a pixel is stored.
  package enum Format: Hashable, Sendable {
    /// One byte: 0 is black, 255 white.
    case gray8
    /// Three bytes: red, green, blue.
    case rgb8

    /// Bytes one pixel takes.
    package var size: Int { self == .gray8 ? 1 : 3 }
  }

  /// The most pixels that pictures of this module have: 192 MiB in colour.
  package static let pixelLimit = 1 << 26

  /// Pixels in a row.
  package let width: Int
  /// Rows.
  package let height: Int
  /// How a pixel is stored.
  package let format: Format
  /// The pixels, row by row from the top, without gaps.
  package internal(set) var pixels: [UInt8]

  /// An image of given pixels.
  /// - Parameters:
  ///   - width: Pixels in a row.
  ///   - height: Rows.
  ///   - format: How a pixel is stored.
  ///   - pixels: Row by row from the top; as many bytes as the size and the format say.
  package init(width: Int, height: Int, format: Format, pixels: [UInt8]) {
    precondition(width >= 0 && height >= 0 && pixels.count == width * height * format.size)
    self.width = width
    self.height = height
    self.format = format
    self.pixels = pixels
  }

  /// An image of one colour.
  init(width: Int, height: Int, filledWith colour: RGB) {
    let row = (0..<width).flatMap { _ in [colour.red, colour.green, colour.blue] }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(width * height * 3)
    for _ in 0..<height { pixels += row }
    self.init(width: width, height: height, format: .rgb8, pixels: pixels)
  }
}
