internal import Foundation

/// Points to be drawn as discs that let through what lies behind them, so few discs that the file stays small.
///
/// Up to ``limit`` points have a disc each. Of more points, those in one cell of a square grid share a disc at their
/// mean, as opaque as their own discs would be on top of each other. The cells are 1 unit wide, or 2, 4, … units: the
/// first width with at most ``limit`` discs.
struct PointCloud {
  /// The most discs; they take about 400 kB in a file.
  static let limit = 10_000

  /// The mean of some points.
  struct Disc: Equatable {
    var x: Double
    var y: Double
    /// The number of points.
    var count: Int
  }

  /// The discs, in the points' order, or row by row from the top where points share them.
  let discs: [Disc]
  /// The width of the cells whose points share a disc; 0 where each point has its own.
  let cellWidth: Double

  /// - Parameter points: Coordinates in the picture.
  init(_ points: [(x: Double, y: Double)]) {
    var discs = points.map { Disc(x: $0.x, y: $0.y, count: 1) }
    var width = 0.0
    while discs.count > Self.limit {
      width = max(1, 2 * width)
      discs = Self.merged(discs, cellWidth: width)
    }
    (self.discs, cellWidth) = (discs, width)
  }

  /// The discs by opacity, each one's in whole percent: as opaque as `count` discs of opacity `single` together.
  func grouped(single: Double) -> [(percent: Int, discs: [Disc])] {
    Dictionary(grouping: discs) { Int(((1 - pow(1 - single, Double($0.count))) * 100).rounded()) }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private static func merged(_ discs: [Disc], cellWidth: Double) -> [Disc] {
    struct Cell: Hashable {
      let row, column: Int
    }
    var sums: [Cell: Disc] = [:]
    for disc in discs {
      let cell = Cell(
        row: Int((disc.y / cellWidth).rounded(.down)), column: Int((disc.x / cellWidth).rounded(.down)))
      let weight = Double(disc.count)
      var sum = sums[cell] ?? Disc(x: 0, y: 0, count: 0)
      sum.x += weight * disc.x
      sum.y += weight * disc.y
      sum.count += disc.count
      sums[cell] = sum
    }
    return sums.sorted { ($0.key.row, $0.key.column) < ($1.key.row, $1.key.column) }.map { _, sum in
      Disc(x: sum.x / Double(sum.count), y: sum.y / Double(sum.count), count: sum.count)
    }
  }
}
