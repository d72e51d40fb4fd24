internal import Engine
internal import Geometry

/// The best of one set of vectors for each of them: blocks and rounds, parts, ties between rows and columns.
extension ConformanceKit {
  static let mutualTopKCases: [ConformanceCase] = {
    var cases = [
      exact(small: true, 1, channels: 2, k: 1),
      exact(small: true, 5, channels: 3, k: 7, parts: 3),
      exact(small: true, 52, channels: 2, k: 2, excludesOwn: true),
      // Two blocks, one of them nearly empty.
      exact(small: true, 193, channels: 1, k: 1, parts: 2, excludesOwn: true),
    ]
    for (index, count) in [2, 47, 48, 49, 191, 192, 255, 256, 257, 383, 384, 385, 512, 577, 1000].enumerated() {
      cases.append(
        exact(count, channels: 4, k: min(10, count), parts: 1 + index % 3, excludesOwn: index % 2 == 0))
    }
    for k in [1, 63, 64, 65, 800] { cases.append(exact(770, channels: 3, k: k, parts: 2)) }
    cases += [
      exact(400, channels: 3, k: 5, parts: 40),
      ConformanceCase(.topK, "mutual, all equal") { backend in
        var problem = TopKProblem(mutual: 400, channels: 2, k: 30, excludesOwn: true, .exact, seed: 1150)
        problem.rows.fill { _, _, channel in Float(channel) / 8 }
        problem.columns = problem.rows
        problem.terms = problem.terms.map { _ in 0.25 }
        try await problem.checkExactly(on: backend)
      },
      ConformanceCase(.topK, "mutual, others excluded and some switched off") { backend in
        var problem = TopKProblem(mutual: 300, channels: 3, k: 40, parts: 2, .exact, seed: 1151)
        problem.excluded = problem.excluded.indices.map { Int32($0 * 7 % 300) }
        for j in problem.terms.indices where j % 10 != 3 { problem.terms[j] = -.infinity }
        try await problem.checkExactly(on: backend)
      },
      sameBits,
    ]
    return cases
  }()

  private static func exact(
    small: Bool = false, _ count: Int, channels: Int, k: Int, parts: Int = 1, excludesOwn: Bool = false
  ) -> ConformanceCase {
    ConformanceCase(
      .topK, "mutual, \(k) of \(count), \(parts) parts\(excludesOwn ? ", itself excluded" : "")", small: small
    ) { backend in
      let problem = TopKProblem(
        mutual: count, channels: channels, k: k, parts: parts, excludesOwn: excludesOwn, .exact,
        seed: 1160 + UInt64(count))
      try await problem.checkExactly(on: backend)
    }
  }

  /// What rows find among columns, to the bit, also where values carry rounding errors.
  private static let sameBits = ConformanceCase(.topK, "mutual, as among columns") { backend in
    for count in [50, 193, 600] {
      var problem = TopKProblem(mutual: count, channels: 33, k: 12, parts: 2, .uniform, seed: 1152)
      let mutual = try await problem.run(on: backend)
      problem.mutualParts = nil
      let plain = try await problem.run(on: backend)
      try compareBits(mutual.values, plain.values, "values")
      guard mutual.indices == plain.indices else { throw Mismatch("\(count) vectors find others among themselves") }
    }
  }
}
