internal import Engine

/// Two sets of vectors whose products are wanted, and their exact scores.
struct PairwiseProblem: Sendable {
  /// Rows and columns of each segment; one of each if the problem is not ragged.
  let rowLengths: [Int]
  let columnLengths: [Int]
  let isRagged: Bool
  let scale: Float
  var rows: VectorSet
  var columns: VectorSet

  /// One set of rows against one of columns.
  init(
    rows rowCount: Int, columns columnCount: Int, rowLayout: VectorSet.Layout,
    columnLayout: VectorSet.Layout? = nil, scale: Float = 1, _ draw: Draw = .uniform, seed: UInt64
  ) {
    rowLengths = [rowCount]
    columnLengths = [columnCount]
    isRagged = false
    self.scale = scale
    rows = VectorSet(count: rowCount, rowLayout, draw, seed: seed)
    columns = VectorSet(count: columnCount, columnLayout ?? rowLayout, draw, seed: seed ^ 0xC01)
  }

  /// A set of rows against a set of columns for each sequence; as many columns as rows if not given.
  init(
    lengths: [Int], columnLengths: [Int]? = nil, rowLayout: VectorSet.Layout,
    columnLayout: VectorSet.Layout? = nil, scale: Float = 1, _ draw: Draw = .uniform, seed: UInt64
  ) {
    rowLengths = lengths
    self.columnLengths = columnLengths ?? lengths
    isRagged = true
    self.scale = scale
    rows = VectorSet(count: lengths.reduce(0, +), rowLayout, draw, seed: seed)
    columns = VectorSet(
      count: self.columnLengths.reduce(0, +), columnLayout ?? rowLayout, draw, seed: seed ^ 0xC01)
  }

  var heads: Int { rows.layout.heads }
  var matrices: Int { rowLengths.count * heads }
  var longestRows: Int { rowLengths.reduce(0, max) }
  var longestColumns: Int { columnLengths.reduce(0, max) }

  /// Calls `body` for every cell of every matrix with its exact score.
  func forEachCell(_ body: (_ matrix: Int, _ i: Int, _ j: Int, _ score: Double) -> Void) {
    var firstRow = 0
    var firstColumn = 0
    for segment in rowLengths.indices {
      for head in 0..<heads {
        let columnVectors = (0..<columnLengths[segment]).map {
          columns.vector(firstColumn + $0, head: head)
        }
        for i in 0..<rowLengths[segment] {
          let row = rows.vector(firstRow + i, head: head)
          for (j, column) in columnVectors.enumerated() {
            body(segment * heads + head, i, j, Double(scale) * innerProduct(row, column))
          }
        }
      }
      firstRow += rowLengths[segment]
      firstColumn += columnLengths[segment]
    }
  }

  /// Brings the vectors to the device, packs the columns and describes the product.
  func stage(in workspace: inout Workspace) throws -> StagedProduct {
    let rowExtent = try extent(rowLengths, &workspace)
    let columnExtent =
      isRagged && columnLengths == rowLengths ? rowExtent : try extent(columnLengths, &workspace)
    return StagedProduct(
      rows: try workspace.upload(rows),
      columns: try workspace.pack(try workspace.upload(columns), extent: columnExtent),
      rowExtent: rowExtent, columnExtent: columnExtent, scale: scale)
  }

  private func extent(_ lengths: [Int], _ workspace: inout Workspace) throws -> Extent {
    isRagged ? .ragged(try workspace.segments(lengths)) : .whole(lengths[0])
  }
}

/// A product that lacks only its epilogue.
struct StagedProduct {
  let rows: HeadSlices
  let columns: Panels
  let rowExtent: Extent
  let columnExtent: Extent
  let scale: Float

  func handing(to epilogue: any PairwiseEpilogue) -> any DeviceOperation {
    PairwiseProduct(
      rows: rows, columns: columns, rowExtent: rowExtent, columnExtent: columnExtent,
      scale: scale, epilogue: epilogue)
  }
}
