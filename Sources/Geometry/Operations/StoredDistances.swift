public import Engine

/// The epilogue that writes Euclidean distances of a whole set of rows and one of columns:
/// `out[i, j] = √max(0, rowSquares[i] + columnSquares[j] - 2 · score[i, j])`, from `|a - b|² = |a|² + |b|² - 2 <a, b>`.
///
/// The product must have one head and scale 1. In float32 the difference cancels where vectors are nearly the same: an error
/// of e in the squares is one of up to √e in a small distance. `Engine.neighbours` has distances in double precision.
public struct StoredDistances: PairwiseEpilogue {
  /// float32 `[rows]`: the squared length of each row.
  public var rowSquares: Tensor
  /// float32 `[columns]`: the squared length of each column.
  public var columnSquares: Tensor
  /// float32 `[rows, columns]`, or larger: cells past the last row or column stay as they were.
  public var out: Tensor

  /// Distances that are written to a tensor.
  public init(rowSquares: Tensor, columnSquares: Tensor, into out: Tensor) {
    self.rowSquares = rowSquares
    self.columnSquares = columnSquares
    self.out = out
  }

  /// `Kernels/pairwise/epilogue_distances.clh`
  public var header: KernelSource { "pairwise/epilogue_distances.clh" }

  /// Checks that the product is one of whole sets, and that squares and distances have the size of them.
  public func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
    try require(
      product.rowExtent.table == nil && product.columnExtent.table == nil, name,
      "distances are those of whole sets, not of segments")
    try require(product.rows.heads == 1, name, "distances are of one head")
    try require(product.scale == 1, name, "distances need the scale 1, not \(product.scale)")
    let (rows, columns) = (product.rowExtent.rowCount, product.columnExtent.rowCount)
    try require(rowSquares, holds: rows, name, "the rows' squares")
    try require(columnSquares, holds: columns, name, "the columns' squares")
    try require(
      out.shape.count == 2 && out.elementType == .float32, name, "the distances must be float32 [rows, columns]")
    try require(
      out.shape[0] >= rows && out.shape[1] >= columns, name,
      "distances \(out.shape) are too small for \(rows) × \(columns)")
    for input in [rowSquares, columnSquares, product.rows.tensor, product.columns.tensor] {
      try require(out, isNot: input, name)
    }
  }

  /// The tensors, and the length of a row of distances.
  public func arguments(of product: PairwiseProduct) -> KernelArguments {
    [
      "out": .tensor(out), "out_stride": .int(out.width), "row_squares": .tensor(rowSquares),
      "column_squares": .tensor(columnSquares),
    ]
  }

  /// Writes each distance, computed in Double, rounded to float32.
  public func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    let (rows, columns) = (try memory.floats(rowSquares), try memory.floats(columnSquares))
    let distances = try memory.floats(out)
    try product.forEachCell(memory) { cell in
      let squared = Double(rows[cell.row]) + Double(columns[cell.column]) - 2 * cell.score
      // Not max: it would make 0 of what is not a number.
      distances[cell.row * out.width + cell.column] = Float((squared < 0 ? 0 : squared).squareRoot())
    }
  }
}

extension Engine {
  /// All Euclidean distances: `|rows[i] - columns[j]|`, from products and squared lengths in float32.
  ///
  /// - Parameters:
  ///   - rows: the vectors on one side.
  ///   - columns: those on the other.
  /// - Returns: `rows.count × columns.count` distances, row after row.
  /// - Throws: `EngineError` if the dimensions differ or the device has no room.
  public func distances(rows: Vectors, columns: Vectors) async throws(EngineError) -> [Float] {
    let sides = try PairwiseSides(rows, columns, on: self)
    var submission = sides.submission
    func squares(_ vectors: HeadSlices, _ count: Int) throws(EngineError) -> Tensor {
      let out = try makeTensor(.float32, count)
      try submission.append(RowSquares(of: vectors, rowCount: count, into: out))
      return out
    }
    let out = try makeTensor(.float32, rows.count, columns.count)
    try submission.append(
      PairwiseProduct(
        rows: sides.rows, columns: sides.columns, rowExtent: .whole(rows.count), columnExtent: .whole(columns.count),
        epilogue: StoredDistances(
          rowSquares: try squares(sides.rows, rows.count),
          columnSquares: try squares(sides.columnRows, columns.count), into: out)))
    try submission.download(out)
    return try await run(submission)[0].floats
  }
}
