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
