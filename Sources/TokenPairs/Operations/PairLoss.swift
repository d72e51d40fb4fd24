package import Engine
internal import Foundation

/// A loss over all cells of token-pair scores, of which none is stored.
///
/// With a label `t` in [0, 1] for every cell, and sums over the cells of a segment and a type:
///
///     zlpr      L = ln(1 + Σ t e^(-s)) + ln(1 + Σ (1 - t) e^s)       least at t = sigmoid(2s)   (Su, "ZLPR", 2022)
///     binary    L = Σ ln(1 + e^s) - t s                              least at t = sigmoid(s)
///
/// Two epilogues compute it: ``PairLossSums`` with ``MergeLosses`` its value, ``PairLossGradient`` its derivatives.
/// Memory grows with tokens · (channels + types).
package struct PairLoss: Sendable {
  package enum Formula: Sendable, Hashable, CaseIterable {
    case zlpr
    case binary

    /// As in `Kernels/pairwise/loss.clh`.
    fileprivate var number: Int { self == .zlpr ? 0 : 1 }
  }

  /// Whose vectors the rows of the product are. The cells are the same: what is row of one is column of the other.
  package enum RowSide: Sendable, Hashable {
    case starts
    case ends
  }

  package var kind: Formula
  package var rowSide: RowSide
  /// Only cells with start ≤ end count.
  package var triangular: Bool
  /// Cells whose start or end is nearer than this to either end of their segment do not count: 1 leaves out the marks
  /// that frame a sentence.
  package var margin: Int
  /// What the cells should be, by rows of the product.
  package var labels: CellLabels
  /// Of types that share one product; else each head is a type.
  package var biases: TypeBiases?

  package init(
    _ kind: Formula, rowSide: RowSide, triangular: Bool, margin: Int, labels: CellLabels, biases: TypeBiases?
  ) {
    self.kind = kind
    self.rowSide = rowSide
    self.triangular = triangular
    self.margin = margin
    self.labels = labels
    self.biases = biases
  }

  /// Types of a product with `heads` heads.
  package func types(heads: Int) -> Int { biases?.types ?? heads }

  /// Floats of ``PairLossSums/partials`` for each row and type.
  package static let partialWidth = 8
  /// Floats of ``MergeLosses/totals`` for each segment and type.
  package static let totalWidth = 4

  fileprivate func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    guard let rows = product.rowExtent.table, let columns = product.columnExtent.table else {
      throw EngineError(.invalidOperation, "\(name): the rows of a loss over token pairs must be ragged")
    }
    try require(
      rows.segments == columns.segments, name, "cells of a loss pair the tokens of one segment: both sides must agree")
    try require(margin >= 0, name, "the margin is negative")
    try biases?.validate(for: product, name)
    try labels.validate(name, rows: product.rowExtent.rowCount, types: types(heads: product.rows.heads))
  }

  /// What the headers are compiled with.
  fileprivate var defines: [String: String] { ["LS_TYPED": biases == nil ? "0" : "1"] }

  /// Which loss, which cells, biases and labels. `spare` stands for a tensor that is not read.
  fileprivate func arguments(heads: Int, spare: Tensor) -> KernelArguments {
    [
      "loss": .int(kind.number), "from_ends": .int(rowSide == .ends ? 1 : 0), "triangular": .int(triangular ? 1 : 0),
      "margin": .int(margin), "biases": .tensor(biases?.panels.tensor ?? spare),
      "bias_scale": .float(biases?.scale ?? 0), "labels": .tensor(labels.cells), "starts": .tensor(labels.starts),
      "backgrounds": .tensor(labels.backgrounds), "types": .int(types(heads: heads)),
    ]
  }
}

/// Labels of cells on the device: a sorted list of those that have one of their own, and what all others are.
package struct CellLabels: Sendable {
  /// `[count, 2]` int32: column and the bits of the label, by row, type and column.
  package var cells: Tensor
  /// `[rows · types + 1]` int32: where the labels of each row and type begin.
  package var starts: Tensor
  /// `[types]`: the label of a cell that has none of its own.
  package var backgrounds: Tensor

  package init(cells: Tensor, starts: Tensor, backgrounds: Tensor) {
    self.cells = cells
    self.starts = starts
    self.backgrounds = backgrounds
  }

  fileprivate func validate(_ name: StaticString, rows: Int, types: Int) throws(EngineError) {
    try require(
      cells.elementType == .int32 && cells.width == 2, name, "the labels must be int32 [count, 2]")
    let count = rows.multipliedClamping(by: types)
    try require(count < indexLimit, name, "\(rows) rows of \(types) types cannot be counted; take fewer at a time")
    try require(starts, holds: count + 1, name, "the starts of the labels", of: .int32)
    try require(backgrounds, holds: types, name, "the backgrounds")
  }
}

