/// `score[s, h, i, j] = scale · <rows[s, i, h], columns[s, j, h]>`, handed tile by tile to an epilogue.
///
/// The matrix of scores exists only if the epilogue stores it.
package struct PairwiseProduct: Sendable {
  package var rows: HeadSlices
  package var columns: Panels
  package var rowExtent: Extent
  package var columnExtent: Extent
  package var scale: Float
  package var epilogue: PairwiseEpilogue

  package init(
    rows: HeadSlices, columns: Panels, rowExtent: Extent, columnExtent: Extent, scale: Float = 1,
    epilogue: PairwiseEpilogue
  ) {
    self.rows = rows
    self.columns = columns
    self.rowExtent = rowExtent
    self.columnExtent = columnExtent
    self.scale = scale
    self.epilogue = epilogue
  }

  /// Matrices of scores: one for each segment and head.
  package var matrices: Int { rowExtent.matrices * rows.heads }

  /// Cells that could pass a selection.
  var cellLimit: Int {
    var cells = 0
    for (rows, columns) in zip(rowExtent.lengths, columnExtent.lengths) {
      let (sum, overflow) = cells.addingReportingOverflow(rows.multipliedClamping(by: columns))
      cells = overflow ? .max : sum
    }
    return cells.multipliedClamping(by: rows.heads)
  }

  func validate() throws(EngineError) {
    let name: StaticString = "pairwise product"
    try rows.validate(name, rows: rowExtent.rowCount)
    try require(
      rows.heads == columns.heads && rows.channels == columns.channels, name,
      "rows have \(rows.heads) heads of \(rows.channels) channels, columns \(columns.heads) of \(columns.channels)"
    )
    if !epilogue.takesChunks {
      try require(
        (rowExtent.table == nil) == (columnExtent.table == nil), name,
        "rows and columns must both be ragged, or neither")
      try require(
        rowExtent.matrices == columnExtent.matrices, name,
        "rows have \(rowExtent.matrices) segments, columns \(columnExtent.matrices)")
    }
    try columns.requirePanels(of: columnExtent, name)
    try rowExtent.requireWidth(columns.width, name)
    try require(scale.isFinite, name, "the scale must be finite")
    try epilogue.validate(for: self, name)
  }
}

/// Who consumes the scores.
package enum PairwiseEpilogue: Sendable {
  /// Writes every cell into `[matrices, slabRows, slabColumns]`; cells of a slab outside a segment stay as they were.
  case store(Tensor)
  /// Keeps the cells above a threshold.
  case select(CellSelection)
  /// Keeps the cells above a threshold for each of several types that share one product.
  case selectTyped(CellSelection, TypeBiases)
  /// Averages over the chunks of a mixture: the columns' segments are chunks, and every row meets each.
  case average(MixtureAverage)
  /// Gathers a loss over all cells.
  case loss(PairLossSums)
  /// Differentiates a loss by what the rows are made of.
  case lossGradient(PairLossGradient)
  /// Keeps the best columns of each row: the columns' segments are chunks, and every row meets each.
  case topK(TopKSelection)
  /// Keeps the best columns of each row, where rows and columns are the same vectors.
  case mutualTopK(MutualSelection)

  /// Whether the segments of the columns are chunks of one set of columns.
  package var takesChunks: Bool {
    switch self {
    case .store, .select, .selectTyped, .loss, .lossGradient, .mutualTopK: false
    case .average, .topK: true
    }
  }

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    switch self {
    case .store(let out):
      try require(
        out.shape.count == 3 && out.elementType == .float32, name,
        "the stored scores must be float32 [matrices, rows, columns]")
      try require(
        out.shape[0] >= product.matrices && out.shape[1] >= product.rowExtent.longest
          && out.shape[2] >= product.columnExtent.longest, name,
        "scores \(out.shape) are too small for \(product.matrices) matrices of \(product.rowExtent.longest) × \(product.columnExtent.longest)"
      )
    case .select(let selection):
      try selection.validate(name, segments: product.rowExtent.matrices, possibleCells: product.cellLimit)
    case .selectTyped(let selection, let biases):
      try selection.validate(
        name, segments: product.rowExtent.matrices,
        possibleCells: product.cellLimit.multipliedClamping(by: biases.types))
      try biases.validate(for: product, name)
    case .average(let average): try average.validate(for: product, name)
    case .loss(let sums): try sums.validate(for: product, name)
    case .lossGradient(let gradient): try gradient.validate(for: product, name)
    case .topK(let selection): try selection.validate(for: product, name)
    case .mutualTopK(let selection): try selection.validate(for: product, name)
    }
  }
}

