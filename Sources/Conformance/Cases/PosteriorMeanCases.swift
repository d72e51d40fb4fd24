internal import Diffusion
internal import Engine

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
    ) { backend in
      let problem = MixtureProblem(
        rows: rows, groups: allParts, channels: channels, levels: pairs, before: 3, seed: seed)
      try await problem.check(on: backend)
    }
  }

  /// Points of a data set far apart compared with the noise: the result is the nearest, to the last digits.
  private static func nearest(
    _ title: String, small: Bool, rows: Int, sigma: Float, seed: UInt64,
    change: @escaping @Sendable (inout MixtureProblem) -> Void
  ) -> ConformanceCase {
    ConformanceCase(.posteriorMean, title, small: small) { backend in
      var problem = MixtureProblem(
        rows: rows, groups: [MixtureGroup(components: small ? 10 : 130, variance: 0)], channels: 18,
        levels: [(alpha: 1, sigma: sigma)], seed: seed)
      problem.logWeights = problem.logWeights.map { _ in -2 }
      problem.certainty = .nearest
      change(&problem)
      // Without noise the textbook's formula divides by zero.
      var oracle = problem
      oracle.levels = [(alpha: 1, sigma: max(sigma, 1e-10))]
      var workspace = Workspace(backend)
      let out = try problem.stage(in: &workspace)
      let (values, tolerance) = oracle.expected()
      try compare(
        try await workspace.run(reading: out), with: values, shape: [rows, problem.channels], within: tolerance)
    }
  }

  /// Components with a log weight of -∞: single ones, whole panels, and a whole group.
  private static let switchedOff = ConformanceCase(
    .posteriorMean, "components switched off", small: true
  ) { backend in
    var problem = MixtureProblem(
      rows: 3, groups: [.init(components: 5, variance: 0.5), .init(components: 140, variance: 0.1)],
      channels: 3, levels: [(alpha: 0.8, sigma: 0.6)], seed: 1040)
    for k in 0..<problem.components where k < 75 || k % 3 == 0 { problem.logWeights[k] = -.infinity }
    try await problem.check(on: backend)
  }

  /// A sample that is not a number has no mean, and harms no other sample of its tile.
  private static let notANumber = ConformanceCase(
    .posteriorMean, "a sample is not a number", small: true
  ) { backend in
    var problem = MixtureProblem(
      rows: 3, groups: [.init(components: 9, variance: 0)], channels: 2, levels: [(alpha: 0.8, sigma: 0.6)],
      seed: 1041)
    func run() async throws -> [Float] {
      var workspace = Workspace(backend)
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
