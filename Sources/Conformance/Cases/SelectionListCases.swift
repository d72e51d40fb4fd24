internal import Engine
internal import TokenPairs

/// The list of kept cells: what happens when it is too short, and when it is just long enough.
extension ConformanceKit {
  static let selectionListCases: [ConformanceCase] = [
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
    ConformanceCase(.selection, "counts go on from what is there", small: true) { backend in
      try await countContinues(on: backend)
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
    let family: ConformanceCase.Family = types == nil ? .selection : .typedSelection
    return ConformanceCase(family, title, small: small) { backend in
      let expected = ExpectedSelection(query, within: .exact)
      let short = capacity ?? expected.certainCount - 1
      let first = try await query.run(on: backend, capacity: short)
      guard first.found > short else {
        throw Mismatch("\(first.found) cells were counted: the list should have been too short")
      }
      try expected.check(found: first.found, cells: first.cells, capacity: short)
      // The count tells how long the list must be; nothing is lost then.
      let second = try await query.run(on: backend, capacity: first.found)
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
    return ConformanceCase(types == nil ? .selection : .typedSelection, title, small: small) { backend in
      try await query.check(on: backend)
    }
  }

  /// Two products into one list: the second goes on where the first stopped.
  private static func countContinues(on backend: any Backend) async throws {
    let problem = PairwiseProblem(
      rows: 2, columns: 3, rowLayout: .init(channels: 2), .exact, seed: 155)
    var workspace = Workspace(backend)
    let staged = try problem.stage(in: &workspace)
    let list = try workspace.upload(integers: Poison.integers(4 * 16), 16, 4)
    let count = try workspace.upload(integers: [0, 0], 2)
    let selection = CellSelection(
      thresholds: try workspace.upload([-.infinity], 1), triangular: false, margin: 0, cells: list, found: count)
    try workspace.append(staged.handing(to: selection))
    try workspace.append(staged.handing(to: selection))
    try workspace.download(count)
    try workspace.download(list)
    let downloads = try await workspace.run()
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
