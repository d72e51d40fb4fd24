package import Engine

/// The k best of one set of vectors for each of them: ``TopK`` whose rows are its columns. Products are symmetric, so on a
/// CPU device each is computed once and offered to both; the result is that of ``TopK``, to the bit.
///
/// It comes in parts, which run in order: between two of them there is time to report and to stop.
package struct SymmetricTopK: Sendable {
  /// `[count, channels]`
  package var rows: HeadSlices
  /// The same vectors.
  package var columns: RankedColumns
  /// `[count]` int32: a vector that the row may not take; negative if there is none.
  package var excluded: Tensor
  package var scale: Float
  /// Vectors a row gets.
  package var k: Int
  /// Scratch, kept from part to part: int32 `[count, TopK.room(for: k), 2]`, ...
  package var lists: Tensor
  /// ... how many entries each list has, int32 `[count]`, ...
  package var counts: Tensor
  /// ... and what others must reach, float32 `[count]`.
  package var worsts: Tensor
  /// `[count, k]`, best first. Where fewer are left, or have a value above -∞, the rest is -∞ ...
  package var values: Tensor
  /// ... and -1 here: int32 `[count, k]`.
  package var indices: Tensor

  package init(
    _ rows: HeadSlices, columns: RankedColumns, excluded: Tensor, scale: Float = 1, k: Int, lists: Tensor,
    counts: Tensor, worsts: Tensor, values: Tensor, indices: Tensor
  ) {
    self.rows = rows
    self.columns = columns
    self.excluded = excluded
    self.scale = scale
    self.k = k
    self.lists = lists
    self.counts = counts
    self.worsts = worsts
    self.values = values
    self.indices = indices
  }

  /// What one part runs, in order.
  package func operations(_ part: SymmetricPart) -> [any DeviceOperation] {
    let selection = SymmetricSelection(
      TopKSelection(terms: columns.terms, excluded: excluded, k: k, lists: lists), counts: counts, worsts: worsts,
      part: part)
    let product = PairwiseProduct(
      rows: rows, columns: columns.panels, rowExtent: .whole(columns.count), columnExtent: .whole(columns.count),
      scale: scale, epilogue: selection)
    guard part.isLast else { return [product] }
    return [
      product, MergeTopK(rowCount: columns.count, chunkCount: 1, k: k, lists: lists, values: values, indices: indices),
    ]
  }
}

/// One of the parts that a computation is cut into.
package struct SymmetricPart: Sendable, Hashable {
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
package struct SymmetricSelection: PairwiseEpilogue {
  package var selection: TopKSelection
  /// int32 `[rows]`: how many entries each list has.
  package var counts: Tensor
  /// float32 `[rows]`: what a value must reach to be added.
  package var worsts: Tensor
  package var part: SymmetricPart

  package init(_ selection: TopKSelection, counts: Tensor, worsts: Tensor, part: SymmetricPart) {
    self.selection = selection
    self.counts = counts
    self.worsts = worsts
    self.part = part
  }

  package func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
    let count = product.rowExtent.rowCount
    try require(
      product.rowExtent.table == nil && product.columnExtent.table == nil && product.columnExtent.rowCount == count,
      name, "vectors that are compared with themselves must be whole, and as many rows as columns")
    try require(
      (1...indexLimit).contains(part.count) && (0..<part.count).contains(part.index), name,
      "there is no part \(part.index) of \(part.count)")
    try selection.validate(for: product, chunks: 1, name)
    try require(counts, holds: count, name, "the lists' counts", of: .int32)
    try require(worsts, holds: count, name, "the lists' worst values")
    for scratch in [counts, worsts] {
      try require(scratch, isNot: selection.lists, name)
      try require(scratch, isNot: selection.excluded, name)
    }
    try require(counts, isNot: worsts, name)
  }

  package var isStateful: Bool { true }

  /// Of the kernel that shares products; elsewhere it is the selection's own.
  package var header: KernelSource { "pairwise/epilogue_symmetric_top_k.clh" }

  package func arguments(of product: PairwiseProduct) -> KernelArguments {
    selection.arguments(of: product) + ["counts": .tensor(counts), "worsts": .tensor(worsts)]
  }

  package func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    try selection.reference(of: product, rows: part.range(of: product.rowExtent.rowCount), memory)
  }

  /// Whether products are shared on these tiles. A GPU computes both halves of the matrix, which keeps more groups busy.
  package static func sharesProducts(_ tiles: TileShape) -> Bool { tiles.variant == .cpu }

  /// Where products are shared: a launch for each round of this part, between what prepares the lists and what puts them
  /// in order. Elsewhere all of it belongs to the first part.
  package func launches(of product: PairwiseProduct, _ tiles: TileShape) -> [KernelLaunch] {
    guard Self.sharesProducts(tiles) else {
      var plain = product
      plain.epilogue = selection
      return part.isFirst ? [plain.launch(tiles)] : []
    }
    // Row tiles of a block, and the rows a work-item holds: a block ends where a panel does.
    let (blockTiles, itemRows) = (6, 32)
    let size = blockTiles * itemRows
    let count = product.rowExtent.rowCount
    let blocks = ceilingDivide(count, size)
    let rounds = part.range(of: blocks).map { round in
      product.launch(
        tiles, defines: ["PW_ROUNDS": "1", "PW_TILES": "\(blockTiles)", "PW_ROWS": "\(itemRows)"],
        panelsPerItem: size / product.columns.width, extents: ["row_count": .int(count), "round_index": .int(round)],
        // Blocks whose numbers add up to the round's, then to that and all blocks.
        grid: PairwiseGrid(rowGroups: 1, matrices: round / 2 + 1 + (round + blocks) / 2 - round))
    }
    return (part.isFirst ? [listsLaunch("clear_lists", count, tiles)] : []) + rounds
      + (part.isLast ? [listsLaunch("sort_lists", count, tiles)] : [])
  }

  private func listsLaunch(_ entry: String, _ count: Int, _ tiles: TileShape) -> KernelLaunch {
    KernelLaunch(
      "pairwise/symmetric_lists.cl", entry, tiles,
      arguments: entry == "clear_lists"
        ? ["counts": .tensor(counts), "worsts": .tensor(worsts)]
        : [
          "lists": .tensor(selection.lists), "counts": .tensor(counts), "best": .int(selection.k),
          "room": .int(TopK.room(for: selection.k)),
        ],
      groups: [count], groupSize: 1)
  }
}
