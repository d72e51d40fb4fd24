internal import Engine

extension CPUBackend {
  static func pairwise(_ product: PairwiseProduct) throws(EngineError) {
    switch product.epilogue {
    case .average(let average): return try self.average(average, of: product)
    case .loss(let sums): return try lossSums(sums, of: product)
    case .lossGradient(let gradient): return try lossGradient(gradient, of: product)
    case .topK(let selection): return try topK(selection, of: product)
    case .mutualTopK(let mutual): return try mutualTopK(mutual, of: product)
    case .store, .select, .selectTyped: break
    }
    let rows = try VectorReader(product.rows)
    let columns = try VectorReader(product.columns)
    let width = product.columns.width
    let rowPlaces = SegmentPlace.all(of: product.rowExtent, panelWidth: width)
    let columnPlaces = SegmentPlace.all(of: product.columnExtent, panelWidth: width)
    let consumer = try CellConsumer(product)

    for segment in rowPlaces.indices {
      let (rowPlace, columnPlace) = (rowPlaces[segment], columnPlaces[segment])
      for head in 0..<product.rows.heads {
        let columnVectors = (0..<columnPlace.count).map {
          columns.vector(start: columnPlace.firstPanel, index: $0, head: head, channels: product.columns.channels)
        }
        for i in 0..<rowPlace.count {
          let row = rows.vector(start: rowPlace.firstRow, index: i, head: head, channels: product.rows.channels)
          for j in 0..<columnPlace.count {
            consumer.consume(
              Double(product.scale) * dot(row, columnVectors[j]), segment: segment, head: head, i: i, j: j,
              rows: rowPlace, columns: columnPlace)
          }
        }
      }
    }
  }
}

/// What an epilogue does with one cell.
private struct CellConsumer {
  private let product: PairwiseProduct
  private var stored: UnsafeMutableBufferPointer<Float>?
  private var cells: UnsafeMutableBufferPointer<Int32>?
  private var found: UnsafeMutableBufferPointer<Int32>?
  private var thresholds: UnsafeMutableBufferPointer<Float>?
  private var biases: VectorReader?

  init(_ product: PairwiseProduct) throws(EngineError) {
    self.product = product
    switch product.epilogue {
    case .store(let out): stored = try CPUBackend.floats(out)
    case .select(let selection):
      cells = try CPUBackend.integers(selection.cells)
      found = try CPUBackend.integers(selection.found)
      thresholds = try CPUBackend.floats(selection.thresholds)
    case .selectTyped(let selection, let typeBiases):
      cells = try CPUBackend.integers(selection.cells)
      found = try CPUBackend.integers(selection.found)
      thresholds = try CPUBackend.floats(selection.thresholds)
      biases = try VectorReader(typeBiases.panels)
    case .average, .loss, .lossGradient, .topK, .mutualTopK: break
    }
  }

  func consume(
    _ score: Double, segment: Int, head: Int, i: Int, j: Int, rows: SegmentPlace, columns: SegmentPlace
  ) {
    let matrix = segment * product.rows.heads + head
    switch product.epilogue {
    case .store(let out):
      stored?[(matrix * out.shape[1] + i) * out.shape[2] + j] = Float(score)
    case .select(let selection):
      keep(score, selection, segment: segment, matrix: matrix, i: i, j: j, rows: rows, columns: columns)
    case .selectTyped(let selection, let typeBiases):
      guard let biases else { return }
      let channels = 2 * typeBiases.types
      let start = biases.vector(start: rows.firstPanel, index: i, head: 0, channels: channels)
      let end = biases.vector(start: columns.firstPanel, index: j, head: 0, channels: channels)
      for a in 0..<typeBiases.types {
        let typed = score + Double(typeBiases.scale) * (start[a] + end[typeBiases.types + a])
        keep(
          typed, selection, segment: segment, matrix: matrix * typeBiases.types + a, i: i, j: j, rows: rows,
          columns: columns)
      }
    case .average, .loss, .lossGradient, .topK, .mutualTopK: break
    }
  }

  private func keep(
    _ score: Double, _ selection: CellSelection, segment: Int, matrix: Int, i: Int, j: Int, rows: SegmentPlace,
    columns: SegmentPlace
  ) {
    let margin = selection.margin
    guard let cells, let found, let thresholds, Float(score) > thresholds[segment], !selection.triangular || i <= j,
      i >= margin, i < rows.count - margin, j >= margin, j < columns.count - margin
    else { return }
    let slot = Int(UInt32(bitPattern: found[0]))
    found[0] &+= 1
    found[1 + segment] &+= 1
    guard slot < selection.capacity else { return }
    cells[4 * slot] = Int32(matrix)
    cells[4 * slot + 1] = Int32(i)
    cells[4 * slot + 2] = Int32(j)
    cells[4 * slot + 3] = Int32(bitPattern: Float(score).bitPattern)
  }
}
