internal import Engine
internal import TokenPairs

extension ConformanceFamily {
  static let selection: ConformanceFamily = "selection"
  static let typedSelection: ConformanceFamily = "typedSelection"
}

/// Cells above a threshold: the right set, and the right scores.
extension ConformanceKit {
  static let cellSelectionCases: [ConformanceCase] = {
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
      ConformanceCase(.selection, "rounded scores") { engine in
        let problem = PairwiseProblem(
          lengths: [50, 8, 131], rowLayout: Layout(heads: 2, channels: 64), scale: 0.125, seed: 105)
        let query = SelectionQuery(problem: problem, threshold: 0.5, triangular: true, margin: 1)
        try await query.check(on: engine, within: .product(channels: 64, factor: 0.125))
      })
    cases.append(filterCase(small: true, lengths: [4, 3], channels: 3, bars: 1, seed: 106))
    cases.append(filterCase(small: false, lengths: [50, 8, 65], channels: 13, bars: 12, seed: 107))
    return cases + selectionListCases
  }()

  private static func exact(
    _ title: String, small: Bool = false, _ query: SelectionQuery
  ) -> ConformanceCase {
    ConformanceCase(.selection, title, small: small) { engine in
      try await query.check(on: engine)
    }
  }

  private static func filterCase(
    small: Bool, lengths: [Int], channels: Int, bars: Int, seed: UInt64
  ) -> ConformanceCase {
    let title = "a threshold is a filter, lengths \(lengths)"
    return ConformanceCase(.selection, title, small: small) { engine in
      let problem = PairwiseProblem(
        lengths: lengths, rowLayout: .init(channels: channels), scale: 0.3, seed: seed)
      let query = SelectionQuery(problem: problem, threshold: 0, margin: 0)
      let all = try await query.everything(on: engine)
      let ordered = all.map(\.score).sorted()
      for bar in 1...bars {
        let score = ordered[ordered.count * bar / (bars + 1)]
        try await query.checkFilter(on: engine, at: score, among: all)
        try await query.checkFilter(on: engine, at: score.nextDown, among: all)
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

// The list of kept cells: what happens when it is too short, and when it is just long enough.
extension ConformanceKit {
  private static let selectionListCases: [ConformanceCase] = [
    overflow("overflow, one slot", small: true, lengths: [3, 4], capacity: 1, seed: 151),
    overflow("overflow, one slot short", lengths: [3, 4], capacity: nil, seed: 151),
    overflow("overflow, many tiles", lengths: [129, 50, 1], capacity: 100, seed: 152),
    overflow("overflow, typed", small: true, lengths: [3, 4], capacity: 2, types: 3, seed: 153),
    overflow(
      "overflow, typed, many tiles", lengths: [129, 50, 1], capacity: 1000, types: 3, seed: 154),
    thresholds("a threshold for each segment", small: true, lengths: [3, 4, 2], seed: 156),
    thresholds("a threshold for each segment, many tiles", lengths: [129, 50, 1, 97], seed: 157),
    thresholds("a threshold for each segment, typed", small: true, lengths: [3, 4, 2], types: 3, seed: 158),
    thresholds("a threshold for each segment, typed, many tiles", lengths: [129, 50, 1, 97], types: 3, seed: 159),
    ConformanceCase(.selection, "counts go on from what is there", small: true) { engine in
      try await countContinues(on: engine)
    },
  ]

  private static func overflow(
    _ title: String, small: Bool = false, lengths: [Int], capacity: Int?, types: Int? = nil,
    seed: UInt64
  ) -> ConformanceCase {
    let problem = PairwiseProblem(lengths: lengths, rowLayout: .init(channels: 4), .exact, seed: seed)
    let biases = types.map {
      TypeBiasSet(
        types: $0, tokens: lengths.reduce(0, +), scale: 0.5, .exact, seed: seed &+ 1)
    }
    let query = SelectionQuery(problem: problem, biases: biases, threshold: 0)
    let family: ConformanceFamily = types == nil ? .selection : .typedSelection
    return ConformanceCase(family, title, small: small) { engine in
      let expected = try await ExpectedSelection(query, within: .exact)
      let short = capacity ?? expected.certainCount - 1
      let first = try await query.run(on: engine, capacity: short)
      guard first.found > short else {
        throw Mismatch("\(first.found) cells were counted: the list should have been too short")
      }
      try expected.check(found: first.found, cells: first.cells, capacity: short)
      // The count tells how long the list must be; nothing is lost then.
      let second = try await query.run(on: engine, capacity: first.found)
      try expected.check(found: second.found, cells: second.cells, capacity: first.found)
    }
  }

  /// One segment keeps everything, one nothing, the others some.
  private static func thresholds(
    _ title: String, small: Bool = false, lengths: [Int], types: Int? = nil, seed: UInt64
  ) -> ConformanceCase {
    let bounds: [Float] = lengths.indices.map { [-.infinity, 0.5, .infinity, 1][$0 % 4] }
    let query = SelectionQuery(
      problem: PairwiseProblem(lengths: lengths, rowLayout: .init(channels: 4), .exact, seed: seed),
      biases: types.map {
        TypeBiasSet(types: $0, tokens: lengths.reduce(0, +), scale: 0.5, .exact, seed: seed &+ 10)
      }, threshold: 0, thresholds: bounds)
    return ConformanceCase(types == nil ? .selection : .typedSelection, title, small: small) { engine in
      try await query.check(on: engine)
    }
  }

  /// Two products into one list: the second goes on where the first stopped.
  private static func countContinues(on engine: Engine) async throws {
    let problem = PairwiseProblem(
      rows: 2, columns: 3, rowLayout: .init(channels: 2), .exact, seed: 155)
    var workspace = Workspace(engine)
    let staged = try problem.stage(in: &workspace)
    let list = try workspace.upload(integers: Poison.integers(4 * 16), 16, 4)
    let count = try workspace.upload(integers: [0, 0], 2)
    let selection = CellSelection(
      thresholds: try workspace.upload([-.infinity], 1), triangular: false, margin: 0, cells: list, found: count)
    try workspace.append(staged.handing(to: selection))
    try workspace.append(staged.handing(to: selection))
    let downloads = try await workspace.run(reading: [count, list])
    guard downloads[0].integers == [12, 12] else {
      throw Mismatch("twice 6 cells were counted as \(downloads[0].integers)")
    }
    let places = stride(from: 0, to: 48, by: 4).map { Array(downloads[1].integers[$0 + 1...$0 + 2]) }
    for row: Int32 in 0..<2 {
      for column: Int32 in 0..<3 where places.filter({ $0 == [row, column] }).count != 2 {
        throw Mismatch("cell (\(row), \(column)) is not listed twice")
      }
    }
  }
}

/// Cells above a threshold for each of several types that share one product and differ by biases.
/// Backends skip tiles that cannot pass; these cases make sure that nothing is skipped which can.
extension ConformanceKit {
  static let typedSelectionCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for triangular in [false, true] {
      for margin in [0, 1] {
        let manner = "\(triangular ? "triangular" : "square"), margin \(margin)"
        cases.append(
          exact(
            "ragged, \(manner)", small: true, lengths: [5, 1, 9], channels: 3, types: 2, scale: 0.5,
            threshold: 0.5, triangular: triangular, margin: margin, seed: 201))
        cases.append(
          exact(
            "ragged, straddling tiles, \(manner)", lengths: [1, 129, 2, 64, 49, 97], channels: 8,
            types: 5, scale: 0.5, threshold: 1.5, triangular: triangular, margin: margin, seed: 202)
        )
      }
    }
    cases += [
      exact(
        "bias scale 1, one type", lengths: [50, 9], channels: 8, types: 1, scale: 1, threshold: 1,
        triangular: true, margin: 1, seed: 203),
      exact(
        "bias scale 0", small: true, lengths: [4], channels: 2, types: 2, scale: 0, threshold: 0.5,
        triangular: false, margin: 0, seed: 204),
      exact(
        "many types", lengths: [49, 3], channels: 8, types: 37, scale: 0.5, threshold: 1.5,
        triangular: true, margin: 1, seed: 205),
      exact(
        "threshold -infinity", small: true, lengths: [3], channels: 2, types: 2, scale: 0.5,
        threshold: -.infinity, triangular: false, margin: 0, seed: 206),
      exact(
        "threshold +infinity", lengths: [3], channels: 2, types: 2, scale: 0.5,
        threshold: .infinity, triangular: false, margin: 0, seed: 207),
      ConformanceCase(.typedSelection, "whole", small: true) { engine in
        let problem = PairwiseProblem(
          rows: 6, columns: 6, rowLayout: .init(channels: 4), .exact, seed: 208)
        let biases = TypeBiasSet(types: 2, tokens: 6, scale: 0.5, .exact, seed: 209)
        try await SelectionQuery(problem: problem, biases: biases, threshold: 0.5).check(on: engine)
      },
      hot("one hot cell, small", small: true, length: 9, cells: [(0, 2, 7)], types: 2),
      hot("one hot cell at each corner", length: 97, cells: [(1, 0, 0), (2, 0, 96), (3, 96, 96)], types: 5),
      hot("hot cells at tile seams", length: 129, cells: hotSeams, types: 4),
      ConformanceCase(.typedSelection, "rounded scores") { engine in
        let problem = PairwiseProblem(
          lengths: [50, 8, 131], rowLayout: .init(channels: 64), scale: 0.125, seed: 210)
        let biases = TypeBiasSet(types: 3, tokens: 189, scale: 0.3, .uniform, seed: 211)
        let query = SelectionQuery(
          problem: problem, biases: biases, threshold: 0.75, triangular: true, margin: 1)
        try await query.check(on: engine, within: .product(channels: 64, factor: 0.25))
      },
      tightBounds(small: true, trials: 4),
      tightBounds(small: false, trials: 60),
    ]
    return cases
  }()

  private static func exact(
    _ title: String, small: Bool = false, lengths: [Int], channels: Int, types: Int, scale: Float,
    threshold: Float, triangular: Bool, margin: Int, seed: UInt64
  ) -> ConformanceCase {
    let query = SelectionQuery(
      problem: PairwiseProblem(
        lengths: lengths, rowLayout: .init(channels: channels), .exact, seed: seed),
      biases: TypeBiasSet(
        types: types, tokens: lengths.reduce(0, +), scale: scale, .exact, seed: seed &+ 1),
      threshold: threshold, triangular: triangular, margin: margin)
    return ConformanceCase(.typedSelection, title, small: small) { engine in
      try await query.check(on: engine)
    }
  }

  private static let hotSeams = [47, 48, 49, 63, 64, 65, 127, 128].enumerated().flatMap { at, token in
    [(at % 4, 7, token), (at % 4, 8, token)]
  }

  /// Products of 1 at some cells and 0 elsewhere, biases of -1000 except at the cells themselves: whole
  /// tiles cannot pass, and single cells in them do.
  private static func hot(
    _ title: String, small: Bool = false, length: Int,
    cells: [(type: Int, row: Int, column: Int)], types: Int
  ) -> ConformanceCase {
    ConformanceCase(.typedSelection, title, small: small) { engine in
      // One channel a hot row: no other product is positive.
      let hotRows = Set(cells.map(\.row)).sorted()
      var problem = PairwiseProblem(
        lengths: [length], rowLayout: .init(channels: hotRows.count), .exact, seed: 1)
      problem.rows.fill { row, _, channel in hotRows[channel] == row ? 1 : 0 }
      problem.columns.fill { column, _, channel in
        cells.contains { $0.row == hotRows[channel] && $0.column == column } ? 1 : 0
      }
      var biases = TypeBiasSet(types: types, tokens: length, scale: 0.5, .exact, seed: 1)
      biases.vectors.fill { token, _, channel in
        let isWanted = cells.contains {
          channel < types
            ? $0.type == channel && $0.row == token
            : $0.type == channel - types && $0.column == token
        }
        return isWanted ? 0.25 : -1000
      }
      let query = SelectionQuery(problem: problem, biases: biases, threshold: 1)
      let kept = try await query.check(on: engine)
      for cell in cells
      where !kept.contains(where: { ($0.matrix, $0.row, $0.column) == cell }) {
        throw Mismatch("the hot cell \(cell) is missing")
      }
    }
  }

  /// A bound on a tile must hold to the last bit: the cell that is largest in product, start bias and
  /// end bias passes a threshold just below its own score, however the sums were rounded.
  private static func tightBounds(small: Bool, trials: Int) -> ConformanceCase {
    ConformanceCase(
      .typedSelection, "bounds hold to the last bit, \(trials) trials", small: small
    ) { engine in
      for trial in 0..<trials {
        var generator = SplitMix64(seed: 220 + UInt64(trial))
        let (row, column) = (generator.index(below: 6), generator.index(below: 6))
        var problem = PairwiseProblem(
          lengths: [6], rowLayout: .init(channels: 1), scale: 0.7, seed: generator.next())
        problem.rows.fill { token, _, _ in token == row ? 1.5 + generator.uniform() / 8 : 0.25 }
        problem.columns.fill { token, _, _ in
          token == column ? 1.5 + generator.uniform() / 8 : 0.25
        }
        var biases = TypeBiasSet(types: 1, tokens: 6, scale: 0.3, .uniform, seed: generator.next())
        biases.vectors.fill { token, _, channel in
          token == (channel == 0 ? row : column) ? 3 + generator.uniform() : -1
        }
        let query = SelectionQuery(problem: problem, biases: biases, threshold: 0)
        let all = try await query.everything(on: engine)
        guard let best = all.map(\.score).max() else { throw Mismatch("no cell was kept") }
        try await query.checkFilter(on: engine, at: best.nextDown, among: all)
      }
    }
  }
}
