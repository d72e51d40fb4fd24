internal import Engine

/// Cells above a threshold: the right set, and the right scores.
extension ConformanceKit {
  static let selectionCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases: [ConformanceCase] = []
    let small = PairwiseProblem(
      lengths: [5, 1, 9], rowLayout: Layout(heads: 2, channels: 3, before: 1, between: 1),
      .exact, seed: 101)
    let large = PairwiseProblem(
      lengths: [1, 129, 2, 64, 3, 49, 97],
      rowLayout: Layout(heads: 2, channels: 16, before: 3, between: 5), scale: 0.5, .exact,
      seed: 102)
    for triangular in [false, true] {
      for margin in [0, 1] {
        let manner = "\(triangular ? "triangular" : "square"), margin \(margin)"
        // Products of eighths, so some cells equal the threshold: they are not kept.
        cases.append(
          exact(
            "ragged, \(manner), ties", small: true,
            .init(problem: small, threshold: 0.25, triangular: triangular, margin: margin)))
        cases.append(
          exact(
            "ragged, straddling tiles, \(manner), ties",
            .init(problem: large, threshold: 1.25, triangular: triangular, margin: margin)))
      }
    }
    let whole = PairwiseProblem(
      rows: 11, columns: 70, rowLayout: Layout(channels: 8), .exact, seed: 103)
    let tiny = PairwiseProblem(
      rows: 3, columns: 4, rowLayout: Layout(channels: 2), .exact, seed: 104)
    cases += [
      exact("whole, not square", .init(problem: whole, threshold: 1, margin: 1)),
      exact("whole, not square, triangular", .init(problem: whole, threshold: 1, triangular: true)),
      exact("whole, small", small: true, .init(problem: tiny, threshold: 0)),
      exact("threshold -infinity keeps all", small: true, .init(problem: tiny, threshold: -.infinity)),
      exact(
        "threshold +infinity keeps none", small: true, .init(problem: tiny, threshold: .infinity)),
      exact("margin leaves nothing", small: true, .init(problem: tiny, threshold: -9, margin: 2)),
      exact(
        "margin beyond the segment", small: true, .init(problem: small, threshold: -9, margin: 50)),
      exact("margin 3", .init(problem: large, threshold: 1, triangular: true, margin: 3)),
      exact(
        "all cells equal the threshold", small: true,
        .init(problem: constant(problem: small, 0.5), threshold: 0.75)),
      exact(
        "all cells just above the threshold",
        .init(problem: constant(problem: large, 0.5), threshold: Float(2).nextDown)),
    ]
    cases.append(
      ConformanceCase(.selection, "rounded scores") { backend in
        let problem = PairwiseProblem(
          lengths: [50, 8, 131], rowLayout: Layout(heads: 2, channels: 64), scale: 0.125, seed: 105)
        let query = SelectionQuery(problem: problem, threshold: 0.5, triangular: true, margin: 1)
        try await query.check(on: backend, within: .product(channels: 64, factor: 0.125))
      })
    cases.append(filterCase(small: true, lengths: [4, 3], channels: 3, bars: 1, seed: 106))
    cases.append(filterCase(small: false, lengths: [50, 8, 65], channels: 13, bars: 12, seed: 107))
    return cases
  }()

  private static func exact(
    _ title: String, small: Bool = false, _ query: SelectionQuery
  ) -> ConformanceCase {
    ConformanceCase(.selection, title, small: small) { backend in
      try await query.check(on: backend)
    }
  }

  private static func filterCase(
    small: Bool, lengths: [Int], channels: Int, bars: Int, seed: UInt64
  ) -> ConformanceCase {
    let title = "a threshold is a filter, lengths \(lengths)"
    return ConformanceCase(.selection, title, small: small) { backend in
      let problem = PairwiseProblem(
        lengths: lengths, rowLayout: .init(channels: channels), scale: 0.3, seed: seed)
      let query = SelectionQuery(problem: problem, threshold: 0, margin: 0)
      let all = try await query.everything(on: backend)
      let ordered = all.map(\.score).sorted()
      for bar in 1...bars {
        let score = ordered[ordered.count * bar / (bars + 1)]
        try await query.checkFilter(on: backend, at: score, among: all)
        try await query.checkFilter(on: backend, at: score.nextDown, among: all)
      }
    }
  }

  /// The problem with every element of rows and columns set to `value`.
  private static func constant(problem: PairwiseProblem, _ value: Float) -> PairwiseProblem {
    var problem = problem
    problem.rows.fill { _, _, _ in value }
    problem.columns.fill { _, _, _ in value }
    return problem
  }
}
