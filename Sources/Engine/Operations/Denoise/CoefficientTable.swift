/// The columns of a step's row of numbers, as `Kernels/denoise/coefficients.clh` names them.
package enum CoefficientColumn: Int, Sendable {
  /// `x0 = clip(p · x + q · o)`
  case x0FromSample = 0
  case x0FromOutput
  /// `ε = epsilonFromSample · x + epsilonFromOutput · o`
  case epsilonFromSample
  case epsilonFromOutput
  /// `x' = A · x + B0 · x0 + E · ε + Σ history + C · z`
  case sample
  case x0
  case epsilon
  case noise
  case history0
  case history1
  case history2
  /// x0 is clipped to ± this; with dynamic thresholds it is their maximum.
  case limit
  /// The level of x: `x = alpha · x0 + sigma · ε`.
  case alpha
  case sigma
  /// What a network is told.
  case time
  /// What a network's input is multiplied by.
  case inputScale
  /// The noise variance's own three numbers, see `NoiseVariance`.
  case variance0
  case variance1
  case variance2
}

/// One step's numbers.
package struct CoefficientRow: Sendable, Hashable {
  /// Columns of a row; the last ones are spare.
  package static let width = 32

  package private(set) var elements = [Float](repeating: 0, count: width)

  package init() {}

  package subscript(_ column: CoefficientColumn) -> Float {
    get { elements[column.rawValue] }
    set { elements[column.rawValue] = newValue }
  }
}

/// The rows a batch takes from a table on the device: sample `b` takes row `first + b · stride`.
package struct CoefficientRows: Sendable {
  /// `[rows, 32]`
  package let table: Tensor
  package let first: Int
  /// 0: all samples share a row; 1: each has its own.
  package let stride: Int

  package init(_ table: Tensor, first: Int, perSample: Bool = false) {
    self.table = table
    self.first = first
    stride = perSample ? 1 : 0
  }

  func validate(_ name: StaticString, samples: Int) throws(EngineError) {
    try require(
      table.elementType == .float32 && table.width == CoefficientRow.width, name,
      "the coefficients must be float32 rows of \(CoefficientRow.width)")
    try require(
      first >= 0 && first + (samples - 1) * stride < table.rowCount, name,
      "row \(first + (samples - 1) * stride) is asked of a table of \(table.rowCount) rows")
  }
}
