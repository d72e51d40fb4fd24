internal import Engine

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
      ConformanceCase(.typedSelection, "whole", small: true) { backend in
        let problem = PairwiseProblem(
          rows: 6, columns: 6, rowLayout: .init(channels: 4), .exact, seed: 208)
        let biases = TypeBiasSet(types: 2, tokens: 6, scale: 0.5, .exact, seed: 209)
        try await SelectionQuery(problem: problem, biases: biases, threshold: 0.5).check(on: backend)
      },
      hot("one hot cell, small", small: true, length: 9, cells: [(0, 2, 7)], types: 2),
      hot("one hot cell at each corner", length: 97, cells: [(1, 0, 0), (2, 0, 96), (3, 96, 96)], types: 5),
      hot("hot cells at tile seams", length: 129, cells: hotSeams, types: 4),
      ConformanceCase(.typedSelection, "rounded scores") { backend in
        let problem = PairwiseProblem(
          lengths: [50, 8, 131], rowLayout: .init(channels: 64), scale: 0.125, seed: 210)
        let biases = TypeBiasSet(types: 3, tokens: 189, scale: 0.3, .uniform, seed: 211)
        let query = SelectionQuery(
          problem: problem, biases: biases, threshold: 0.75, triangular: true, margin: 1)
        try await query.check(on: backend, within: .product(channels: 64, factor: 0.25))
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
    return ConformanceCase(.typedSelection, title, small: small) { backend in
      try await query.check(on: backend)
    }
  }

  private static let hotSeams = [47, 48, 49, 63, 64, 65, 127, 128].enumerated().flatMap { at, token in
    [(at % 4, 7, token), (at % 4, 8, token)]
  }

  /// Products of 1 at some cells and 0 elsewhere, biases of -1000 but for the cells' own: whole tiles
  /// cannot pass, and single cells in them do.
  private static func hot(
    _ title: String, small: Bool = false, length: Int,
    cells: [(type: Int, row: Int, column: Int)], types: Int
  ) -> ConformanceCase {
    ConformanceCase(.typedSelection, title, small: small) { backend in
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
      let kept = try await query.check(on: backend)
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
    ) { backend in
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
        let all = try await query.everything(on: backend)
        guard let best = all.map(\.score).max() else { throw Mismatch("no cell was kept") }
        try await query.checkFilter(on: backend, at: best.nextDown, among: all)
      }
    }
  }
}
