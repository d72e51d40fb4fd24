import Foundation
import Weft

/// An epilogue that turns inner products into the Gaussian kernel: `out[i, j] = exp(-gamma · |x_i - y_j|²)`, of one set of
/// rows and one of columns. The distances are never stored.
struct GaussianKernel: PairwiseEpilogue {
  var gamma: Float
  /// `[rows]`: |x_i|²
  var rowSquares: Tensor
  /// `[columns]`: |y_j|²
  var columnSquares: Tensor
  /// `[rows, columns]`
  var out: Tensor

  var header: KernelSource {
    KernelSource(name: "gaussian_kernel.clh", text: String(decoding: PackageResources.gaussian_kernel_clh, as: UTF8.self))
  }

  func validate(for product: PairwiseProduct) throws(EngineError) {
    func require(_ condition: Bool, _ problem: String) throws(EngineError) {
      if !condition { throw EngineError(.invalidOperation, "Gaussian kernel: \(problem)") }
    }
    let (rows, columns) = (product.rowExtent.rowCount, product.columnExtent.rowCount)
    try require(product.rowExtent.table == nil && product.rows.heads == 1, "rows and columns must be whole, of one head")
    try require(product.scale == 1, "the scale of the product is 1")
    try require(rowSquares.count >= rows && columnSquares.count >= columns, "squares are missing")
    try require(out.rowCount >= rows && out.width == columns, "\(rows) × \(columns) do not fit \(out.shape)")
    try require(gamma >= 0 && gamma.isFinite, "gamma must be finite and not negative")
  }

  func arguments(of product: PairwiseProduct) -> KernelArguments {
    [
      "out": .tensor(out), "out_stride": .int(out.width), "row_squares": .tensor(rowSquares),
      "column_squares": .tensor(columnSquares), "gamma": .float(gamma),
    ]
  }

  func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    let (rows, columns) = (try memory.floats(rowSquares), try memory.floats(columnSquares))
    let result = try memory.floats(out)
    try product.forEachCell(memory) { cell in
      let distance = max(0, Double(rows[cell.row]) + Double(columns[cell.column]) - 2 * cell.score)
      result[cell.row * out.width + cell.column] = Float(exp(-Double(gamma) * distance))
    }
  }
}
