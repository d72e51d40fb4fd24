/// The k best of one set of vectors for each of them: `TopK` whose rows are its columns. Products are symmetric, so a
/// backend may compute each once and offer it to both; the result is that of `TopK`, to the bit.
///
/// It comes in parts, which run in order: between two of them there is time to report and to stop.
package struct MutualTopK: Sendable {
  /// `[count, channels]`
  package var rows: HeadSlices
  /// The same vectors.
  package var columns: RankedColumns
  /// `[count]` int32: a vector that the row may not take; negative if there is none.
  package var excluded: Tensor
  package var scale: Float
  /// Vectors a row gets, from 1 to `TopK.limit`.
  package var k: Int
  /// Scratch, int32 `[count, k, 2]`; kept from part to part.
  package var lists: Tensor
  /// `[count, k]`, best first. Where fewer are left, or have a value above -∞, the rest is -∞ ...
  package var values: Tensor
  /// ... and -1 here: int32 `[count, k]`.
  package var indices: Tensor

  package init(
    _ rows: HeadSlices, columns: RankedColumns, excluded: Tensor, scale: Float = 1, k: Int, lists: Tensor,
    values: Tensor, indices: Tensor
  ) {
    self.rows = rows
    self.columns = columns
    self.excluded = excluded
    self.scale = scale
    self.k = k
    self.lists = lists
    self.values = values
    self.indices = indices
  }

  /// What one part runs, in order.
  package func operations(_ part: MutualPart) -> [Operation] {
    let selection = MutualSelection(
      TopKSelection(terms: columns.terms, excluded: excluded, k: k, lists: lists), part: part)
    let product = PairwiseProduct(
      rows: rows, columns: columns.panels, rowExtent: .whole(columns.count), columnExtent: .whole(columns.count),
      scale: scale, epilogue: .mutualTopK(selection))
    guard part.isLast else { return [.pairwise(product)] }
    return [
      .pairwise(product),
      .mergeTopK(
        MergeTopK(rowCount: columns.count, chunkCount: 1, k: k, lists: lists, values: values, indices: indices)),
    ]
  }
}

/// One of the parts that a computation is cut into.
package struct MutualPart: Sendable, Hashable {
  package var index: Int
  package var count: Int

  package init(_ index: Int, of count: Int) {
    self.index = index
    self.count = count
  }

  package var isFirst: Bool { index == 0 }
  package var isLast: Bool { index == count - 1 }

  /// This part of `total` steps; it may be empty.
  package func range(of total: Int) -> Range<Int> {
    // Wide enough: neither factor exceeds 32 bits.
    total * index / count..<total * (index + 1) / count
  }
}

/// The best of all vectors as an epilogue: rows and columns are the same.
package struct MutualSelection: Sendable {
  package var selection: TopKSelection
  package var part: MutualPart

  package init(_ selection: TopKSelection, part: MutualPart) {
    self.selection = selection
    self.part = part
  }

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    let count = product.rowExtent.rowCount
    try require(
      product.rowExtent.table == nil && product.columnExtent.table == nil && product.columnExtent.rowCount == count,
      name, "vectors that are compared with themselves must be whole, and as many rows as columns")
    try require(
      (1...indexLimit).contains(part.count) && (0..<part.count).contains(part.index), name,
      "there is no part \(part.index) of \(part.count)")
    try selection.validate(for: product, chunks: 1, name)
  }
}
