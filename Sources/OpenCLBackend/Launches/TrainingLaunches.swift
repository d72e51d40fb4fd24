internal import Engine

extension TileShape {
  /// Columns that a group sums, see `Kernels/training/column_sum.cl`.
  fileprivate var summedColumns: Int { variant == .cpu ? 4 * 16 : 64 * 4 }
}

extension PackTransposed {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "training/pack_transposed.cl", entry: "pack_transposed", defines: shape.defines),
      arguments: [
        .tensor(source.tensor), .int(source.tensor.width), .int(source.offset), .int(columns), .tensor(panels.tensor),
      ],
      groups: [1, rows, 1], groupSize: shape.rowGroup)
  }
}

extension WeightGradient {
  func launch(_ shape: TileShape) -> KernelLaunch {
    // As in a dense layer, row tiles run fastest over one panel.
    pairwiseLaunch(
      shape, rows: gradient, columns: input, rowExtent: .whole(outputs), columnExtent: .whole(inputs), scale: 1,
      panelsPerItem: 1,
      binding: EpilogueBinding(
        defines: ["PW_EPILOGUE": 0, "PW_TRANSPOSED_ROWS": 1],
        arguments: [.tensor(out), .int(outputs), .int(inputs)]))
  }
}

extension ColumnSum {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "training/column_sum.cl", entry: "column_sum", defines: shape.defines),
      arguments: [
        .tensor(source.tensor), .int(source.tensor.width), .int(source.offset), .int(rows), .int(columns), .tensor(out),
      ],
      groups: [ceilingDivide(columns, shape.summedColumns), 1, 1], groupSize: shape.rowGroup)
  }
}
