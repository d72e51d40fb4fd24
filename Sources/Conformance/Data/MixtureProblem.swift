internal import Diffusion
internal import Engine
internal import Foundation
internal import Networks

/// The exact denoiser of a mixture: components in groups of one variance, samples at noise levels from a table.
struct MixtureProblem: Sendable {
  /// What is wanted of the result where float32 cannot decide between components.
  enum Certainty: Sendable {
    /// Logits err, and the result with them.
    case estimated
    /// One component (or equal ones) is so much nearer than others that no error of a logit matters.
    case nearest
  }

  var groups: [MixtureGroup]
  var channels: Int
  /// α and σ: one pair for all samples, or one for each.
  var levels: [(alpha: Float, sigma: Float)]
  var certainty = Certainty.estimated
  var means: [Float]
  var logWeights: [Float]
  /// Samples between poisoned channels.
  var samples: VectorSet

  /// Means uniform in -1 ... 1, samples `α μ + σ ε` about some of them, with ε uniform.
  init(
    rows: Int, groups: [MixtureGroup], channels: Int, levels: [(alpha: Float, sigma: Float)], before: Int = 0,
    seed: UInt64
  ) {
    self.groups = groups
    self.channels = channels
    self.levels = levels
    var generator = SplitMix64(seed: seed)
    let components = groups.reduce(0) { $0 + $1.components }
    means = Draw.uniform(components * channels, &generator)
    logWeights = Draw.uniform(components, &generator)
    samples = VectorSet(
      count: rows, .init(channels: channels, before: before, after: before), .uniform, seed: generator.next())
    drawSamples(seed: generator.next())
  }

  /// Draws the samples about the means as they are now.
  mutating func drawSamples(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let origins = (0..<rows).map { _ in generator.index(below: components) }
    let (levels, means, channels) = (levels, means, channels)
    samples.fill { row, _, channel in
      let level = levels[levels.count == 1 ? 0 : row]
      return level.alpha * means[origins[row] * channels + channel] + level.sigma * generator.uniform()
    }
  }

  var rows: Int { samples.count }
  var components: Int { groups.reduce(0) { $0 + $1.components } }

  private func level(_ row: Int) -> (alpha: Double, sigma: Double) {
    let level = levels[levels.count == 1 ? 0 : row]
    return (Double(level.alpha), Double(level.sigma))
  }

  /// Brings mixture, samples and levels to the device and adds the operations.
  func stage(in workspace: inout Workspace) throws -> Guarded {
    let plan = MixtureChunks(
      groupSizes: groups.map(\.components), panelWidth: workspace.backend.panelWidth, target: 32)
    let chunks = try workspace.segments(plan.segments.lengths)
    let extent = Extent.ragged(chunks)
    // The last mean is followed by poison that a load past its end would bring in.
    let meanRows = try workspace.upload(means + Poison.floats(channels), components + 1, channels)
    let termRows = try workspace.upload(
      Mixture.terms(means: means, channels: channels, logWeights: logWeights), components, 2)
    let mixture = Mixture(
      means: meanRows, columns: try workspace.pack(HeadSlices(meanRows, channels: channels), extent: extent),
      terms: try workspace.pack(HeadSlices(termRows, channels: 2), extent: extent), chunks: chunks,
      variances: try workspace.upload(
        plan.groups.map { groups[$0].variance } + Poison.floats(1), plan.groups.count + 1))

    // Every coefficient but α and σ, and the rows before the first level, are poison.
    let firstLevel = 2
    var table = Poison.floats((firstLevel + levels.count) * CoefficientRow.width)
    for (index, level) in levels.enumerated() {
      let at = (firstLevel + index) * CoefficientRow.width
      table[at + CoefficientColumn.alpha.rawValue] = level.alpha
      table[at + CoefficientColumn.sigma.rawValue] = level.sigma
    }
    let noise = CoefficientRows(
      try workspace.upload(table, firstLevel + levels.count, CoefficientRow.width), first: firstLevel,
      perSample: levels.count > 1)
    let partials = try workspace.output(
      rows, mixture.chunkCount, Mixture.partialWidth(channels: channels))
    let out = try workspace.output(rows, channels)
    let operations = PosteriorMean(
      try workspace.upload(samples), rows: rows, mixture: mixture, levels: noise, partials: partials.part,
      into: out.part
    ).operations
    for operation in operations { try workspace.append(operation) }
    return out
  }

  /// `[rows, channels]` by distances, as the formula stands in textbooks, and how far a result may be from it.
  func expected() -> (values: [Double?], tolerance: Tolerance) {
    let variances = groups.flatMap { [Double](repeating: Double($0.variance), count: $0.components) }
    let vectors = (0..<components).map { k in (0..<channels).map { Double(means[k * channels + $0]) } }
    var values: [Double?] = []
    var logitError = 0.0
    var reach = 1.0
    for row in 0..<rows {
      let x = samples.vector(row)
      let (alpha, sigma) = level(row)
      let spreads = variances.map { alpha * alpha * $0 + sigma * sigma }
      let logits = vectors.indices.map { k in
        var distance = 0.0
        for c in 0..<channels { distance += (x[c] - alpha * vectors[k][c]) * (x[c] - alpha * vectors[k][c]) }
        return Double(logWeights[k]) - Double(channels) / 2 * log(spreads[k]) - distance / (2 * spreads[k])
      }
      let largest = logits.reduce(-.infinity, max)
      let weights = logits.map { exp($0 - largest) }
      let total = weights.reduce(0, +)
      for c in 0..<channels {
        var sum = 0.0
        for k in vectors.indices {
          sum += weights[k] * (vectors[k][c] + alpha * variances[k] / spreads[k] * (x[c] - alpha * vectors[k][c]))
        }
        values.append(sum / total)
      }
      // The terms of the logits, as kernels sum them, and of what groups differ in.
      let square = innerProduct(x, x)
      for k in vectors.indices {
        let terms = innerProduct(x.map(abs), vectors[k].map(abs)) + alpha / 2 * innerProduct(vectors[k], vectors[k])
        let between =
          abs(1 / spreads[k] - 1 / spreads[0]) * square / 2
          + Double(channels) / 2 * abs(log(spreads[k] / spreads[0]))
        logitError = max(logitError, (alpha / spreads[k] * terms + between) * 0x1p-22)
        reach = max(reach, alpha * variances[k] / spreads[k] * x.reduce(0) { max($0, abs($1)) })
      }
    }
    // Weights that err by a factor exp(±error) move an average of means in -1 ... 1 by no more than twice that.
    let error = certainty == .nearest ? 0 : min(2, 2 * logitError)
    return (values, Tolerance(absolute: 1e-6 * reach + error))
  }

  func check(on backend: any Backend) async throws {
    var workspace = Workspace(backend)
    let out = try stage(in: &workspace)
    let result = try await workspace.run(reading: out)
    let (values, tolerance) = expected()
    try compare(result, with: values, shape: [rows, channels], within: tolerance)
  }
}
