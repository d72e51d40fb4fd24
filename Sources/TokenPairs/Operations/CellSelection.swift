package import Engine

/// The epilogue that keeps the cells above a threshold, in a list; with biases, for each of several types that share one
/// product.
package struct CellSelection: PairwiseEpilogue {
  /// `[segments]`: a cell of a segment is kept if its score is greater.
  package var thresholds: Tensor
  /// Keep only cells with row ≤ column.
  package var triangular: Bool
  /// Rows and columns nearer than this to either end of their segment are left out: 1 drops a sentence's marks.
  package var margin: Int
  /// The list: `[capacity, 4]` int32 of matrix, row, column, and the score's bits, in any order.
  package var cells: Tensor
  /// `[1 + segments]` int32: how many cells passed (unsigned), of all segments and of each, also when the list was too
  /// short for all of them. Set to 0 first.
  package var found: Tensor
  /// Of types that share the product.
  package var biases: TypeBiases?

  package init(
    thresholds: Tensor, triangular: Bool, margin: Int, cells: Tensor, found: Tensor, biases: TypeBiases? = nil
  ) {
    self.thresholds = thresholds
    self.triangular = triangular
    self.margin = margin
    self.cells = cells
    self.found = found
    self.biases = biases
  }

  package var capacity: Int { cells.count / 4 }

  package func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
    let segments = product.rowExtent.matrices
    let possibleCells = product.cellCount.multipliedClamping(by: biases?.types ?? 1)
    try require(
      possibleCells <= Int(UInt32.max), name,
      "\(possibleCells) cells in one pass cannot be counted in 32 bits; take fewer rows at a time")
    try require(thresholds, holds: segments, name, "the thresholds")
    try require(margin >= 0, name, "the margin is negative")
    try require(
      cells.elementType == .int32 && cells.width == 4 && capacity <= indexLimit, name,
      "the list of cells must be int32 [capacity, 4]")
    try require(found, holds: 1 + segments, name, "the counts", of: .int32)
    try biases?.validate(for: product, name)
  }

  package var isOrdered: Bool { false }

  package var header: KernelSource {
    biases == nil ? "pairwise/epilogue_threshold.clh" : "pairwise/epilogue_typed_threshold.clh"
  }

  package var followsPrecision: Bool { true }

  package func arguments(of product: PairwiseProduct) -> KernelArguments {
    let own: KernelArguments = [
      "thresholds": .tensor(thresholds), "triangular": .int(triangular ? 1 : 0), "margin": .int(margin),
      "capacity": .int(capacity), "cells": .tensor(cells), "found": .tensor(found),
    ]
    guard let biases else { return own }
    return [
      "biases": .tensor(biases.panels.tensor), "peaks": .tensor(biases.peaks), "types": .int(biases.types),
      "bias_scale": .float(biases.scale),
    ] + own
  }

  package func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    let list = try memory.integers(cells)
    let counts = try memory.integers(found)
    let bounds = try memory.floats(thresholds)
    let biasVectors = try biases.map { (biases) throws(EngineError) in try memory.vectors(biases.panels) }

    func keep(_ score: Double, matrix: Int, _ cell: ScoredCell) {
      let (i, j) = (cell.row, cell.column)
      guard Float(score) > bounds[cell.segment], !triangular || i <= j, i >= margin, i < cell.rows.count - margin,
        j >= margin, j < cell.columns.count - margin
      else { return }
      let slot = Int(UInt32(bitPattern: counts[0]))
      counts[0] &+= 1
      counts[1 + cell.segment] &+= 1
      guard slot < capacity else { return }
      list[4 * slot] = Int32(matrix)
      list[4 * slot + 1] = Int32(i)
      list[4 * slot + 2] = Int32(j)
      list[4 * slot + 3] = Int32(bitPattern: Float(score).bitPattern)
    }

    try product.forEachCell(memory) { cell in
      guard let biases, let biasVectors else { return keep(cell.score, matrix: cell.matrix, cell) }
      let channels = 2 * biases.types
      let start = biasVectors.vector(start: cell.rows.firstPanel, index: cell.row, head: 0, channels: channels)
      let end = biasVectors.vector(start: cell.columns.firstPanel, index: cell.column, head: 0, channels: channels)
      for type in 0..<biases.types {
        let score = cell.score + Double(biases.scale) * (start[type] + end[biases.types + type])
        keep(score, matrix: cell.matrix * biases.types + type, cell)
      }
    }
  }
}

/// Start and end biases that tell the types of an efficient head apart:
/// `score[a, i, j] = product[i, j] + scale · S[a, i] + scale · E[a, j]` (Su, "Efficient GlobalPointer", 2022).
package struct TypeBiases: Sendable {
  /// One head of `2 · types` channels: S, then E.
  package var panels: Panels
  /// The greatest biases of neighbours (``PackColumns/peaks``): bounds that most cells are left out by.
  package var peaks: Tensor
  package var types: Int
  package var scale: Float

  package init(panels: Panels, peaks: Tensor, types: Int, scale: Float) {
    self.panels = panels
    self.peaks = peaks
    self.types = types
    self.scale = scale
  }

  /// Adds the packing of biases, one head of `2 · types` channels: start biases, then end biases.
  package init(
    packing values: HeadSlices, extent: Extent, types: Int, scale: Float, on engine: Engine,
    in submission: inout Submission
  ) throws(EngineError) {
    panels = try engine.makePanels(for: extent, channels: values.channels)
    peaks = try engine.makeTensor(.float32, panels.tensor.count / PackColumns.run)
    self.types = types
    self.scale = scale
    try submission.append(PackColumns(values, extent: extent, into: panels, peaks: peaks))
  }

  package func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    try require(types > 0 && scale >= 0 && scale.isFinite, name, "types and bias scale must be positive")
    try require(
      panels.heads == 1 && panels.channels == 2 * types && panels.width == product.columns.width, name,
      "the biases must be one head of \(2 * types) channels in panels of \(product.columns.width)")
    try require(product.rows.heads == 1, name, "types share one product: the rows must have one head")
    try require(
      product.rowExtent.table?.segments == product.columnExtent.table?.segments
        && product.rowExtent.rowCount == product.columnExtent.rowCount, name,
      "biases belong to the same tokens on both sides")
    try panels.requirePanels(of: product.columnExtent, name)
    try require(peaks, holds: panels.tensor.count / PackColumns.run, name, "the greatest biases")
  }
}