/// The epilogue that gathers a loss.
package struct PairLossSums: PairwiseEpilogue {
  package var loss: PairLoss
  /// Scratch `[panels · panel width, types, PairLoss.partialWidth]`.
  package var partials: Tensor

  package init(_ loss: PairLoss, partials: Tensor) {
    self.loss = loss
    self.partials = partials
  }

  package func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
    try loss.validate(for: product, name)
    let rows = product.rowExtent.panelCount(width: product.columns.width) * product.columns.width
    try requirePartials(partials, rows: rows, types: loss.types(heads: product.rows.heads), name)
  }

  package var isStateful: Bool { true }

  package var header: KernelSource { "pairwise/epilogue_loss.clh" }
  package var defines: [String: String] { loss.defines }

  package func arguments(of product: PairwiseProduct) -> KernelArguments {
    loss.arguments(heads: product.rows.heads, spare: partials) + ["partials": .tensor(partials)]
  }

  /// The sums of each row: a row of the scratch holds those of one token, unlike what a kernel leaves there.
  package func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    let cells = try LossCells(loss, of: product, memory)
    let result = try memory.floats(partials)
    for (segment, bounds) in cells.rowBounds.enumerated() {
      for type in 0..<cells.types {
        for i in 0..<bounds.count {
          var largest = (negative: Float(0), positive: Float(0))
          let row = cells.row(segment: segment, type: type, i)
          for cell in row {
            if cell.label < 1 { largest.negative = max(largest.negative, Float(cell.score)) }
            if cell.label > 0 { largest.positive = max(largest.positive, Float(-cell.score)) }
          }
          var (negative, positive, binary) = (0.0, 0.0, 0.0)
          for cell in row {
            if cell.label < 1 { negative += (1 - cell.label) * exp(cell.score - Double(largest.negative)) }
            if cell.label > 0 { positive += cell.label * exp(-cell.score - Double(largest.positive)) }
            binary += max(cell.score, 0) + log1p(exp(-abs(cell.score))) - cell.label * cell.score
          }
          let at = ((bounds.firstPanel * product.columns.width + i) * cells.types + type) * PairLoss.partialWidth
          let values: [Float] =
            loss.kind == .zlpr
            ? [largest.negative, Float(negative), largest.positive, Float(positive)] : [Float(binary), 0, 0, 0]
          for (offset, value) in values.enumerated() { result[at + offset] = value }
        }
      }
    }
  }
}

/// Adds up what ``PairLossSums`` gathered.
package struct MergeLosses: DeviceOperation {
  package var kind: PairLoss.Formula
  package var types: Int
  package var segments: SegmentTable
  package var partials: Tensor
  /// `[segments, types, PairLoss.totalWidth]`: the loss, then for ZLPR the logarithms over negatives and positives.
  package var totals: Tensor

  package init(_ kind: PairLoss.Formula, types: Int, segments: SegmentTable, partials: Tensor, into totals: Tensor) {
    self.kind = kind
    self.types = types
    self.segments = segments
    self.partials = partials
    self.totals = totals
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "merge of losses"
    try require(types > 0, name, "there are no types")
    let rows = segments.segments.panelCount(width: segments.panelWidth) * segments.panelWidth
    try requirePartials(partials, rows: rows, types: types, name)
    try requireTotals(totals, segments: segments.segments.count, types: types, name)
    try require(totals, isNot: partials, name)
    try require(segments.tensor, holds: 4 * segments.segments.count, name, "the segment table", of: .int32)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let sums = try memory.floats(partials)
    let result = try memory.floats(totals)
    let width = segments.panelWidth
    for (segment, bounds) in Extent.ragged(segments).segmentBounds(panelWidth: width).enumerated() {
      for type in 0..<types {
        let rows = (0..<bounds.count).map {
          ((bounds.firstPanel * width + $0) * types + type) * PairLoss.partialWidth
        }
        /// `ln(1 + Σ sum · e^maximum)`
        func logarithm(_ offset: Int) -> Double {
          let largest = rows.reduce(0.0) { max($0, Double(sums[$1 + offset])) }
          let sum = rows.reduce(0.0) {
            $0 + Double(sums[$1 + offset + 1]) * exp(Double(sums[$1 + offset]) - largest)
          }
          return largest > 0 ? largest + log(exp(-largest) + sum) : log1p(sum)
        }
        let total: [Double]
        switch kind {
        case .zlpr:
          let (negative, positive) = (logarithm(0), logarithm(2))
          total = [negative + positive, negative, positive, 0]
        case .binary: total = [rows.reduce(0.0) { $0 + Double(sums[$1]) }, 0, 0, 0]
        }
        let at = (segment * types + type) * PairLoss.totalWidth
        for (offset, value) in total.enumerated() { result[at + offset] = Float(value) }
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "pairwise/merge_losses.cl", "merge_losses", tiles,
        arguments: [
          "partials": .tensor(partials), "segments": .tensor(segments.tensor), "loss": .int(kind.number),
          "types": .int(types), "totals": .tensor(totals),
        ],
        groups: [segments.segments.count * types], groupSize: tiles.rowGroup)
    ]
  }
}

