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
  package enum Kind: Sendable, Hashable, CaseIterable {
    case zlpr
    case binary
  }

  /// Whose vectors the rows of the product are. The cells are the same: what is row of one is column of the other.
  package enum RowSide: Sendable, Hashable {
    case starts
    case ends
  }

  package var kind: Kind
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
    _ kind: Kind, rowSide: RowSide, triangular: Bool, margin: Int, labels: CellLabels, biases: TypeBiases?
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

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    guard let rows = product.rowExtent.table, let columns = product.columnExtent.table else {
      throw EngineError(.invalidOperation, "\(name): the rows of a loss over token pairs must be ragged")
    }
    try require(
      rows.segments == columns.segments, name, "cells of a loss pair the tokens of one segment: both sides must agree")
    try require(margin >= 0, name, "the margin is negative")
    try biases?.validate(for: product, name)
    try labels.validate(name, rows: product.rowExtent.rowCount, types: types(heads: product.rows.heads))
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

  func validate(_ name: StaticString, rows: Int, types: Int) throws(EngineError) {
    try require(
      cells.elementType == .int32 && cells.width == 2, name, "the labels must be int32 [count, 2]")
    let count = rows.multipliedClamping(by: types)
    try require(count < indexLimit, name, "\(rows) rows of \(types) types cannot be counted; take fewer at a time")
    try require(starts, holds: count + 1, name, "the starts of the labels", of: .int32)
    try require(backgrounds, holds: types, name, "the backgrounds")
  }
}

/// The epilogue that gathers a loss.
package struct PairLossSums: Sendable {
  package var loss: PairLoss
  /// Scratch `[panels · panel width, types, PairLoss.partialWidth]`.
  package var partials: Tensor

  package init(_ loss: PairLoss, partials: Tensor) {
    self.loss = loss
    self.partials = partials
  }

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    try loss.validate(for: product, name)
    let rows = product.rowExtent.panelCount(width: product.columns.width) * product.columns.width
    try requirePartials(partials, rows: rows, types: loss.types(heads: product.rows.heads), name)
  }
}

/// Adds up what ``PairLossSums`` gathered.
package struct MergeLosses: Sendable {
  package var kind: PairLoss.Kind
  package var types: Int
  package var segments: SegmentTable
  package var partials: Tensor
  /// `[segments, types, PairLoss.totalWidth]`: the loss, then for ZLPR the logarithms over negatives and positives.
  package var totals: Tensor

  package init(_ kind: PairLoss.Kind, types: Int, segments: SegmentTable, partials: Tensor, into totals: Tensor) {
    self.kind = kind
    self.types = types
    self.segments = segments
    self.partials = partials
    self.totals = totals
  }

  func validate() throws(EngineError) {
    let name: StaticString = "merge of losses"
    try require(types > 0, name, "there are no types")
    let rows = segments.segments.panelCount(width: segments.panelWidth) * segments.panelWidth
    try requirePartials(partials, rows: rows, types: types, name)
    try requireTotals(totals, segments: segments.segments.count, types: types, name)
    try require(totals, isNot: partials, name)
    try require(segments.tensor, holds: 4 * segments.segments.count, name, "the segment table", of: .int32)
  }
}

/// The epilogue that differentiates a loss by the vectors of the product's rows, and by their biases.
///
/// The other side's derivatives are those of the product with rows and columns exchanged.
package struct PairLossGradient: Sendable {
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

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
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
