internal import Engine

extension PairLossSums {
  func binding(for product: PairwiseProduct) -> EpilogueBinding {
    EpilogueBinding(
      defines: loss.defines.merging(["PW_EPILOGUE": 5]) { $1 },
      arguments: loss.arguments(heads: product.rows.heads, spare: partials) + [.tensor(partials)])
  }
}

extension PairLossGradient {
  func binding(for product: PairwiseProduct) -> EpilogueBinding {
    EpilogueBinding(
      defines: loss.defines.merging(["PW_EPILOGUE": 6]) { $1 },
      arguments: loss.arguments(heads: product.rows.heads, spare: gradients.tensor) + [
        .tensor(totals), .tensor(vectors.tensor), .int(vectors.tensor.rowCount), .int(vectors.tensor.width),
        .int(vectors.offset), .int(vectors.headStride), .int(vectors.channels), .float(product.scale * weight),
        .tensor(gradients.tensor), .int(gradients.tensor.width), .int(gradients.offset), .int(gradients.headStride),
        .tensor(biasGradients ?? gradients.tensor), .float((loss.biases?.scale ?? 0) * weight),
      ])
  }
}

extension PairLoss {
  fileprivate var defines: [String: Int] { ["LS_TYPED": biases == nil ? 0 : 1] }

  /// Which loss, which cells, biases and labels. `spare` stands for a tensor that is not read.
  fileprivate func arguments(heads: Int, spare: Tensor) -> [KernelLaunch.Argument] {
    [
      .int(kind.number), .int(rowSide == .ends ? 1 : 0), .int(triangular ? 1 : 0), .int(margin),
      .tensor(biases?.panels.tensor ?? spare), .float(biases?.scale ?? 0), .tensor(labels.cells),
      .tensor(labels.starts), .tensor(labels.backgrounds), .int(types(heads: heads)),
    ]
  }
}

extension PairLoss.Kind {
  /// As in `Kernels/pairwise/loss.clh`.
  fileprivate var number: Int { self == .zlpr ? 0 : 1 }
}

extension MergeLosses {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "pairwise/merge_losses.cl", entry: "merge_losses", defines: shape.defines),
      arguments: [
        .tensor(partials), .tensor(segments.tensor), .int(kind.number), .int(types), .tensor(totals),
      ],
      groups: [1, types, segments.segments.count], groupSize: shape.rowGroup)
  }
}

extension RowLoss {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "training/row_loss.cl", entry: "row_loss", defines: shape.defines),
      arguments: [.tensor(logits), .tensor(labels), .int(classes), .tensor(losses), .tensor(gradient)],
      groups: [1, rows, 1], groupSize: shape.rowGroup)
  }
}
