internal import Diffusion
internal import Engine
internal import Foundation
internal import Networks

extension ConformanceFamily { static let posteriorMean: ConformanceFamily = "posteriorMean" }

/// The exact denoiser of mixtures and data sets: sizes that straddle tiles and vectors, noise from nearly none to nothing
/// but noise, groups of different variances.
extension ConformanceKit {
  static let posteriorMeanCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = [
      posterior("one component", small: true, rows: 1, components: 1, channels: 1, seed: 1001),
      posterior("one sample, channels past a vector", small: true, rows: 1, components: 2, channels: 33, seed: 1006),
      posterior("one panel", small: true, rows: 3, components: 5, channels: 3, seed: 1002),
      posterior("two panels, two tiles", small: true, rows: 9, components: 66, channels: 2, seed: 1003),
      posterior("channels past a vector", small: true, rows: 2, components: 3, channels: 33, seed: 1004),
      posterior(
        "three groups", small: true, rows: 3, channels: 3, groups: [(2, 0.25), (1, 0), (3, 1)], seed: 1005),
      posterior(
        "a level for each sample", small: true, rows: 3, channels: 2, groups: [(4, 0.1)],
        levels: [(0.9, 0.4), (0.1, 1), (1, 0.05)], seed: 1006),
    ]
    for components in [1, 7, 8, 9, 47, 48, 49, 63, 64, 65, 127, 128, 129] {
      cases.append(posterior("size", rows: 10, components: components, channels: 18, seed: 1010))
    }
    for rows in [1, 7, 8, 9, 47, 48, 49, 63, 64, 65, 72, 73, 127, 128, 129] {
      cases.append(posterior("size", rows: rows, components: 50, channels: 5, seed: 1011))
    }
    for channels in [1, 2, 3, 15, 16, 17, 31, 32, 64, 65, 300] {
      cases.append(posterior("size", rows: 9, components: 130, channels: channels, seed: 1012))
    }
    let forty: [(Int, Float)] = (0..<40).map { (index: Int) -> (Int, Float) in (index + 1, Float(index) / 40) }
    let manyLevels: [(Float, Float)] = (0..<130).map { (index: Int) -> (Float, Float) in
      let t = Float(index) / 130
      return (1 - t, 0.05 + t)
    }
    let mixed: [(Int, Float)] = [(60, 0), (9, 1)]
    cases += [
      posterior("many chunks", rows: 5, components: 4200, channels: 3, seed: 1013),
      posterior(
        "many chunks of several groups", rows: 9, channels: 4, groups: [(2100, 0.1), (1, 0.5), (1100, 0.02)], seed: 1014
      ),
      posterior(
        "forty groups", rows: 9, channels: 2, groups: forty, seed: 1015),
      posterior("groups of 300 channels", rows: 9, channels: 300, groups: [(60, 0.5), (70, 0.4)], seed: 1016),
      posterior(
        "a level for each of many samples", rows: 130, channels: 5, groups: [(70, 0.1), (9, 0)],
        levels: manyLevels, seed: 1017),
      posterior("nothing but noise", rows: 9, channels: 17, groups: mixed, levels: [(0, 1)], seed: 1018),
      posterior("noise of 1000", rows: 9, channels: 17, groups: mixed, levels: [(1, 1000)], seed: 1019),
      posterior(
        "no noise about Gaussians", rows: 9, channels: 3, groups: [(60, 0.5), (9, 0.25)], levels: [(1, 0)], seed: 1020),
    ]
    // Logits of 1e3 to 1e16, all but one of whose exponentials are zero.
    for sigma: Float in [0.01, 1e-4, 1e-7, 0] {
      let small = sigma == 1e-4
      cases.append(
        nearest("noise of \(sigma)", small: small, rows: small ? 3 : 73, sigma: sigma, seed: 1030) { _ in })
    }
    cases += [
      nearest("each component twice", small: false, rows: 9, sigma: 1e-4, seed: 1031) { problem in
        let half = problem.components / 2 * problem.channels
        problem.means.replaceSubrange(half..<2 * half, with: problem.means[..<half])
        problem.drawSamples(seed: 1032)
      },
      nearest("all components equal", small: true, rows: 9, sigma: 1e-3, seed: 1033) { problem in
        for at in problem.means.indices { problem.means[at] = problem.means[at % problem.channels] }
        problem.drawSamples(seed: 1034)
      },
      switchedOff, notANumber,
    ]
    return cases
  }()

  private static func posterior(
    _ title: String, small: Bool = false, rows: Int, components: Int = 0, channels: Int,
    groups: [(Int, Float)] = [], levels: [(Float, Float)] = [(0.8, 0.6)], seed: UInt64
  ) -> ConformanceCase {
    var parts = groups.map { MixtureGroup(components: $0, variance: $1) }
    if parts.isEmpty { parts = [MixtureGroup(components: components, variance: 0)] }
    let (allParts, count) = (parts, parts.reduce(0) { $0 + $1.components })
    let pairs = levels.map { (alpha: $0, sigma: $1) }
    return ConformanceCase(
      .posteriorMean, "\(title), \(rows) × \(channels) among \(count)", small: small
    ) { engine in
      let problem = MixtureProblem(
        rows: rows, groups: allParts, channels: channels, levels: pairs, before: 3, seed: seed)
      try await problem.check(on: engine)
    }
  }

  /// Points of a data set far apart compared with the noise: the result is the nearest, to the last digits.
  private static func nearest(
    _ title: String, small: Bool, rows: Int, sigma: Float, seed: UInt64,
    change: @escaping @Sendable (inout MixtureProblem) -> Void
  ) -> ConformanceCase {
    ConformanceCase(.posteriorMean, title, small: small) { engine in
      var problem = MixtureProblem(
        rows: rows, groups: [MixtureGroup(components: small ? 10 : 130, variance: 0)], channels: 18,
        levels: [(alpha: 1, sigma: sigma)], seed: seed)
      problem.logWeights = problem.logWeights.map { _ in -2 }
      problem.certainty = .nearest
      change(&problem)
      try await problem.check(on: engine)
    }
  }

  /// Components with a log weight of -∞: single ones, whole panels, and a whole group.
  private static let switchedOff = ConformanceCase(
    .posteriorMean, "components switched off", small: true
  ) { engine in
    var problem = MixtureProblem(
      rows: 3, groups: [.init(components: 5, variance: 0.5), .init(components: 140, variance: 0.1)],
      channels: 3, levels: [(alpha: 0.8, sigma: 0.6)], seed: 1040)
    for k in 0..<problem.components where k < 75 || k % 3 == 0 { problem.logWeights[k] = -.infinity }
    try await problem.check(on: engine)
  }

  /// A sample that is not a number has no mean, and harms no other sample of its tile.
  private static let notANumber = ConformanceCase(
    .posteriorMean, "a sample is not a number", small: true
  ) { engine in
    var problem = MixtureProblem(
      rows: 3, groups: [.init(components: 9, variance: 0)], channels: 2, levels: [(alpha: 0.8, sigma: 0.6)],
      seed: 1041)
    func run() async throws -> [Float] {
      var workspace = Workspace(engine)
      let out = try problem.stage(in: &workspace)
      return try await workspace.run(reading: out)
    }
    let before = try await run()
    let kept = problem.samples
    problem.samples.fill { row, _, channel in row == 1 && channel == 0 ? .nan : Float(kept.vector(row)[channel]) }
    let after = try await run()
    guard after[2].isNaN, after[3].isNaN else {
      throw Mismatch("a sample that is not a number has the mean \(after[2...3])")
    }
    try compareBits(Array(after[..<2] + after[4..<6]), Array(before[..<2] + before[4..<6]), "its neighbours")
  }
}

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
  func stage(in workspace: inout Workspace) throws -> Tensor {
    let plan = MixtureChunks(
      groupSizes: groups.map(\.components), panelWidth: workspace.panelWidth, target: 32)
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
      try workspace.upload(samples), rows: rows, mixture: mixture, levels: noise, partials: partials, into: out
    ).operations
    for operation in operations { try workspace.append(operation) }
    return out
  }

  /// How far float32 may be from the exact result.
  var tolerance: Tolerance {
    let variances = groups.flatMap { [Double](repeating: Double($0.variance), count: $0.components) }
    let vectors = (0..<components).map { k in (0..<channels).map { Double(means[k * channels + $0]) } }
    var logitError = 0.0
    var reach = 1.0
    for row in 0..<rows {
      let x = samples.vector(row)
      let level = level(row)
      // Without noise or variance the spread is 0, and every logit infinite.
      let (alpha, sigma) = (level.alpha, max(level.sigma, 1e-10))
      let spreads = variances.map { alpha * alpha * $0 + sigma * sigma }
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
    return Tolerance(absolute: 1e-6 * reach + error)
  }

  func check(on engine: Engine) async throws {
    try await compareWithReference(engine) { workspace in
      [ComparedOutput(try stage(in: &workspace), within: tolerance)]
    }
  }
}
