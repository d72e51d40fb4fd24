package import Engine

/// The label of one cell of a segment's scores.
package struct CellLabel: Sendable, Hashable {
  package var segment: Int
  package var type: Int
  /// Counted within the segment.
  package var start: Int
  package var end: Int
  /// A probability.
  package var value: Float

  package init(segment: Int, type: Int, start: Int, end: Int, value: Float = 1) {
    self.segment = segment
    self.type = type
    self.start = start
    self.end = end
    self.value = value
  }
}

/// A loss over token pairs and its gradient, from rotated queries and keys, as operations of a submission.
package struct PairLossPass: Sendable {
  /// Biases that tell types apart: `[tokens, 2 · types]`, starts then ends.
  package struct Biases: Sendable {
    package var values: Tensor
    package var types: Int
    package var scale: Float
    /// Where their derivatives go, laid out alike.
    package var gradients: Tensor?

    package init(_ values: Tensor, types: Int, scale: Float, gradients: Tensor? = nil) {
      self.values = values
      self.types = types
      self.scale = scale
      self.gradients = gradients
    }
  }

  package var kind: PairLoss.Formula
  /// Row major, both of the same tokens.
  package var queries: HeadSlices
  package var keys: HeadSlices
  package var segments: SegmentTable
  package var scale: Float
  package var triangular: Bool
  package var margin: Int
  package var biases: Biases?
  /// Labels of single cells, none twice; those of cells that do not count are passed over.
  package var labels: [CellLabel]
  /// For each type the label of all other cells.
  package var backgrounds: [Float]
  /// What the loss counts for in the gradient.
  package var weight: Float
  /// Where the derivatives by queries and keys go; nil for the loss alone.
  package var gradients: (queries: HeadSlices, keys: HeadSlices)?

  package init(
    _ kind: PairLoss.Formula, queries: HeadSlices, keys: HeadSlices, segments: SegmentTable, scale: Float,
    triangular: Bool, margin: Int, biases: Biases? = nil, labels: [CellLabel], backgrounds: [Float],
    weight: Float = 1, gradients: (queries: HeadSlices, keys: HeadSlices)? = nil
  ) {
    self.kind = kind
    self.queries = queries
    self.keys = keys
    self.segments = segments
    self.scale = scale
    self.triangular = triangular
    self.margin = margin
    self.biases = biases
    self.labels = labels
    self.backgrounds = backgrounds
    self.weight = weight
    self.gradients = gradients
  }

  package var types: Int { biases?.types ?? queries.heads }

  /// Adds the operations.
  /// - Returns: `[segments, types, PairLoss.totalWidth]`, the loss of each first; written when the submission runs.
  /// - Throws: `EngineError` if shapes or labels contradict each other, or the device has no room.
  package func append(to submission: inout Submission, on engine: Engine) throws(EngineError) -> Tensor {
    let extent = Extent.ragged(segments)
    let typeBiases = try packedBiases(extent, on: engine, in: &submission)
    let byStart = try placed(.starts, on: engine, in: &submission)
    let forward = try product(rows: queries, columns: keys, on: engine, in: &submission)
    let partials = try engine.makeTensor(
      .float32, extent.panelCount(width: engine.panelWidth) * engine.panelWidth, types, PairLoss.partialWidth)
    let totals = try engine.makeTensor(.float32, segments.segments.count, types, PairLoss.totalWidth)
    try submission.append(forward.with(PairLossSums(loss(.starts, byStart, typeBiases), partials: partials)))
    try submission.append(MergeLosses(kind, types: types, segments: segments, partials: partials, into: totals))
    guard let gradients else { return totals }

    try submission.append(
      forward.with(
        PairLossGradient(
          loss(.starts, byStart, typeBiases), totals: totals, vectors: keys, weight: weight, into: gradients.queries,
          biasGradients: biases?.gradients)))
    let byEnd = try placed(.ends, on: engine, in: &submission)
    let backward = try product(rows: keys, columns: queries, on: engine, in: &submission)
    try submission.append(
      backward.with(
        PairLossGradient(
          loss(.ends, byEnd, typeBiases), totals: totals, vectors: queries, weight: weight, into: gradients.keys,
          biasGradients: biases?.gradients)))
    return totals
  }

  private func loss(_ side: PairLoss.RowSide, _ labels: CellLabels, _ biases: TypeBiases?) -> PairLoss {
    PairLoss(kind, rowSide: side, triangular: triangular, margin: margin, labels: labels, biases: biases)
  }

  /// A product that lacks its epilogue.
  private func product(
    rows: HeadSlices, columns: HeadSlices, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) -> UnfinishedProduct {
    let extent = Extent.ragged(segments)
    let panels = try engine.makePanels(for: extent, heads: columns.heads, channels: columns.channels)
    try submission.append(PackColumns(columns, extent: extent, into: panels))
    return UnfinishedProduct(rows: rows, columns: panels, extent: extent, scale: scale)
  }

  private func packedBiases(
    _ extent: Extent, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) -> TypeBiases? {
    guard let biases else { return nil }
    return try TypeBiases(
      packing: HeadSlices(biases.values, channels: 2 * biases.types), extent: extent, types: biases.types,
      scale: biases.scale, on: engine, in: &submission)
  }

  /// The labels sorted by the rows of one side, on the device.
  private func placed(
    _ side: PairLoss.RowSide, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) -> CellLabels {
    let list = try PlacedLabels(labels, segments: segments.segments, types: types, side)
    try require(
      backgrounds.count == types && backgrounds.allSatisfy { (0...1).contains($0) }, "loss over token pairs",
      "\(types) types need as many backgrounds between 0 and 1, not \(backgrounds)")
    let cells = try engine.makeTensor(.int32, max(1, list.cells.count / 2), 2)
    let starts = try engine.makeTensor(.int32, list.starts.count)
    let grounds = try engine.makeTensor(.float32, types)
    if !list.cells.isEmpty { try submission.upload(.int32(list.cells), to: cells) }
    try submission.upload(.int32(list.starts), to: starts)
    try submission.upload(.float32(backgrounds), to: grounds)
    return CellLabels(cells: cells, starts: starts, backgrounds: grounds)
  }
}

