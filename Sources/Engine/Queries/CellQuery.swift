/// One kept cell of a pairwise product.
public struct PairCell: Sendable, Hashable {
  /// Which matrix: segment, then head or type.
  public let matrix: Int
  /// The cell's row within its segment.
  public let row: Int
  /// The cell's column within its segment.
  public let column: Int
  /// The cell's score.
  public let score: Float

  /// A cell and its score.
  public init(matrix: Int, row: Int, column: Int, score: Float) {
    self.matrix = matrix
    self.row = row
    self.column = column
    self.score = score
  }

  /// Orders cells by their places.
  static func precedes(_ a: PairCell, _ b: PairCell) -> Bool {
    (a.matrix, a.row, a.column) < (b.matrix, b.row, b.column)
  }
}

/// A product whose cells above a threshold are wanted, all of them, in order; or the strongest of each segment.
package struct CellQuery: Sendable {
  package var rows: HeadSlices
  package var columns: Panels
  package var rowExtent: Extent
  package var columnExtent: Extent
  package var scale: Float
  package var threshold: Float
  package var triangular: Bool
  package var margin: Int
  /// Types that share the product.
  package var biases: TypeBiases?
  /// The most cells of a segment, the strongest; all if nil. A segment with more keeps those whose score is greater than
  /// that of the first cell too many, so equal scores stay or go together.
  package var limit: Int?

  package init(
    rows: HeadSlices, columns: Panels, rowExtent: Extent, columnExtent: Extent, scale: Float = 1, threshold: Float,
    triangular: Bool = false, margin: Int = 0, biases: TypeBiases? = nil, limit: Int? = nil
  ) {
    self.rows = rows
    self.columns = columns
    self.rowExtent = rowExtent
    self.columnExtent = columnExtent
    self.scale = scale
    self.threshold = threshold
    self.triangular = triangular
    self.margin = margin
    self.biases = biases
    self.limit = limit
  }

  var segments: Int { rowExtent.matrices }

  /// Which segment a cell is of.
  func segment(of cell: PairCell) -> Int { cell.matrix / (biases?.types ?? rows.heads) }
}

/// The cells that a query found, sorted by place.
package struct FoundCells: Sendable, Hashable {
  package let cells: [PairCell]
  /// Segments that had more than the query's limit.
  package let truncatedSegments: Set<Int>
}

extension Engine {
  /// Runs `submission` (what makes the query's inputs), then the query.
  ///
  /// The list starts with room for `capacity` cells. If more pass, the counts say how many, and the product alone is
  /// run again with room for all: nothing is lost. What a segment keeps does not depend on the others.
  package func find(
    _ query: CellQuery, after submission: Submission = Submission(), capacity: Int = 4096
  ) async throws(EngineError) -> FoundCells {
    try require(!query.threshold.isNaN, "cells above a threshold", "the threshold is not a number")
    try require((query.limit ?? 1) > 0, "cells above a threshold", "the limit must be at least 1")
    var pass = CellPass(query, capacity: max(1, capacity))
    try await pass.run(after: submission, on: self)
    let crowded = pass.crowdedSegments
    if !pass.isComplete {
      if !crowded.isEmpty { try await pass.raiseThresholds(of: crowded, on: self) }
      pass.capacity = pass.total
      try await pass.run(on: self)
    }
    return FoundCells(cells: pass.strongest(of: crowded).sorted(by: PairCell.precedes), truncatedSegments: crowded)
  }

  /// As `find`, for a query that has no limit.
  package func cells(
    _ query: CellQuery, after submission: Submission = Submission(), capacity: Int = 4096
  ) async throws(EngineError) -> [PairCell] {
    try await find(query, after: submission, capacity: capacity).cells
  }
}