/// The epilogue that differentiates a loss by the vectors of the product's rows, and by their biases.
///
/// The other side's derivatives are those of the product with rows and columns exchanged.
package struct PairLossGradient: PairwiseEpilogue {
  package var loss: PairLoss
  /// What ``MergeLosses`` left.
  package var totals: Tensor
  /// The columns' vectors, row major.
  package var vectors: HeadSlices
  /// What the loss counts for, such as 1 / batch.
  package var weight: Float
  /// Where the derivatives by the rows' vectors go.
  package var gradients: HeadSlices
  /// `[rows, 2 · types]`, starts then ends: the half of the rows' side is written. With biases only.
  package var biasGradients: Tensor?

  package init(
    _ loss: PairLoss, totals: Tensor, vectors: HeadSlices, weight: Float, into gradients: HeadSlices,
    biasGradients: Tensor? = nil
  ) {
    self.loss = loss
    self.totals = totals
    self.vectors = vectors
    self.weight = weight
    self.gradients = gradients
    self.biasGradients = biasGradients
  }

  package func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
    try loss.validate(for: product, name)
    let (heads, channels) = (product.rows.heads, product.rows.channels)
    let types = loss.types(heads: heads)
    try requireTotals(totals, segments: product.rowExtent.matrices, types: types, name)
    try vectors.validate(name, rows: product.columnExtent.rowCount)
    try gradients.validate(name, rows: product.rowExtent.rowCount)
    for slices in [vectors, gradients] {
      try require(
        slices.heads == heads && slices.channels == channels, name,
        "the product has \(heads) heads of \(channels) channels, vectors or gradients \(slices.heads) of \(slices.channels)"
      )
    }
    try require(
      heads == 1 || gradients.headStride >= channels, name, "the gradients of two heads would lie over each other")
    try require(weight.isFinite, name, "the weight must be finite")
    for input in [product.rows.tensor, vectors.tensor, product.columns.tensor, totals] {
      try require(gradients.tensor, isNot: input, name)
    }
    try require(
      (loss.biases == nil) == (biasGradients == nil), name, "gradients of biases are asked for without biases, or not")
    if let biasGradients {
      try require(
        biasGradients, holds: product.rowExtent.rowCount.multipliedClamping(by: 2 * types), name,
        "the gradients of the biases")
      try require(biasGradients, isNot: gradients.tensor, name)
    }
  }

  package var isStateful: Bool { true }

  package var header: KernelSource { "pairwise/epilogue_loss_gradient.clh" }
  package var defines: [String: String] { loss.defines }

  package func arguments(of product: PairwiseProduct) -> KernelArguments {
    loss.arguments(heads: product.rows.heads, spare: gradients.tensor) + [
      "totals": .tensor(totals), "vectors": .tensor(vectors.tensor), "vector_rows": .int(vectors.tensor.rowCount),
      "vector_stride": .int(vectors.tensor.width), "vector_offset": .int(vectors.offset),
      "vector_head_stride": .int(vectors.headStride), "width": .int(vectors.channels),
      "vector_scale": .float(product.scale * weight),
    ] + gradients.arguments("gradients", prefix: "gradient_") + [
      "bias_gradients": .tensor(biasGradients ?? gradients.tensor),
      "row_bias_scale": .float((loss.biases?.scale ?? 0) * weight),
    ]
  }

  package func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    let cells = try LossCells(loss, of: product, memory)
    let sums = try memory.floats(totals)
    let columnVectors = try memory.vectors(vectors)
    let result = try memory.floats(gradients.tensor)
    let biasResult = try biasGradients.map { (tensor) throws(EngineError) in try memory.floats(tensor) }
    let (heads, channels) = (product.rows.heads, product.rows.channels)

    for (segment, bounds) in cells.rowBounds.enumerated() {
      for i in 0..<bounds.count {
        var slopeSums = [[Double]](repeating: [Double](repeating: 0, count: channels), count: heads)
        for type in 0..<cells.types {
          let at = (segment * cells.types + type) * PairLoss.totalWidth
          let head = loss.biases == nil ? type : 0
          var slopes = 0.0
          for cell in cells.row(segment: segment, type: type, i) {
            let slope = loss.kind.slope(cell, negative: Double(sums[at + 1]), positive: Double(sums[at + 2]))
            slopes += slope
            let vector = columnVectors.vector(
              start: bounds.firstRow, index: cell.column, head: head, channels: channels)
            for c in 0..<channels { slopeSums[head][c] += slope * vector[c] }
          }
          if let biasResult, let biases = loss.biases {
            let half = loss.rowSide == .starts ? 0 : cells.types
            biasResult[(bounds.firstRow + i) * 2 * cells.types + half + type] =
              Float(Double(weight) * Double(biases.scale) * slopes)
          }
        }
        for head in 0..<heads {
          let at = (bounds.firstRow + i) * gradients.tensor.width + gradients.offset + head * gradients.headStride
          for c in 0..<channels {
            result[at + c] = Float(Double(weight) * Double(product.scale) * slopeSums[head][c])
          }
        }
      }
    }
  }
}

