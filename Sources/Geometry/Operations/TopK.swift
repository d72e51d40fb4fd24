package import Engine

/// Columns on a device that rows are compared with, each with a number added to its products.
package struct RankedColumns: Sendable {
  package let count: Int
  /// One head.
  package let panels: Panels
  /// What is added to each column's products, as columns of one channel.
  package let terms: Panels

  package init(count: Int, panels: Panels, terms: Panels) {
    self.count = count
    self.panels = panels
    self.terms = terms
  }

  package var channels: Int { panels.channels }
}

/// The k best columns of every row: the greatest `scale · <rows[i], columns[j]> + terms[j]`, of equal ones the first.
///
/// Nothing of the size rows × columns is stored. Two operations: the best of each chunk of the columns, then their
/// merge. The result is the same to the bit however the columns are cut.
package struct TopK: Sendable {
  /// `[rowCount, channels]`
  package var rows: HeadSlices
  package var rowCount: Int
  package var columns: RankedColumns
  /// Where the columns are cut; each chunk starts at a panel.
  package var chunks: SegmentTable
  /// `[rowCount]` int32: a column that the row may not take; negative if there is none.
  package var excluded: Tensor
  package var scale: Float
  /// Columns a row gets.
  package var k: Int
  /// Scratch, int32 `[rowCount, chunks, TopK.room(for: k), 2]`.
  package var lists: Tensor
  /// `[rowCount, k]`, best first. Where fewer columns are left, or have a value above -∞, the rest is -∞ ...
  package var values: Tensor
  /// ... and -1 here: int32 `[rowCount, k]`.
  package var indices: Tensor

  package init(
    _ rows: HeadSlices, rowCount: Int, among columns: RankedColumns, chunks: SegmentTable, excluded: Tensor,
    scale: Float = 1, k: Int, lists: Tensor, values: Tensor, indices: Tensor
  ) {
    self.rows = rows
    self.rowCount = rowCount
    self.columns = columns
    self.chunks = chunks
    self.excluded = excluded
    self.scale = scale
    self.k = k
    self.lists = lists
    self.values = values
    self.indices = indices
  }

  /// Places of a row's list in the scratch, of 8 bytes: twice what it keeps, in whole vectors
  /// (`Kernels/pairwise/top_k_reservoir.clh`).
  package static func room(for k: Int) -> Int { ceilingDivide(k, 8).multipliedClamping(by: 16) }
  /// The most chunks that can be merged (`Kernels/pairwise/merge_top_k.cl`), ...
  package static let chunkLimit = 64
  /// ... and the most columns a row can get from several.
  package static let mergeLimit = 65_535

  /// What a submission runs, in order.
  package var operations: [any DeviceOperation] {
    [
      PairwiseProduct(
        rows: rows, columns: columns.panels, rowExtent: .whole(rowCount), columnExtent: .ragged(chunks), scale: scale,
        epilogue: TopKSelection(terms: columns.terms, excluded: excluded, k: k, lists: lists)),
      MergeTopK(
        rowCount: rowCount, chunkCount: chunks.segments.count, k: k, lists: lists, values: values, indices: indices),
    ]
  }
}

/// The best columns of each chunk as an epilogue.
package struct TopKSelection: PairwiseEpilogue {
  /// One head of one channel: what is added to each column's products.
  package var terms: Panels
  /// `[rows]` int32: a column, counted over all chunks, that the row may not take; negative if there is none.
  package var excluded: Tensor
  package var k: Int
  /// int32 `[rows, chunks, TopK.room(for: k), 2]`: the best columns, best first.
  package var lists: Tensor

  package init(terms: Panels, excluded: Tensor, k: Int, lists: Tensor) {
    self.terms = terms
    self.excluded = excluded
    self.k = k
    self.lists = lists
  }

  package var takesChunks: Bool { true }
  package var isStateful: Bool { true }

  package func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
    try require(product.rowExtent.table == nil, name, "rows that meet every chunk cannot be ragged")
    try require(product.columnExtent.table != nil, name, "the columns must be cut into chunks")
    try validate(for: product, chunks: product.columnExtent.matrices, name)
  }

  /// What holds however the columns are taken.
  func validate(for product: PairwiseProduct, chunks: Int, _ name: StaticString) throws(EngineError) {
    try require(product.rows.heads == 1, name, "the best columns are of one head")
    try require(
      terms.heads == 1 && terms.channels == 1 && terms.width == product.columns.width, name,
      "the terms must be one head of 1 channel in panels of \(product.columns.width)")
    try terms.requirePanels(of: product.columnExtent, name)
    let rows = product.rowExtent.rowCount
    try require(excluded, holds: rows, name, "the excluded columns", of: .int32)
    try requireLists(lists, rows: rows, chunks: chunks, k: k, name)
    try require(lists, isNot: excluded, name)
  }

  package var header: KernelSource { "pairwise/epilogue_top_k.clh" }

  package func arguments(of product: PairwiseProduct) -> KernelArguments {
    [
      "terms": .tensor(terms.tensor), "excluded": .tensor(excluded), "best": .int(k), "room": .int(TopK.room(for: k)),
      "lists": .tensor(lists),
    ]
  }

  package func chunkRows(_ rowCount: Int, _ tiles: TileShape) -> Int {
    // On a CPU device the lists leave room in the cache for more rows than usual.
    tiles.variant == .cpu ? (rowCount == 1 ? 1 : 32) : TileShape.registerRows
  }

  package func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    try reference(of: product, rows: 0..<product.rowExtent.rowCount, memory)
  }

  /// The lists of some of the rows.
  func reference(of product: PairwiseProduct, rows range: Range<Int>, _ memory: HostMemory) throws(EngineError) {
    let channels = product.columns.channels
    let rows = try memory.vectors(product.rows)
    let columns = try memory.vectors(product.columns)
    let added = try memory.vectors(terms)
    let excludedColumns = try memory.integers(excluded)
    let result = try memory.integers(lists)
    let chunks = product.columnExtent.segmentBounds(panelWidth: product.columns.width)

    for i in range {
      let row = rows.vector(start: 0, index: i, head: 0, channels: channels)
      for (chunk, bounds) in chunks.enumerated() {
        var best: [(value: Float, column: Int)] = []
        for j in 0..<bounds.count where bounds.firstRow + j != Int(excludedColumns[i]) {
          let column = columns.vector(start: bounds.firstPanel, index: j, head: 0, channels: channels)
          let term = added.vector(start: bounds.firstPanel, index: j, head: 0, channels: 1)
          // Ties are those of what is stored.
          let value = Float(Double(product.scale) * dot(row, column) + term[0])
          if value > -.infinity { best.append((value, bounds.firstRow + j)) }
        }
        best.sort { ($1.value, $0.column) < ($0.value, $1.column) }
        // The value's bits and the column.
        let at = (i * chunks.count + chunk) * TopK.room(for: k)
        for r in 0..<k {
          let entry = r < best.count ? best[r] : (value: -.infinity, column: -1)
          result[2 * (at + r)] = Int32(bitPattern: entry.value.bitPattern)
          result[2 * (at + r) + 1] = Int32(entry.column)
        }
      }
    }
  }
}

