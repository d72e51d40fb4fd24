internal import Engine

extension CPUBackend {
  /// The best columns of each chunk.
  static func topK(_ selection: TopKSelection, of product: PairwiseProduct) throws(EngineError) {
    try topK(selection, of: product, rows: 0..<product.rowExtent.rowCount)
  }

  /// The best of all vectors: each part has some of the rows.
  static func mutualTopK(_ mutual: MutualSelection, of product: PairwiseProduct) throws(EngineError) {
    try topK(mutual.selection, of: product, rows: mutual.part.range(of: product.rowExtent.rowCount))
  }

  private static func topK(
    _ selection: TopKSelection, of product: PairwiseProduct, rows range: Range<Int>
  ) throws(EngineError) {
    let channels = product.columns.channels
    let rows = try VectorReader(product.rows)
    let columns = try VectorReader(product.columns)
    let terms = try VectorReader(selection.terms)
    let excluded = try integers(selection.excluded)
    let lists = try integers(selection.lists)
    let places = SegmentPlace.all(of: product.columnExtent, panelWidth: product.columns.width)

    for i in range {
      let row = rows.vector(start: 0, index: i, head: 0, channels: channels)
      for (chunk, place) in places.enumerated() {
        var best: [(value: Float, column: Int)] = []
        for j in 0..<place.count where place.firstRow + j != Int(excluded[i]) {
          let column = columns.vector(start: place.firstPanel, index: j, head: 0, channels: channels)
          let term = terms.vector(start: place.firstPanel, index: j, head: 0, channels: 1)
          // Ties are those of what is stored.
          let value = Float(Double(product.scale) * dot(row, column) + term[0])
          if value > -.infinity { best.append((value, place.firstRow + j)) }
        }
        best.sort { ($1.value, $0.column) < ($0.value, $1.column) }
        let at = (i * places.count + chunk) * selection.k
        for r in 0..<selection.k {
          let entry = r < best.count ? best[r] : (value: -.infinity, column: -1)
          lists[2 * (at + r)] = Int32(bitPattern: entry.value.bitPattern)
          lists[2 * (at + r) + 1] = Int32(entry.column)
        }
      }
    }
  }

  static func mergeTopK(_ operation: MergeTopK) throws(EngineError) {
    let lists = try integers(operation.lists)
    let values = try floats(operation.values)
    let indices = try integers(operation.indices)
    let count = operation.chunkCount * operation.k
    for i in 0..<operation.rowCount {
      var entries = (i * count..<(i + 1) * count).map { at in
        (value: Float(bitPattern: UInt32(bitPattern: lists[2 * at])), column: lists[2 * at + 1])
      }
      entries.removeAll { $0.column < 0 }
      entries.sort { ($1.value, $0.column) < ($0.value, $1.column) }
      for r in 0..<operation.k {
        let entry = r < entries.count ? entries[r] : (value: -.infinity, column: -1)
        values[i * operation.k + r] = entry.value
        indices[i * operation.k + r] = entry.column
      }
    }
  }
}