/// Which cells are kept, and where they go.
package struct CellSelection: Sendable {
  /// `[segments]`: a cell of a segment is kept if its score is greater.
  package var thresholds: Tensor
  /// Keep only cells with row ≤ column.
  package var triangular: Bool
  /// Rows and columns nearer than this to either end of their segment are left out: 1 drops a sentence's marks.
  package var margin: Int
  /// The list: `[capacity, 4]` int32 of matrix, row, column, and the score's bits, in any order.
  package var cells: Tensor
  /// `[1 + segments]` int32: how many cells passed (unsigned), of all segments and of each, also when the list was too
  /// short for all of them. Set to 0 first.
  package var found: Tensor

  package init(thresholds: Tensor, triangular: Bool, margin: Int, cells: Tensor, found: Tensor) {
    self.thresholds = thresholds
    self.triangular = triangular
    self.margin = margin
    self.cells = cells
    self.found = found
  }

  package var capacity: Int { cells.count / 4 }

  func validate(_ name: StaticString, segments: Int, possibleCells: Int) throws(EngineError) {
    try require(
      possibleCells <= Int(UInt32.max), name,
      "\(possibleCells) cells in one pass cannot be counted in 32 bits; take fewer rows at a time")
    try require(thresholds, holds: segments, name, "the thresholds")
    try require(margin >= 0, name, "the margin is negative")
    try require(
      cells.elementType == .int32 && cells.width == 4 && capacity <= indexLimit, name,
      "the list of cells must be int32 [capacity, 4]")
    try require(found, holds: 1 + segments, name, "the counts", of: .int32)
  }
}

/// Start and end biases that tell the types of an efficient head apart:
/// `score[a, i, j] = product[i, j] + scale · S[a, i] + scale · E[a, j]` (Su, "Efficient GlobalPointer", 2022).
package struct TypeBiases: Sendable {
  /// One head of `2 · types` channels: S, then E.
  package var panels: Panels
  package var types: Int
  package var scale: Float

  package init(panels: Panels, types: Int, scale: Float) {
    self.panels = panels
    self.types = types
    self.scale = scale
  }

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    try require(types > 0 && scale >= 0 && scale.isFinite, name, "types and bias scale must be positive")
    try require(
      panels.heads == 1 && panels.channels == 2 * types && panels.width == product.columns.width, name,
      "the biases must be one head of \(2 * types) channels in panels of \(product.columns.width)")
    try require(product.rows.heads == 1, name, "types share one product: the rows must have one head")
    try require(
      product.rowExtent.table?.segments == product.columnExtent.table?.segments
        && product.rowExtent.rowCount == product.columnExtent.rowCount, name,
      "biases belong to the same tokens on both sides")
    try panels.requirePanels(of: product.columnExtent, name)
  }
}

extension Panels {
  func requirePanels(of extent: Extent, _ name: StaticString) throws(EngineError) {
    try extent.requireWidth(width, name)
    let needed = extent.panelCount(width: width)
    try require(
      tensor.elementType == .float32 && panelCount >= needed, name,
      "\(needed) panels are needed, the tensor holds \(panelCount)")
  }
}

extension Extent {
  /// Vectors of each matrix's side.
  fileprivate var lengths: [Int] {
    switch self {
    case .whole(let count): [count]
    case .ragged(let table): table.segments.lengths
    }
  }

  func requireWidth(_ width: Int, _ name: StaticString) throws(EngineError) {
    guard let table else { return }
    try require(
      table.panelWidth == width, name,
      "the segment table counts panels of \(table.panelWidth), the panels have \(width)")
    try require(table.tensor, holds: 4 * table.segments.count, name, "the segment table", of: .int32)
  }
}

extension Int {
  func multipliedClamping(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
