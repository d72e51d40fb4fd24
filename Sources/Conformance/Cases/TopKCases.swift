internal import Engine
internal import Geometry

/// The best columns of every row: ties, duplicates, chunks, lists longer than what there is.
extension ConformanceKit {
  static let topKCases: [ConformanceCase] = {
    var cases = [
      exact("one of one", small: true, rows: 1, columns: 1, channels: 1, k: 1, seed: 1101),
      exact("one row", small: true, rows: 1, columns: 67, channels: 2, k: 3, chunks: 2, seed: 1102),
      exact("two tiles", small: true, rows: 9, columns: 5, channels: 3, k: 2, seed: 1103),
      exact("more than there is", small: true, rows: 3, columns: 2, channels: 3, k: 5, seed: 1104),
      exact("itself excluded", small: true, rows: 4, columns: 4, channels: 2, k: 3, excludesOwn: true, seed: 1105),
    ]
    // Row counts at which fused kernels have failed elsewhere.
    for (index, count) in [1, 2, 255, 256, 257, 512].enumerated() {
      let seed = 1110 + UInt64(index)
      cases.append(
        exact("all pairs", rows: count, columns: count, channels: 5, k: min(10, count), excludesOwn: true, seed: seed))
      cases.append(exact("all pairs", rows: count, columns: count, channels: 4, k: 1, chunks: 3, seed: seed))
    }
    for count in [47, 48, 49, 63, 64, 65, 127, 128, 129] {
      cases.append(exact("size", rows: 10, columns: count, channels: 3, k: 7, chunks: 2, seed: 1120))
      cases.append(exact("size", rows: count, columns: 70, channels: 3, k: 2, excludesOwn: true, seed: 1121))
      cases.append(rounded("size", rows: 10, columns: 3 * count, channels: count, k: 4, seed: 1122))
    }
    for k in [1, 2, 3, 63, 64, 65, 1024] {
      cases.append(exact("lists", rows: 9, columns: 1300, channels: 3, k: k, chunks: 5, seed: 1123))
      cases.append(rounded("lists", rows: 67, columns: 1300, channels: 17, k: k, seed: 1124))
    }
    cases += [
      exact("64 chunks", rows: 70, columns: 4200, channels: 2, k: 20, chunks: 64, seed: 1125),
      changed("all columns equal", small: true, seed: 1130) { problem in
        problem.columns.fill { _, _, channel in Float(channel) / 8 }
        problem.terms = problem.terms.map { _ in 0.25 }
      },
      changed("each column twice", seed: 1131) { problem in
        let kept = problem.columns
        problem.columns.fill { row, _, channel in Float(kept.vector(row / 2)[channel]) }
        for j in problem.terms.indices { problem.terms[j] = problem.terms[j / 2 * 2] }
      },
      changed("ever better columns", seed: 1132) { problem in
        problem.terms = problem.terms.indices.map { Float($0) }
      },
      changed("negative values", seed: 1133) { problem in problem.terms = problem.terms.map { $0 - 100 } },
      changed("columns switched off", seed: 1134) { problem in
        for j in problem.terms.indices where j % 10 != 3 { problem.terms[j] = -.infinity }
      },
      changed("another's column excluded", seed: 1135) { problem in
        problem.excluded = problem.excluded.indices.map { Int32($0 * 7 % problem.columns.count) }
      },
      chunksDoNotMatter,
    ]
    return cases
  }()

  private static func exact(
    _ title: String, small: Bool = false, rows: Int, columns: Int, channels: Int, k: Int, chunks: Int = 1,
    excludesOwn: Bool = false, seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(
      .topK, "\(title), \(k) of \(columns) for \(rows) rows, \(chunks) chunks", small: small
    ) { backend in
      let problem = TopKProblem(
        rows: rows, columns: columns, channels: channels, k: k, chunks: chunks, before: 3, excludesOwn: excludesOwn,
        .exact, seed: seed)
      try await problem.checkExactly(on: backend)
    }
  }

  private static func rounded(
    _ title: String, rows: Int, columns: Int, channels: Int, k: Int, seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(.topK, "\(title), rounded, \(k) of \(columns) for \(rows) rows") { backend in
      let problem = TopKProblem(
        rows: rows, columns: columns, channels: channels, k: k, scale: 1, chunks: 2, excludesOwn: true, .uniform,
        seed: seed)
      try await problem.checkWithinRounding(on: backend)
    }
  }

  private static func changed(
    _ title: String, small: Bool = false, seed: UInt64, change: @escaping @Sendable (inout TopKProblem) -> Void
  ) -> ConformanceCase {
    ConformanceCase(.topK, title, small: small) { backend in
      var problem = TopKProblem(
        rows: 21, columns: 200, channels: 3, k: 30, chunks: 2, excludesOwn: true, .exact, seed: seed)
      change(&problem)
      try await problem.checkExactly(on: backend)
    }
  }

  /// The same bits however columns are cut, also where values carry rounding errors.
  private static let chunksDoNotMatter = ConformanceCase(.topK, "chunks do not matter") { backend in
    var problem = TopKProblem(rows: 40, columns: 1000, channels: 33, k: 12, .uniform, seed: 1140)
    let whole = try await problem.run(on: backend)
    for chunks in [2, 3, 8, 21] {
      problem.chunks = chunks
      let cut = try await problem.run(on: backend)
      try compareBits(cut.values, whole.values, "values of \(chunks) chunks")
      guard cut.indices == whole.indices else { throw Mismatch("\(chunks) chunks give other columns") }
    }
  }
}
