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

/// A product whose cells above a threshold are wanted, all of them, in order.
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

  package init(
    rows: HeadSlices, columns: Panels, rowExtent: Extent, columnExtent: Extent, scale: Float = 1, threshold: Float,
    triangular: Bool = false, margin: Int = 0, biases: TypeBiases? = nil
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
  }

  fileprivate func product(_ list: CellList) -> PairwiseProduct {
    let selection = CellSelection(
      threshold: threshold, triangular: triangular, margin: margin, cells: list.cells, found: list.found)
    return PairwiseProduct(
      rows: rows, columns: columns, rowExtent: rowExtent, columnExtent: columnExtent, scale: scale,
      epilogue: biases.map { .selectTyped(selection, $0) } ?? .select(selection))
  }
}

/// Room for cells on a device, and the count of those that wanted in.
private struct CellList {
  let cells: Tensor
  let found: Tensor

  init(capacity: Int, on engine: Engine) throws(EngineError) {
    cells = try engine.makeTensor(.int32, capacity, 4)
    found = try engine.makeTensor(.int32, 1)
  }

  var capacity: Int { cells.count / 4 }
}

extension Engine {
  /// Runs `submission` (what makes the query's inputs), then the query, and returns its cells sorted by place.
  ///
  /// The list starts with room for `capacity` cells. If more pass, the count says how many, and the product alone is
  /// run again with room for all: nothing is lost.
  package func cells(
    _ query: CellQuery, after submission: Submission = Submission(), capacity: Int = 4096
  ) async throws(EngineError) -> [PairCell] {
    var submission = submission
    var capacity = max(1, capacity)
    while true {
      let list = try CellList(capacity: capacity, on: self)
      try submission.upload(.int32([0]), to: list.found)
      try submission.append(.pairwise(query.product(list)))
      let found = try submission.download(list.found)
      let cells = try submission.download(list.cells)
      let results = try await run(submission)
      let count = Int(UInt32(bitPattern: results[found].integers[0]))
      if count <= list.capacity { return Self.sortedCells(results[cells].integers, count: count) }
      capacity = count
      submission = Submission()
    }
  }

  private static func sortedCells(_ words: [Int32], count: Int) -> [PairCell] {
    let cells = (0..<count).map { (index: Int) -> PairCell in
      let at = 4 * index
      return PairCell(
        matrix: Int(words[at]), row: Int(words[at + 1]), column: Int(words[at + 2]),
        score: Float(bitPattern: UInt32(bitPattern: words[at + 3])))
    }
    return cells.sorted(by: PairCell.precedes)
  }
}
