internal import CPNG

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
