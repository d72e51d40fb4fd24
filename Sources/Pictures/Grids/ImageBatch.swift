/// Sampled images: N of one size, values of -1 (dark) to 1 (bright).
package struct ImageBatch: Sendable {
  /// The number of images.
  package let count: Int
  /// 1 for grey, 3 for red, green and blue.
  package let channels: Int
  /// Rows of an image.
  package let height: Int
  /// Pixels in a row.
  package let width: Int
  /// The values, by image, channel, row, column.
  package let values: [Float]

  /// Images from an array of values.
  /// - Parameters:
  ///   - values: The values, the last index varying fastest; as many as `shape` says.
  ///   - shape: `[N, H, W]` or `[N, C, H, W]`, with C being 1 or 3.
  /// - Throws: ``PictureError/shape(_:problem:)`` for another shape, ``PictureError/empty(_:)`` if
  ///   there are no images or no pixels.
  package init(_ values: [Float], shape: [Int]) throws(PictureError) {
    guard shape.count == 3 || shape.count == 4 else {
      throw .shape(shape, problem: "[N, H, W] or [N, C, H, W] expected")
    }
    guard shape.allSatisfy({ $0 >= 0 }) else { throw .shape(shape, problem: "negative extent") }
    channels = shape.count == 3 ? 1 : shape[1]
    guard channels == 1 || channels == 3 else {
      throw .shape(shape, problem: "\(channels) channels; pictures have 1 or 3")
    }
    guard !shape.contains(0) else { throw .empty("images of shape \(shape)") }
    var expected = 1
    for extent in shape {
      let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw .shape(shape, problem: "too large") }
      expected = product
    }
    guard values.count == expected else {
      throw .shape(shape, problem: "\(expected) values expected, \(values.count) found")
    }
    count = shape[0]
    height = shape[shape.count - 2]
    width = shape[shape.count - 1]
    self.values = values
  }

  /// A pixel of an image, as one byte per channel; nil if it is not a finite number.
  @inline(__always)
  func pixel(_ image: Int, row: Int, column: Int) -> RGB? {
    let plane = height * width
    let first = image * channels * plane + row * width + column
    var colour = RGB(0)
    guard let red = Self.byte(values[first]) else { return nil }
    colour.red = red
    if channels == 1 {
      colour.green = red
      colour.blue = red
    } else {
      guard let green = Self.byte(values[first + plane]),
        let blue = Self.byte(values[first + 2 * plane])
      else { return nil }
      colour.green = green
      colour.blue = blue
    }
    return colour
  }

  /// -1…1 to 0…255, rounded, values outside brought to the nearer end.
  @inline(__always)
  private static func byte(_ value: Float) -> UInt8? {
    guard value.isFinite else { return nil }
    return UInt8((min(max(value, -1), 1) + 1) * 127.5 + 0.5)
  }
}
