/// A picture of many sampled images side by side.
package enum ImageGrid {
  /// The colour of gaps and margins: neither the dark nor the bright end of the images.
  private static let paper = RGB(0xDADDE2)

  /// All images of a batch in a nearly square arrangement, row by row.
  ///
  /// Values outside -1…1 are clamped. Pixels that are not finite numbers get a colour of their own,
  /// ``RGB/alarm``: a sampler that diverges should be seen to.
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
