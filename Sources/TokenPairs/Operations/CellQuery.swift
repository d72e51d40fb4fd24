public import Engine

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
  /// Turns the rows by their places.
  package var rotation: RowRotation?
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
    rows: HeadSlices, columns: Panels, rowExtent: Extent, columnExtent: Extent, rotation: RowRotation? = nil,
    scale: Float = 1, threshold: Float, triangular: Bool = false, margin: Int = 0, biases: TypeBiases? = nil,
    limit: Int? = nil
  ) {
    self.rows = rows
    self.columns = columns
    self.rowExtent = rowExtent
    self.columnExtent = columnExtent
    self.rotation = rotation
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
  /// The list starts with room for `capacity` cells, by default for a few of each row. If more pass, the counts say how many, and the product alone is
  /// run again with room for all: nothing is lost. What a segment keeps does not depend on the others.
  package func find(
    _ query: CellQuery, after submission: Submission = Submission(), capacity: Int? = nil
  ) async throws(EngineError) -> FoundCells {
    try require(!query.threshold.isNaN, "cells above a threshold", "the threshold is not a number")
    try require((query.limit ?? 1) > 0, "cells above a threshold", "the limit must be at least 1")
    var pass = CellPass(query)
    var crowded: Set<Int> = []
    var inputs = submission
    let room = capacity ?? max(4096, 4 * query.rowExtent.rowCount)
    try await fillList(capacity: max(1, room)) { (capacity) throws(EngineError) in
      try await pass.run(capacity: capacity, after: inputs, on: self)
      inputs = Submission()
      crowded.formUnion(pass.crowdedSegments)
      guard pass.total > capacity else { return nil }
      if !crowded.isEmpty { try await pass.raiseThresholds(of: crowded, on: self) }
      return max(1, pass.total)
    }
    return FoundCells(cells: pass.strongest(of: crowded).sorted(by: PairCell.precedes), truncatedSegments: crowded)
  }

  /// As `find`, for a query that has no limit.
  package func cells(
    _ query: CellQuery, after submission: Submission = Submission(), capacity: Int? = nil
  ) async throws(EngineError) -> [PairCell] {
    try await find(query, after: submission, capacity: capacity).cells
  }
}

extension Engine {
  /// The inner products above a threshold; the matrix is never stored.
  /// - Returns: the cells with `scale · <rows[i], columns[j]> > threshold`, by row, then column.
  /// - Throws: `EngineError` if the dimensions differ or the device has no room for the cells.
  public func pairwise(
    rows: Vectors, columns: Vectors, scale: Float = 1, above threshold: Float
  ) async throws(EngineError) -> [PairCell] {
    let sides = try PairwiseSides(rows, columns, on: self)
    let query = CellQuery(
      rows: sides.rows, columns: sides.columns, rowExtent: .whole(rows.count), columnExtent: .whole(columns.count),
      scale: scale, threshold: threshold)
    return try await cells(query, after: sides.submission)
  }
}

/// One run of a cell query, and what the next must ask.
struct CellPass {
  private let query: CellQuery
  private var thresholds: [Float]
  private var counts: [Int]
  private var cells: [PairCell] = []

  init(_ query: CellQuery) {
    self.query = query
    thresholds = [Float](repeating: query.threshold, count: query.segments)
    counts = [Int](repeating: 0, count: query.segments)
  }

  /// Cells that passed, also those the list had no room for.
  var total: Int { counts.reduce(0, +) }
  /// Segments with more cells than the query's limit.
  var crowdedSegments: Set<Int> {
    guard let limit = query.limit else { return [] }
    return Set(counts.indices.filter { counts[$0] > limit })
  }