private struct UnfinishedProduct {
  let rows: HeadSlices
  let columns: Panels
  let extent: Extent
  let scale: Float

  func with(_ epilogue: any PairwiseEpilogue) -> PairwiseProduct {
    PairwiseProduct(
      rows: rows, columns: columns, rowExtent: extent, columnExtent: extent, scale: scale, epilogue: epilogue)
  }
}

/// Labels in the order of ``CellLabels``.
private struct PlacedLabels {
  var cells: [Int32] = []
  var starts: [Int32] = []

  init(
    _ labels: [CellLabel], segments: Segments, types: Int, _ side: PairLoss.RowSide
  ) throws(EngineError) {
    let name: StaticString = "loss over token pairs"
    var firstRows: [Int] = []
    var rowCount = 0
    for length in segments.lengths {
      firstRows.append(rowCount)
      rowCount += length
    }
    var keyed: [(key: Int, column: Int, value: Float)] = []
    keyed.reserveCapacity(labels.count)
    for label in labels {
      try require(
        segments.lengths.indices.contains(label.segment) && (0..<types).contains(label.type)
          && (0..<segments.lengths[label.segment]).contains(label.start)
          && (0..<segments.lengths[label.segment]).contains(label.end) && (0...1).contains(label.value), name,
        "the label \(label.value) of type \(label.type) at (\(label.start), \(label.end)) of segment \(label.segment) is not a probability of a cell that exists"
      )
      let (row, column) = side == .starts ? (label.start, label.end) : (label.end, label.start)
      keyed.append(((firstRows[label.segment] + row) * types + label.type, column, label.value))
    }
    keyed.sort { ($0.key, $0.column) < ($1.key, $1.column) }
    starts = [Int32](repeating: 0, count: rowCount * types + 1)
    for (index, entry) in keyed.enumerated() {
      if index > 0 {
        try require(
          (keyed[index - 1].key, keyed[index - 1].column) != (entry.key, entry.column), name,
          "a cell has two labels")
      }
      cells += [Int32(entry.column), Int32(bitPattern: entry.value.bitPattern)]
      starts[entry.key + 1] += 1
    }
    for at in 1..<starts.count { starts[at] += starts[at - 1] }
  }
}
