/// The exact denoiser of a Gaussian mixture, or of a data set (variance 0): the mean of `x0` given `x = α x0 + σ ε`.
///
///     v = α² s² + σ²        p_k ∝ w_k · N(x; α μ_k, v)        out = Σ_k p_k (μ_k + α s² / v · (x - α μ_k))
///
/// Nothing of the size samples × components is stored. Two operations: averages over the chunks of the mixture, then
/// their merge. Inner products are in float32, so logits err by about 2⁻²⁴ · α (|x||μ| + α|μ|²) / v: data should be
/// centred, and at very small σ only components at nearly the same distance are confused.
package struct PosteriorMean: Sendable {
  /// `[rows, channels]`
  package var samples: HeadSlices
  package var rows: Int
  package var mixture: Mixture
  package var levels: CoefficientRows
  /// Scratch `[rows, chunks, Mixture.partialWidth(channels)]`.
  package var partials: Tensor
  /// `[rows, channels]`
  package var out: Tensor

  package init(
    _ samples: HeadSlices, rows: Int, mixture: Mixture, levels: CoefficientRows, partials: Tensor, into out: Tensor
  ) {
    self.samples = samples
    self.rows = rows
    self.mixture = mixture
    self.levels = levels
    self.partials = partials
    self.out = out
  }

  /// What a submission runs, in order.
  package var operations: [Operation] {
    [
      .pairwise(
        PairwiseProduct(
          rows: samples, columns: mixture.columns, rowExtent: .whole(rows), columnExtent: .ragged(mixture.chunks),
          epilogue: .average(MixtureAverage(mixture: mixture, levels: levels, partials: partials)))),
      .mergeAverages(
        MergeAverages(samples, rows: rows, mixture: mixture, levels: levels, partials: partials, into: out)),
    ]
  }
}

/// The averages of a mixture's chunks as an epilogue: for each row and chunk the largest logit, the sum of the weights
/// relative to it, and the weighted sum of the means. What all logits of a group share is left out.
package struct MixtureAverage: Sendable {
  package var mixture: Mixture
  package var levels: CoefficientRows
  /// `[rows, chunks, Mixture.partialWidth(channels)]`
  package var partials: Tensor

  package init(mixture: Mixture, levels: CoefficientRows, partials: Tensor) {
    self.mixture = mixture
    self.levels = levels
    self.partials = partials
  }

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    try mixture.validate(name)
    try require(product.rowExtent.table == nil, name, "rows that meet every chunk cannot be ragged")
    try require(
      product.columnExtent.table?.segments == mixture.chunks.segments
        && product.columnExtent.table?.tensor.storage === mixture.chunks.tensor.storage
        && product.columns.tensor.storage === mixture.columns.tensor.storage
        && product.columns.channels == mixture.channels, name, "the columns are not the mixture's")
    try require(product.scale == 1, name, "the scale of an average is 1")
    let rows = product.rowExtent.rowCount
    try levels.validate(name, samples: rows)
    try requirePartials(partials, rows: rows, mixture, name)
    for input in mixture.inputs + [product.rows.tensor, levels.table] { try require(partials, isNot: input, name) }
  }
}

/// Brings the averages of all chunks together: the posterior mean.
package struct MergeAverages: Sendable {
  /// The samples that were averaged for.
  package var samples: HeadSlices
  package var rows: Int
  package var mixture: Mixture
  package var levels: CoefficientRows
  /// What the epilogue left.
  package var partials: Tensor
  /// `[rows, channels]`
  package var out: Tensor

  package init(
    _ samples: HeadSlices, rows: Int, mixture: Mixture, levels: CoefficientRows, partials: Tensor, into out: Tensor
  ) {
    self.samples = samples
    self.rows = rows
    self.mixture = mixture
    self.levels = levels
    self.partials = partials
    self.out = out
  }

  func validate() throws(EngineError) {
    let name: StaticString = "merge of averages"
    try samples.validate(name, rows: rows)
    try mixture.validate(name)
    try require(
      samples.heads == 1 && samples.channels == mixture.channels, name,
      "samples have \(samples.heads) heads of \(samples.channels) channels, the mixture one of \(mixture.channels)")
    try levels.validate(name, samples: rows)
    try requirePartials(partials, rows: rows, mixture, name)
    try require(out, holds: rows * mixture.channels, name, "the result")
    for input in mixture.inputs + [samples.tensor, levels.table, partials] { try require(out, isNot: input, name) }
  }
}

private func requirePartials(
  _ partials: Tensor, rows: Int, _ mixture: Mixture, _ name: StaticString
) throws(EngineError) {
  let count = rows.multipliedClamping(by: mixture.chunkCount)
    .multipliedClamping(by: Mixture.partialWidth(channels: mixture.channels))
  try require(partials, holds: count, name, "the scratch of averages")
}
