/// A set of vectors of one dimension, row after row.
public struct Vectors: Sendable, Hashable {
  /// The elements: vector `i` starts at `i * dimension`.
  public let elements: [Float]
  /// Elements of a vector.
  public let dimension: Int

  /// How many vectors.
  public var count: Int { elements.count / dimension }

  /// Vectors from their elements, row after row.
  /// - Throws: `EngineError.Kind.invalidOperation` if the elements are not a positive number of whole vectors.
  public init(_ elements: [Float], dimension: Int) throws(EngineError) {
    try require(
      dimension > 0 && !elements.isEmpty && elements.count.isMultiple(of: dimension), "vectors",
      "\(elements.count) elements are not vectors of dimension \(dimension)")
    self.elements = elements
    self.dimension = dimension
  }
}

extension Engine {
  /// All inner products: `score[i, j] = scale · <rows[i], columns[j]>`.
  /// - Returns: `rows.count × columns.count` scores, row after row.
  /// - Throws: `EngineError` if the dimensions differ or the device has no room.
  public func pairwise(rows: Vectors, columns: Vectors, scale: Float = 1) async throws(EngineError) -> [Float] {
    let sides = try PairwiseSides(rows, columns, on: self)
    var submission = sides.submission
    let out = try makeTensor(.float32, 1, rows.count, columns.count)
    try submission.append(
      PairwiseProduct(
        rows: sides.rows, columns: sides.columns, rowExtent: .whole(rows.count), columnExtent: .whole(columns.count),
        scale: scale, epilogue: StoredScores(into: out)))
    try submission.download(out)
    return try await run(submission)[0].floats
  }
}

/// Two sets of vectors on their way to the device.
package struct PairwiseSides {
  package let rows: HeadSlices
  /// The columns as they came, before they were packed.
  package let columnRows: HeadSlices
  package let columns: Panels
  package var submission = Submission()

  package init(_ rowVectors: Vectors, _ columnVectors: Vectors, on engine: Engine) throws(EngineError) {
    let dimension = rowVectors.dimension
    try require(
      columnVectors.dimension == dimension, "pairwise product",
      "rows have dimension \(dimension), columns \(columnVectors.dimension)")
    let rowTensor = try engine.makeTensor(.float32, rowVectors.count, dimension)
    let columnTensor = try engine.makeTensor(.float32, columnVectors.count, dimension)
    let extent = Extent.whole(columnVectors.count)
    rows = HeadSlices(rowTensor, channels: dimension)
    columnRows = HeadSlices(columnTensor, channels: dimension)
    columns = try engine.makePanels(for: extent, channels: dimension)
    try submission.upload(.float32(rowVectors.elements), to: rowTensor)
    try submission.upload(.float32(columnVectors.elements), to: columnTensor)
    try submission.append(PackColumns(columnRows, extent: extent, into: columns))
  }
}
