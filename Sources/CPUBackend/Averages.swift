internal import Engine
internal import Foundation

extension CPUBackend {
  /// The averages over each chunk of a mixture.
  static func average(_ average: MixtureAverage, of product: PairwiseProduct) throws(EngineError) {
    let mixture = average.mixture
    let channels = mixture.channels
    let rows = try VectorReader(product.rows)
    let columns = try VectorReader(mixture.columns)
    let terms = try VectorReader(mixture.terms)
    let means = try VectorReader(HeadSlices(mixture.means, channels: channels))
    let variances = try floats(mixture.variances)
    let levels = try CoefficientReader(average.levels)
    let partials = try floats(average.partials)
    let width = Mixture.partialWidth(channels: channels)

    for (chunk, place) in SegmentPlace.all(of: .ragged(mixture.chunks), panelWidth: mixture.columns.width).enumerated()
    {
      for i in 0..<product.rowExtent.rowCount {
        let x = rows.vector(start: 0, index: i, head: 0, channels: channels)
        let level = levels.row(of: i)
        let (alpha, sigma) = (level(.alpha), level(.sigma))
        let v = variance(Double(variances[chunk]), alpha: alpha, sigma: sigma)
        let logits = (0..<place.count).map { j in
          let term = terms.vector(start: place.firstPanel, index: j, head: 0, channels: 2)
          let column = columns.vector(start: place.firstPanel, index: j, head: 0, channels: channels)
          return alpha / v * (dot(x, column) - alpha / 2 * term[0]) + term[1]
        }
        let maximum = max(-Double(Float.greatestFiniteMagnitude), logits.reduce(-.infinity, max))
        var sum = 0.0
        var mean = [Double](repeating: 0, count: channels)
        for j in 0..<place.count {
          let weight = exp(logits[j] - maximum)
          guard weight > 0 else { continue }
          sum += weight
          let vector = means.vector(start: place.firstRow, index: j, head: 0, channels: channels)
          for c in 0..<channels { mean[c] += weight * vector[c] }
        }
        let at = (i * mixture.chunkCount + chunk) * width
        partials[at] = Float(maximum)
        partials[at + 1] = Float(sum)
        // What the float left of the maximum: this backend alone reads what it writes.
        partials[at + 2] = Float(maximum - Double(Float(maximum)))
        for c in 0..<channels { partials[at + 16 + c] = Float(mean[c]) }
      }
    }
  }

  static func mergeAverages(_ operation: MergeAverages) throws(EngineError) {
    let mixture = operation.mixture
    let channels = mixture.channels
    let samples = try VectorReader(operation.samples)
    let variances = try floats(mixture.variances)
    let levels = try CoefficientReader(operation.levels)
    let partials = try floats(operation.partials)
    let out = try floats(operation.out)
    let width = Mixture.partialWidth(channels: channels)

    for i in 0..<operation.rows {
      let x = samples.vector(start: 0, index: i, head: 0, channels: channels)
      let level = levels.row(of: i)
      let (alpha, sigma) = (level(.alpha), level(.sigma))
      let chunks = (0..<mixture.chunkCount).map { (i * mixture.chunkCount + $0) * width }
      let spreads = chunks.indices.map { variance(Double(variances[$0]), alpha: alpha, sigma: sigma) }
      let logs = chunks.indices.map { c in
        Double(partials[chunks[c]]) + Double(partials[chunks[c] + 2]) - Double(channels) / 2 * log(spreads[c]) - dot(
          x, x) / (2 * spreads[c])
      }
      let largest = logs.reduce(-.infinity, max)
      var total = 0.0
      var result = [Double](repeating: 0, count: channels)
      for (c, at) in chunks.enumerated() {
        let share = exp(logs[c] - largest)
        let sum = Double(partials[at + 1])
        let gain = alpha * Double(variances[c]) / spreads[c]
        total += share * sum
        for k in 0..<channels {
          result[k] += share * ((1 - alpha * gain) * Double(partials[at + 16 + k]) + gain * sum * x[k])
        }
      }
      for k in 0..<channels { out[i * channels + k] = Float(result[k] / total) }
    }
  }

  /// The variance of `α x0 + σ ε` about a component; with the least noise of the kernels.
  private static func variance(_ variance: Double, alpha: Double, sigma: Double) -> Double {
    alpha * alpha * variance + max(sigma * sigma, 1e-20)
  }
}