/// Brings the best columns of all chunks together, in order.
package struct MergeTopK: DeviceOperation {
  package var rowCount: Int
  package var chunkCount: Int
  package var k: Int
  /// What the epilogue left.
  package var lists: Tensor
  /// `[rowCount, k]`
  package var values: Tensor
  /// int32 `[rowCount, k]`
  package var indices: Tensor

  package init(rowCount: Int, chunkCount: Int, k: Int, lists: Tensor, values: Tensor, indices: Tensor) {
    self.rowCount = rowCount
    self.chunkCount = chunkCount
    self.k = k
    self.lists = lists
    self.values = values
    self.indices = indices
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "merge of the best columns"
    try require(rowCount > 0 && rowCount <= indexLimit, name, "\(rowCount) rows")
    try requireLists(lists, rows: rowCount, chunks: chunkCount, k: k, name)
    try require(values, holds: rowCount * k, name, "the values")
    try require(indices, holds: rowCount * k, name, "the indices", of: .int32)
    try require(values, isNot: lists, name)
    try require(indices, isNot: lists, name)
    try require(indices, isNot: values, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let entries = try memory.integers(lists)
    let (best, columns) = (try memory.floats(values), try memory.integers(indices))
    let room = TopK.room(for: k)
    for i in 0..<rowCount {
      let places = (0..<chunkCount).flatMap { chunk in (0..<k).map { (i * chunkCount + chunk) * room + $0 } }
      var row = places.map { at in
        (value: Float(bitPattern: UInt32(bitPattern: entries[2 * at])), column: entries[2 * at + 1])
      }
      row.removeAll { $0.column < 0 }
      row.sort { ($1.value, $0.column) < ($0.value, $1.column) }
      for r in 0..<k {
        let entry = r < row.count ? row[r] : (value: -.infinity, column: -1)
        best[i * k + r] = entry.value
        columns[i * k + r] = entry.column
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "pairwise/merge_top_k.cl", "merge_top_k", tiles,
        arguments: [
          "lists": .tensor(lists), "rows": .int(rowCount), "chunks": .int(chunkCount), "best": .int(k),
          "room": .int(TopK.room(for: k)), "values": .tensor(values), "columns": .tensor(indices),
        ],
        groups: [ceilingDivide(rowCount, tiles.rowGroup)], groupSize: tiles.rowGroup)
    ]
  }
}

private func requireLists(
  _ lists: Tensor, rows: Int, chunks: Int, k: Int, _ name: StaticString
) throws(EngineError) {
  try require((1...indexLimit).contains(k), name, "k is \(k): it must be from 1 to \(indexLimit)")
  try require(
    (1...TopK.chunkLimit).contains(chunks), name,
    "\(chunks) chunks; from 1 to \(TopK.chunkLimit) can be merged")
  try require(
    chunks == 1 || k <= TopK.mergeLimit, name,
    "k is \(k): of \(chunks) chunks at most \(TopK.mergeLimit) columns can be merged")
  let count = rows.multipliedClamping(by: chunks).multipliedClamping(by: 2 * TopK.room(for: k))
  try require(lists, holds: count, name, "the scratch of best columns", of: .int32)
}