private func requirePartials(
  _ partials: Tensor, rows: Int, types: Int, _ name: StaticString
) throws(EngineError) {
  let count = rows.multipliedClamping(by: types).multipliedClamping(by: PairLoss.partialWidth)
  try require(partials, holds: count, name, "the scratch of a loss")
}

private func requireTotals(
  _ totals: Tensor, segments: Int, types: Int, _ name: StaticString
) throws(EngineError) {
  let count = segments.multipliedClamping(by: types).multipliedClamping(by: PairLoss.totalWidth)
  try require(totals, holds: count, name, "the totals of a loss")
}

extension PairLoss.Formula {
  /// The derivative by one score.
  fileprivate func slope(_ cell: LossCell, negative: Double, positive: Double) -> Double {
    switch self {
    case .zlpr:
      (cell.label < 1 ? (1 - cell.label) * exp(cell.score - negative) : 0)
        - (cell.label > 0 ? cell.label * exp(-cell.score - positive) : 0)
    case .binary: 1 / (1 + exp(-cell.score)) - cell.label
    }
  }
}

/// A cell that counts.
private struct LossCell {
  let column: Int
  let score: Double
  let label: Double
}

/// The cells of a loss, row by row.
private struct LossCells {
  let rowBounds: [SegmentBounds]
  let types: Int
  private let loss: PairLoss
  private let product: PairwiseProduct
  private let columnBounds: [SegmentBounds]
  private let rows: VectorReader
  private let columns: VectorReader
  private let biases: VectorReader?
  private let labels: UnsafeMutableBufferPointer<Int32>
  private let starts: UnsafeMutableBufferPointer<Int32>
  private let backgrounds: UnsafeMutableBufferPointer<Float>

  init(_ loss: PairLoss, of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    self.loss = loss
    self.product = product
    types = loss.types(heads: product.rows.heads)
    rowBounds = product.rowExtent.segmentBounds(panelWidth: product.columns.width)
    columnBounds = product.columnExtent.segmentBounds(panelWidth: product.columns.width)
    rows = try memory.vectors(product.rows)
    columns = try memory.vectors(product.columns)
    biases = if let biases = loss.biases { try memory.vectors(biases.panels) } else { nil }
    labels = try memory.integers(loss.labels.cells)
    starts = try memory.integers(loss.labels.starts)
    backgrounds = try memory.floats(loss.labels.backgrounds)
  }

  func row(segment: Int, type: Int, _ i: Int) -> [LossCell] {
    let (rowSegment, columnSegment) = (rowBounds[segment], columnBounds[segment])
    guard i >= loss.margin, i < rowSegment.count - loss.margin else { return [] }
    let head = loss.biases == nil ? type : 0
    let channels = product.rows.channels
    let row = rows.vector(start: rowSegment.firstRow, index: i, head: head, channels: channels)
    var own: [Int: Double] = [:]
    let key = (rowSegment.firstRow + i) * types + type
    for at in Int(starts[key])..<Int(starts[key + 1]) {
      own[Int(labels[2 * at])] = Double(Float(bitPattern: UInt32(bitPattern: labels[2 * at + 1])))
    }
    return (loss.margin..<max(loss.margin, columnSegment.count - loss.margin)).compactMap { j in
      let (start, end) = loss.rowSide == .starts ? (i, j) : (j, i)
      guard !loss.triangular || start <= end else { return nil }
      let column = columns.vector(start: columnSegment.firstPanel, index: j, head: head, channels: channels)
      var score = Double(product.scale) * dot(row, column)
      if let biases, let description = loss.biases {
        let panel = rowSegment.firstPanel
        score +=
          Double(description.scale)
          * (biases.vector(start: panel, index: start, head: 0, channels: 2 * types)[type]
            + biases.vector(start: panel, index: end, head: 0, channels: 2 * types)[types + type])
      }
      return LossCell(column: j, score: score, label: own[j] ?? Double(backgrounds[type]))
    }
  }
}
