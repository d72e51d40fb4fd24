import CPNG
import Pictures

/// Reads a PNG file back through libpng's simplified interface.
/// - Returns: The image, with the number of channels that the file has; nil if libpng refuses it.
func decoded(_ file: [UInt8]) -> Image? {
  var description = png_image()
  description.version = UInt32(PNG_IMAGE_VERSION)
  defer { png_image_free(&description) }
  guard png_image_begin_read_from_memory(&description, file, file.count) != 0 else { return nil }
  let isGray = description.format & UInt32(PNG_FORMAT_FLAG_COLOR) == 0
  description.format = isGray ? UInt32(PNG_FORMAT_GRAY) : UInt32(PNG_FORMAT_RGB)
  let (width, height) = (Int(description.width), Int(description.height))
  var pixels = [UInt8](repeating: 0, count: width * height * (isGray ? 1 : 3))
  guard png_image_finish_read(&description, nil, &pixels, 0, nil) != 0 else { return nil }
  return Image(width: width, height: height, format: isGray ? .gray8 : .rgb8, pixels: pixels)
}
