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

/// Where equal cells lie in a picture: whole enlargement, thin gaps, a margin around.
package struct GridLayout: Equatable, Sendable {
  /// Small images are enlarged until their longer side has this many pixels.
  static let legibleSide = 48

  /// Rows of cells.
  package let rows: Int
  /// Cells in a row.
  package let columns: Int
  /// Pixels of the picture for one of an image, in both directions.
  package let scale: Int
  /// Pixels between neighbouring cells.
  package let gap: Int
  /// Pixels around all cells.
  package let margin: Int
  /// A cell's width in the picture.
  package let cellWidth: Int
  /// A cell's height in the picture.
  package let cellHeight: Int
  /// The picture's width.
  package let width: Int
  /// The picture's height.
  package let height: Int

  /// A layout of a given number of rows and columns.
  /// - Parameters:
  ///   - rows: At least 1.
  ///   - columns: At least 1.
  ///   - imageWidth: An image's own width, at least 1.
  ///   - imageHeight: An image's own height, at least 1.
  ///   - gap: Pixels between cells.
  /// - Throws: ``PictureError/tooLarge(width:height:)``.
  package init(
    rows: Int, columns: Int, imageWidth: Int, imageHeight: Int, gap: Int = 4
  ) throws(PictureError) {
    precondition(rows > 0 && columns > 0 && imageWidth > 0 && imageHeight > 0 && gap >= 0)
    let longer = max(imageWidth, imageHeight)
    let scale = longer < Self.legibleSide ? (Self.legibleSide + longer - 1) / longer : 1
    (self.rows, self.columns, self.scale, self.gap) = (rows, columns, scale, gap)
    margin = 2 * gap
    cellWidth = imageWidth * scale
    cellHeight = imageHeight * scale
    width = Self.extent(columns, of: cellWidth, gap: gap)
    height = Self.extent(rows, of: cellHeight, gap: gap)
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, pixels <= Image.pixelLimit else { throw .tooLarge(width: width, height: height) }
  }

  /// A nearly square arrangement of `count` cells, the last row perhaps not full.
  /// - Parameters:
  ///   - count: At least 1.
  ///   - imageWidth: An image's own width, at least 1.
  ///   - imageHeight: An image's own height, at least 1.
  ///   - columns: Cells in a row; nil chooses. More than `count` is as good as `count`.
  /// - Throws: ``PictureError/tooLarge(width:height:)``.
  package init(
    count: Int, imageWidth: Int, imageHeight: Int, columns: Int? = nil
  ) throws(PictureError) {
    precondition(count > 0)
    let columns = max(1, min(count, columns ?? Self.columns(for: count)))
    try self.init(
      rows: (count + columns - 1) / columns, columns: columns, imageWidth: imageWidth,
      imageHeight: imageHeight)
  }

  /// The square root, rounded up; one or two more if that fills the last row.
  static func columns(for count: Int) -> Int {
    var root = max(1, Int(Double(count).squareRoot()))
    while root * root < count { root += 1 }
    return (root...root + 2).first { count % $0 == 0 && count / $0 * 3 >= $0 } ?? root
  }

  /// The top left pixel of a cell.
  package func origin(row: Int, column: Int) -> (x: Int, y: Int) {
    (margin + column * (cellWidth + gap), margin + row * (cellHeight + gap))
  }

  /// The length of a side; at most `Int.max`, so that what overflows is found too large.
  private static func extent(_ count: Int, of cell: Int, gap: Int) -> Int {
    let (cells, overflow) = count.multipliedReportingOverflow(by: cell + gap)
    return overflow || cells > Int.max / 2 ? Int.max : cells + 3 * gap
  }
}

/// A picture of many sampled images side by side.
package enum ImageGrid {
  /// The colour of gaps and margins: neither the dark nor the bright end of the images.
  private static let paper = RGB(0xDADDE2)

  /// All images of a batch in a nearly square arrangement, row by row.
  ///
  /// Values outside -1…1 are clamped. Pixels that are not finite numbers get a colour of their own,
  /// ``RGB/alarm``, so that a sampler that diverges is noticed.
  /// - Parameters:
  ///   - batch: The images.
  ///   - columns: Images in a row; nil chooses.
  /// - Returns: The picture, in colour.
  /// - Throws: ``PictureError/tooLarge(width:height:)``.
  package static func picture(
    of batch: ImageBatch, columns: Int? = nil
  ) throws(PictureError) -> Image {
    let layout = try GridLayout(
      count: batch.count, imageWidth: batch.width, imageHeight: batch.height, columns: columns)
    var canvas = Image(width: layout.width, height: layout.height, filledWith: paper)
    for index in 0..<batch.count {
      let (row, column) = index.quotientAndRemainder(dividingBy: layout.columns)
      canvas.draw(batch, index, at: layout.origin(row: row, column: column), scale: layout.scale)
    }
    return canvas
  }

  /// How samples came to be: a row for each sample, a column for each step.
  /// - Parameter steps: The batch after every step, all of one size.
  /// - Returns: The picture, in colour.
  /// - Throws: ``PictureError/empty(_:)`` without steps, ``PictureError/shape(_:problem:)`` if the
  ///   steps differ, ``PictureError/tooLarge(width:height:)``.
  package static func trajectories(_ steps: [ImageBatch]) throws(PictureError) -> Image {
    guard let first = steps.first else { throw .empty("a trajectory without steps") }
    for step in steps where step.shape != first.shape {
      throw .shape(step.shape, problem: "the steps before it have \(first.shape)")
    }
    let layout = try GridLayout(
      rows: first.count, columns: steps.count, imageWidth: first.width, imageHeight: first.height)
    var canvas = Image(width: layout.width, height: layout.height, filledWith: paper)
    for (column, step) in steps.enumerated() {
      for row in 0..<step.count {
        canvas.draw(step, row, at: layout.origin(row: row, column: column), scale: layout.scale)
      }
    }
    return canvas
  }
}

extension ImageBatch {
  fileprivate var shape: [Int] { [count, channels, height, width] }
}

extension Image {
  /// Draws one image of a batch, enlarged; the place lies wholly inside.
  fileprivate mutating func draw(
    _ batch: ImageBatch, _ index: Int, at origin: (x: Int, y: Int), scale: Int
  ) {
    for row in 0..<batch.height {
      for column in 0..<batch.width {
        let colour = batch.pixel(index, row: row, column: column) ?? .alarm
        for y in origin.y + row * scale..<origin.y + (row + 1) * scale {
          var offset = (y * width + origin.x + column * scale) * 3
          for _ in 0..<scale {
            pixels[offset] = colour.red
            pixels[offset + 1] = colour.green
            pixels[offset + 2] = colour.blue
            offset += 3
          }
        }
      }
    }
  }
}