  /// Runs `submission`, then the query, with room for `capacity` cells.
  mutating func run(
    capacity: Int, after submission: Submission = Submission(), on engine: Engine
  ) async throws(EngineError) {
    var submission = submission
    let list = try engine.makeTensor(.int32, capacity, 4)
    let found = try engine.makeTensor(.int32, 1 + query.segments)
    let bounds = try engine.makeTensor(.float32, query.segments)
    try submission.upload(.int32([Int32](repeating: 0, count: 1 + query.segments)), to: found)
    try submission.upload(.float32(thresholds), to: bounds)
    let selection = CellSelection(
      thresholds: bounds, triangular: query.triangular, margin: query.margin, cells: list, found: found,
      biases: query.biases)
    var product = PairwiseProduct(
      rows: query.rows, columns: query.columns, rowExtent: query.rowExtent, columnExtent: query.columnExtent,
      scale: query.scale, epilogue: selection)
    product.rotation = query.rotation
    try submission.append(product)
    let foundAt = try submission.download(found)
    let listAt = try submission.download(list)
    let results = try await engine.run(submission)
    counts = results[foundAt].integers.dropFirst().map { Int(UInt32(bitPattern: $0)) }
    let words = results[listAt].integers
    cells = (0..<min(total, capacity)).map { PairCell(words[(4 * $0)...].prefix(4)) }
  }

  /// Finds, for each crowded segment, the lowest threshold that leaves no more cells than the limit, by halving the
  /// range of floats it can lie in; the list stays out of it, so memory does not grow with what passes.
  mutating func raiseThresholds(of crowded: Set<Int>, on engine: Engine) async throws(EngineError) {
    let limit = query.limit ?? .max
    // Too low, and high enough: nothing is above infinity.
    var low = [Int](repeating: query.threshold.orderKey, count: query.segments)
    var high = [Int](repeating: Float.infinity.orderKey, count: query.segments)
    var counting = CellPass(query)
    while let widest = crowded.map({ high[$0] - low[$0] }).max(), widest > 1 {
      for segment in counting.thresholds.indices {
        let middle = (low[segment] + high[segment]) / 2
        counting.thresholds[segment] = crowded.contains(segment) ? Float(orderKey: middle) : .infinity
      }
      try await counting.run(capacity: 1, on: engine)
      for segment in crowded {
        let middle = counting.thresholds[segment].orderKey
        if counting.counts[segment] > limit { low[segment] = middle } else { high[segment] = middle }
      }
    }
    for segment in crowded { thresholds[segment] = Float(orderKey: high[segment]) }
    counting.thresholds = thresholds
    try await counting.run(capacity: 1, on: engine)
    counts = counting.counts
  }

  /// The listed cells, of crowded segments only those that the limit leaves.
  func strongest(of crowded: Set<Int>) -> [PairCell] {
    guard let limit = query.limit, !crowded.isEmpty else { return cells }
    var bounds: [Int: Float] = [:]
    for (segment, listed) in Dictionary(grouping: cells, by: query.segment(of:)) where listed.count > limit {
      bounds[segment] = listed.map(\.score).sorted(by: >)[limit]
    }
    return cells.filter { cell in bounds[query.segment(of: cell)].map { cell.score > $0 } ?? true }
  }
}

extension PairCell {
  /// From a list's words: matrix, row, column, and the score's bits.
  fileprivate init(_ words: ArraySlice<Int32>) {
    let at = words.startIndex
    self.init(
      matrix: Int(words[at]), row: Int(words[at + 1]), column: Int(words[at + 2]),
      score: Float(bitPattern: UInt32(bitPattern: words[at + 3])))
  }
}

extension Float {
  /// An integer that orders as the number does, neighbours of neighbours; both zeros are 0.
  fileprivate var orderKey: Int {
    let bits = Int(Int32(bitPattern: bitPattern))
    return bits >= 0 ? bits : Int(Int32.min) - bits
  }

  fileprivate init(orderKey key: Int) {
    let bits = key >= 0 ? key : Int(Int32.min) - key
    self.init(bitPattern: UInt32(bitPattern: Int32(truncatingIfNeeded: bits)))
  }
}
