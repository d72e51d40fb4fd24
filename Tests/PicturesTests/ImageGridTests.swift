import Testing

@testable import Pictures

@Suite struct ImageGridTests {
  @Test(arguments: [
    (1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 2), (5, 2, 3), (6, 2, 3), (7, 3, 3), (8, 2, 4),
    (9, 3, 3), (10, 2, 5), (11, 3, 4), (12, 3, 4), (16, 4, 4), (64, 8, 8), (100, 10, 10),
    (101, 10, 11), (1000, 32, 32),
  ])
  func arrangement(count: Int, rows: Int, columns: Int) throws {
    let layout = try GridLayout(count: count, imageWidth: 8, imageHeight: 8)
    #expect(layout.columns == columns && layout.rows == rows)
    #expect(layout.rows * layout.columns >= count && (layout.rows - 1) * layout.columns < count)
  }

  @Test(arguments: [(1, 48), (8, 6), (16, 3), (28, 2), (32, 2), (47, 2), (48, 1), (64, 1), (500, 1)])
  func enlargement(side: Int, scale: Int) throws {
    #expect(try GridLayout(count: 1, imageWidth: side, imageHeight: 2).scale == scale || side == 1)
    #expect(try GridLayout(count: 1, imageWidth: side, imageHeight: side).scale == scale)
  }

  @Test func geometry() throws {
    let layout = try GridLayout(rows: 2, columns: 3, imageWidth: 8, imageHeight: 4)
    #expect(layout.cellWidth == 48 && layout.cellHeight == 24)
    #expect(layout.width == 8 + 48 + 4 + 48 + 4 + 48 + 8)
    #expect(layout.height == 8 + 24 + 4 + 24 + 8)
    #expect(layout.origin(row: 1, column: 2) == (8 + 2 * 52, 8 + 28))
    #expect(try GridLayout(count: 5, imageWidth: 8, imageHeight: 8, columns: 9).columns == 5)
    #expect(try GridLayout(count: 5, imageWidth: 8, imageHeight: 8, columns: 0).columns == 1)
  }

  @Test func tooLarge() {
    func error(_ rows: Int, _ columns: Int) -> PictureError? {
      failure { try GridLayout(rows: rows, columns: columns, imageWidth: 8, imageHeight: 8) }
    }
    for (rows, columns) in [(1000, 1000), (1 << 40, 1), (.max, .max), (1, .max / 52)] {
      #expect(error(rows, columns)?.description.contains("too large") == true)
    }
  }

  @Test func valuesBecomeGreys() throws {
    let values: [Float] = [-1, 1, 0, -0.5, 0.5, -7, 7, 0.999, -0.999]
    let batch = try ImageBatch(values, shape: [1, 3, 3])
    let picture = try ImageGrid.picture(of: batch)
    #expect(picture.width == 16 + 48 && picture.height == 16 + 48)
    let expected: [UInt8] = [0, 255, 128, 64, 191, 0, 255, 255, 0]
    for (index, grey) in expected.enumerated() {
      for corner in [0, 15] {  // sixteen times enlarged
        let (x, y) = (8 + index % 3 * 16 + corner, 8 + index / 3 * 16 + corner)
        #expect(picture.pixel(x, y) == [grey, grey, grey])
      }
    }
    #expect(picture.pixel(7, 8) == picture.pixel(0, 0) && picture.pixel(56, 8) == picture.pixel(0, 0))
    #expect(decoded(try picture.png()) == picture)
  }

  @Test func coloursAndChannelOrder() throws {
    // Two samples of 1 × 2: red, green | blue, white.
    let values: [Float] = [1, -1, -1, 1, -1, -1, -1, 1, -1, 1, 1, 1]
    let picture = try ImageGrid.picture(of: ImageBatch(values, shape: [2, 3, 1, 2]))
    let scale = 24
    #expect(picture.pixel(8, 8) == [255, 0, 0] && picture.pixel(8 + scale, 8) == [0, 255, 0])
    let second = 8 + 2 * scale + 4
    #expect(picture.pixel(second, 8) == [0, 0, 255])
    #expect(picture.pixel(second + scale, 8) == [255, 255, 255])
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func nonFiniteValuesStandOut(value: Float) throws {
    let picture = try ImageGrid.picture(of: ImageBatch([0, value], shape: [1, 1, 1, 2]))
    #expect(picture.pixel(8 + 24, 8) == [0xFF, 0x00, 0xC8])
    #expect(picture.pixel(8, 8) == [128, 128, 128])
  }

  @Test func trajectories() throws {
    let steps = try [-1, 0, 1].map { (value: Float) in
      try ImageBatch([value, -value], shape: [2, 1, 1])
    }
    let picture = try ImageGrid.trajectories(steps)
    #expect(picture.width == 8 + 3 * 48 + 2 * 4 + 8 && picture.height == 8 + 2 * 48 + 4 + 8)
    #expect([8, 60, 112].map { picture.pixel($0, 8)[0] } == [0, 128, 255])
    #expect([8, 60, 112].map { picture.pixel($0, 60)[0] } == [255, 128, 0])
    #expect(failure { try ImageGrid.trajectories([]) } == .empty("a trajectory without steps"))
    let other = try ImageBatch([0], shape: [1, 1, 1])
    #expect(failure { try ImageGrid.trajectories(steps + [other]) } != nil)
  }

  @Test(arguments: [
    ([], 1), ([4], 4), ([2, 2], 4), ([1, 2, 2, 1, 1], 4), ([1, 2, 1, 1], 2), ([1, 4, 1, 1], 4),
    ([0, 1, 1], 0), ([2, 0, 3], 0), ([2, 2, 2], 7), ([-1, -1, 1], 1),
    ([1 << 32, 1 << 32, 1], 0),
  ])
  func refusedShapes(shape: [Int], count: Int) {
    let values = [Float](repeating: 0, count: count)
    #expect(failure { try ImageBatch(values, shape: shape) } != nil)
  }
}
