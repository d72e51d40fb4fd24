internal import CPNG

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

extension Image {
  /// The image as a PNG file.
  /// - Throws: ``PictureError/empty(_:)`` if it has no pixels, ``PictureError/png(width:height:message:)``
  ///   if libpng refuses, for instance more than a million rows.
  package func png() throws(PictureError) -> [UInt8] {
    guard !pixels.isEmpty else { throw .empty("an image of \(width) × \(height) pixels") }
    guard let columns = UInt32(exactly: width), let rows = UInt32(exactly: height) else {
      throw .png(width: width, height: height, message: "too large for the format")
    }
    var description = png_image()
    description.version = UInt32(PNG_IMAGE_VERSION)
    description.width = columns
    description.height = rows
    description.format = format == .gray8 ? UInt32(PNG_FORMAT_GRAY) : UInt32(PNG_FORMAT_RGB)
    defer { png_image_free(&description) }

    // The limit is a little more than the pixels: one pass instead of one to measure and one to
    // write.
    var count = png_alloc_size_t(weft_png_size_limit(description))
    var isWritten = false
    let file = [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
      isWritten =
        png_image_write_to_memory(&description, buffer.baseAddress, &count, 0, pixels, 0, nil) != 0
      initialized = isWritten ? Int(count) : 0
    }
    guard isWritten else {
      throw .png(width: width, height: height, message: description.text)
    }
    return file
  }
}

extension png_image {
  /// libpng's message: text that ends at a zero.
  fileprivate var text: String {
    let text = withUnsafeBytes(of: message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return text.isEmpty ? "libpng failed without a message" : text
  }
}

/// A colour of sRGB, eight bits a channel.
package struct RGB: Hashable, Sendable {
  /// The channels.
  package var red, green, blue: UInt8

  /// A colour written like `0x1F77B4`; bits above the lower 24 are ignored.
  package init(_ hexadecimal: UInt32) {
    red = UInt8(truncatingIfNeeded: hexadecimal >> 16)
    green = UInt8(truncatingIfNeeded: hexadecimal >> 8)
    blue = UInt8(truncatingIfNeeded: hexadecimal)
  }

  /// As a style sheet writes it: `#1f77b4`.
  var css: String {
    "#"
      + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension RGB {
  /// White paper.
  package static let white = RGB(0xFFFFFF)
  /// Text and axes.
  package static let ink = RGB(0x2B2F36)
  /// Secondary text, ticks.
  package static let faded = RGB(0x7A808A)
  /// Grid lines.
  package static let pale = RGB(0xE8EAED)
  /// What lies behind: the true data.
  package static let background = RGB(0xB4B9C1)
  /// First colour for what matters.
  package static let blue = RGB(0x1A6FC4)
  /// Second colour.
  package static let orange = RGB(0xD9660B)
  /// Third colour.
  package static let green = RGB(0x2A8C4A)
  /// Fourth colour.
  package static let purple = RGB(0x8250C4)
  /// What is not a number: a colour that no greyscale picture contains.
  package static let alarm = RGB(0xFF00C8)
}

/// A picture that cannot be made.
package enum PictureError: Error, Equatable, Sendable, CustomStringConvertible {
  /// libpng refused an image of this size; the message is its own.
  case png(width: Int, height: Int, message: String)
  /// There is nothing to draw: no samples, no points, an image without pixels.
  case empty(String)
  /// Values whose shape is not that of a batch of images.
  case shape([Int], problem: String)
  /// A picture of more pixels than ``Image/pixelLimit``.
  case tooLarge(width: Int, height: Int)
  /// A point that has no place on an axis; `index` counts from 0 within `series`.
  case point(series: String, index: Int, problem: String)

  /// One line for people.
  package var description: String {
    switch self {
    case .png(let width, let height, let message):
      "PNG of \(width) × \(height) pixels: \(message)"
    case .empty(let what): "nothing to draw: \(what)"
    case .shape(let shape, let problem): "shape \(shape): \(problem)"
    case .tooLarge(let width, let height):
      "a picture of \(width) × \(height) pixels is too large; draw fewer samples"
    case .point(let series, let index, let problem): "\(series): point \(index) \(problem)"
    }
  }
}
