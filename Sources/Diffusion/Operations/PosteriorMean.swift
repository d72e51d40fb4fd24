package import Engine
internal import Foundation
package import Networks

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
  package var operations: [any DeviceOperation] {
    [
      PairwiseProduct(
        rows: samples, columns: mixture.columns, rowExtent: .whole(rows), columnExtent: .ragged(mixture.chunks),
        epilogue: MixtureAverage(mixture: mixture, levels: levels, partials: partials)),
      MergeAverages(samples, rows: rows, mixture: mixture, levels: levels, partials: partials, into: out),
    ]
  }
}

/// The averages of a mixture's chunks as an epilogue: for each row and chunk the largest logit, the sum of the weights
/// relative to it, and the weighted sum of the means. What all logits of a group share is left out.
package struct MixtureAverage: PairwiseEpilogue {
  package var mixture: Mixture
  package var levels: CoefficientRows
  /// `[rows, chunks, Mixture.partialWidth(channels)]`
  package var partials: Tensor

  package init(mixture: Mixture, levels: CoefficientRows, partials: Tensor) {
    self.mixture = mixture
    self.levels = levels
    self.partials = partials
  }

  package func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
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

  package var takesChunks: Bool { true }
  package var isStateful: Bool { true }

  package var header: KernelSource { "pairwise/epilogue_average.clh" }

  package var defines: [String: String] {
    // Few channels fill one vector: a second would be all padding.
    mixture.channels <= 16 ? ["PW_SUM_VECTORS": "1"] : [:]
  }

  package func arguments(of product: PairwiseProduct) -> KernelArguments {
    [
      "values": .tensor(mixture.means), "value_rows": .int(mixture.components), "width": .int(mixture.channels),
      "terms": .tensor(mixture.terms.tensor), "variances": .tensor(mixture.variances),
    ] + levels.arguments(table: "levels", first: "level_row", stride: "level_stride") + ["partials": .tensor(partials)]
  }

  /// The averages over each chunk of the mixture.
  package func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    let channels = mixture.channels
    let rows = try memory.vectors(product.rows)
    let columns = try memory.vectors(mixture.columns)
    let terms = try memory.vectors(mixture.terms)
    let means = try memory.vectors(HeadSlices(mixture.means, channels: channels))
    let variances = try memory.floats(mixture.variances)
    let levelRow = try levels.reader(memory)
    let result = try memory.floats(partials)
    let width = Mixture.partialWidth(channels: channels)

    for (chunk, bounds) in Extent.ragged(mixture.chunks).segmentBounds(panelWidth: mixture.columns.width).enumerated() {
      for i in 0..<product.rowExtent.rowCount {
        let x = rows.vector(start: 0, index: i, head: 0, channels: channels)
        let level = levelRow(i)
        let (alpha, sigma) = (level(.alpha), level(.sigma))
        let v = spread(Double(variances[chunk]), alpha: alpha, sigma: sigma)
        let logits = (0..<bounds.count).map { j in
          let term = terms.vector(start: bounds.firstPanel, index: j, head: 0, channels: 2)
          let column = columns.vector(start: bounds.firstPanel, index: j, head: 0, channels: channels)
          return alpha / v * (dot(x, column) - alpha / 2 * term[0]) + term[1]
        }
        let maximum = max(-Double(Float.greatestFiniteMagnitude), logits.reduce(-.infinity, max))
        var sum = 0.0
        var mean = [Double](repeating: 0, count: channels)
        for j in 0..<bounds.count {
          let weight = exp(logits[j] - maximum)
          guard weight > 0 else { continue }
          sum += weight
          let vector = means.vector(start: bounds.firstRow, index: j, head: 0, channels: channels)
          for c in 0..<channels { mean[c] += weight * vector[c] }
        }
        let at = (i * mixture.chunkCount + chunk) * width
        result[at] = Float(maximum)
        result[at + 1] = Float(sum)
        // What the float left of the maximum: the reference alone reads what it writes.
        result[at + 2] = Float(maximum - Double(Float(maximum)))
        for c in 0..<channels { result[at + 16 + c] = Float(mean[c]) }
      }
    }
  }
}

/// Brings the averages of all chunks together: the posterior mean.
package struct MergeAverages: DeviceOperation {
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

  package func validate() throws(EngineError) {
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

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let channels = mixture.channels
    let vectors = try memory.vectors(samples)
    let variances = try memory.floats(mixture.variances)
    let levelRow = try levels.reader(memory)
    let averages = try memory.floats(partials)
    let result = try memory.floats(out)
    let width = Mixture.partialWidth(channels: channels)

    for i in 0..<rows {
      let x = vectors.vector(start: 0, index: i, head: 0, channels: channels)
      let level = levelRow(i)
      let (alpha, sigma) = (level(.alpha), level(.sigma))
      let chunks = (0..<mixture.chunkCount).map { (i * mixture.chunkCount + $0) * width }
      let spreads = chunks.indices.map { spread(Double(variances[$0]), alpha: alpha, sigma: sigma) }
      let logs = chunks.indices.map { c in
        Double(averages[chunks[c]]) + Double(averages[chunks[c] + 2]) - Double(channels) / 2 * log(spreads[c])
          - dot(x, x) / (2 * spreads[c])
      }
      let largest = logs.reduce(-.infinity, max)
      var total = 0.0
      var mean = [Double](repeating: 0, count: channels)
      for (c, at) in chunks.enumerated() {
        let share = exp(logs[c] - largest)
        let sum = Double(averages[at + 1])
        let gain = alpha * Double(variances[c]) / spreads[c]
        total += share * sum
        for k in 0..<channels {
          mean[k] += share * ((1 - alpha * gain) * Double(averages[at + 16 + k]) + gain * sum * x[k])
        }
      }
      for k in 0..<channels { result[i * channels + k] = Float(mean[k] / total) }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "pairwise/merge_averages.cl", "merge_averages", tiles,
        arguments: [
          "rows": .tensor(samples.tensor), "row_stride": .int(samples.tensor.width), "row_offset": .int(samples.offset),
          "partials": .tensor(partials), "chunks": .int(mixture.chunkCount), "variances": .tensor(mixture.variances),
        ] + levels.arguments(table: "levels", first: "level_row", stride: "level_stride") + [
          "out": .tensor(out), "width": .int(mixture.channels),
        ],
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}

/// The variance of `α x0 + σ ε` about a component; with the least noise of the kernels.
private func spread(_ variance: Double, alpha: Double, sigma: Double) -> Double {
  alpha * alpha * variance + max(sigma * sigma, 1e-20)
}

private func requirePartials(
  _ partials: Tensor, rows: Int, _ mixture: Mixture, _ name: StaticString
) throws(EngineError) {
  let count = rows.multipliedClamping(by: mixture.chunkCount)
    .multipliedClamping(by: Mixture.partialWidth(channels: mixture.channels))
  try require(partials, holds: count, name, "the scratch of averages")
}
