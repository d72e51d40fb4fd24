package import Engine

/// The columns of a step's row of numbers, as `Kernels/common/coefficients.clh` names them.
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

/// The rows a batch takes from a table on the device: sample `b` takes row `first + b · stride`. A whole trajectory's
/// rows are uploaded once, and each step names its own.
package struct CoefficientRows: Sendable {
  /// `[rows, 32]` float32
  package var table: Tensor
  /// The row of sample 0.
  package var first: Int
  /// 0: all samples share a row; 1: each has its own.
  package var stride: Int

  package init(_ table: Tensor, first: Int = 0, perSample: Bool = false) {
    self.table = table
    self.first = first
    stride = perSample ? 1 : 0
  }

  package func validate(_ name: StaticString, samples: Int) throws(EngineError) {
    try require(
      table.width == CoefficientRow.width, name,
      "coefficients have \(CoefficientRow.width) columns, not \(table.width)")
    try require(first >= 0 && stride >= 0, name, "the coefficients' row \(first) or stride \(stride) is negative")
    let (last, overflow) = stride.multipliedReportingOverflow(by: samples - 1)
    try require(
      !overflow && last <= indexLimit && first < table.rowCount - last, name,
      "\(samples) samples from row \(first) every \(stride) do not fit a table of \(table.rowCount)")
    try require(table, holds: CoefficientRow.width, name, "the table of coefficients")
  }

  /// A kernel's parameters for the rows.
  package func arguments(
    table name: String = "table", first firstName: String = "first_row", stride strideName: String = "row_stride"
  ) -> KernelArguments {
    [name: .tensor(table), firstName: .int(first), strideName: .int(stride)]
  }

  /// Reads a sample's row.
  package func reader(_ memory: HostMemory) throws(EngineError) -> (_ sample: Int) -> (CoefficientColumn) -> Double {
    let elements = try memory.floats(table)
    return { sample in
      let start = (first + sample * stride) * CoefficientRow.width
      return { Double(elements[start + $0.rawValue]) }
    }
  }
}
