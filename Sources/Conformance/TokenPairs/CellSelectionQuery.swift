internal import Engine
internal import TokenPairs

/// A cell that was kept.
struct Cell: Hashable, Comparable, CustomStringConvertible {
  let matrix, row, column: Int
  let score: Float

  static func < (a: Cell, b: Cell) -> Bool {
    (a.matrix, a.row, a.column) < (b.matrix, b.row, b.column)
  }

  static func == (a: Cell, b: Cell) -> Bool {
    (a.matrix, a.row, a.column, a.score.bitPattern)
      == (b.matrix, b.row, b.column, b.score.bitPattern)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(matrix)
    hasher.combine(row)
    hasher.combine(column)
  }

  var description: String { "(\(matrix), \(row), \(column)): \(score)" }
}

/// Biases that tell types apart, for a problem whose rows and columns are the same tokens.
struct TypeBiasSet: Sendable {
  /// One vector a token: a start bias for each type, then an end bias for each.
  var vectors: VectorSet
  let types: Int
  let scale: Float

  init(types: Int, tokens: Int, scale: Float, _ draw: Draw, seed: UInt64) {
    self.types = types
    self.scale = scale
    vectors = VectorSet(count: tokens, .init(channels: 2 * types), draw, seed: seed)
  }
}

/// A question: which cells of a problem pass?
struct SelectionQuery: Sendable {
  var problem: PairwiseProblem
  var biases: TypeBiasSet?
  /// Every segment's, where `thresholds` says nothing else.
  var threshold: Float
  /// One for each segment.
  var thresholds: [Float]?
  var triangular = false
  var margin = 0

  init(
    problem: PairwiseProblem, biases: TypeBiasSet? = nil, threshold: Float, thresholds: [Float]? = nil,
    triangular: Bool = false, margin: Int = 0
  ) {
    self.problem = problem
    self.biases = biases
    self.threshold = threshold
    self.thresholds = thresholds
    self.triangular = triangular
    self.margin = margin
  }

  /// Which segment a matrix of cells is of.
  func segment(of matrix: Int) -> Int { matrix / (problem.heads * (biases?.types ?? 1)) }

  func threshold(of matrix: Int) -> Float { thresholds?[segment(of: matrix)] ?? threshold }

  /// Cells of all matrices and types.
  var cellCount: Int {
    zip(problem.rowLengths, problem.columnLengths).reduce(0) { $0 + $1.0 * $1.1 } * problem.heads * (biases?.types ?? 1)
  }

  /// Asks the engine, with a list of `capacity` cells.
  ///
  /// - Returns: the count of cells that passed, and the cells listed, sorted.
  /// - Throws: a mismatch if the list's end, its guard, a segment's count or the counts' neighbour is not as it must be.
  func run(on engine: Engine, capacity: Int) async throws -> (found: Int, cells: [Cell]) {
    let spare = 2
    var workspace = Workspace(engine)
    let staged = try problem.stage(in: &workspace)
    let list = try workspace.upload(integers: Poison.integers(4 * (capacity + spare)), capacity + spare, 4)
    let segments = problem.rowLengths.count
    let zeros = [Int32](repeating: 0, count: 1 + segments)
    let count = try workspace.upload(integers: zeros + [Poison.integer], segments + 2)
    let bounds = thresholds ?? [Float](repeating: threshold, count: segments)
    var selection = CellSelection(
      thresholds: try workspace.upload(bounds + Poison.floats(1), segments + 1), triangular: triangular,
      margin: margin, cells: Tensor(storage: list.storage, elementType: .int32, shape: [capacity, 4]), found: count)
    if let biases {
      let (panels, peaks) = try workspace.packWithPeaks(
        try workspace.upload(biases.vectors), extent: staged.columnExtent)
      selection.biases = TypeBiases(panels: panels, peaks: peaks, types: biases.types, scale: biases.scale)
    }
    try workspace.append(staged.handing(to: selection))
    let downloads = try await workspace.run(reading: [count, list])
    guard downloads[0].integers.count == segments + 2 else {
      throw Mismatch("the downloads are not what was asked for")
    }
    return try read(downloads[1].integers, counts: downloads[0].integers, capacity: capacity)
  }

  private func read(
    _ words: [Int32], counts: [Int32], capacity: Int
  ) throws -> (found: Int, cells: [Cell]) {
    let found = Int(counts[0])
    guard found >= 0, counts.last == Poison.integer else {
      throw Mismatch("the count is \(found), the word behind the counts \(counts[counts.count - 1])")
    }
    let counted = counts.dropFirst().dropLast().map(Int.init)
    guard counted.reduce(0, +) == found else {
      throw Mismatch("\(found) cells were counted, by segment \(counted)")
    }
    let kept = min(found, capacity)
    guard let bad = words[(4 * kept)...].firstIndex(where: { $0 != Poison.integer }) else {
      let cells = (0..<kept).map {
        Cell(
          matrix: Int(words[4 * $0]), row: Int(words[4 * $0 + 1]), column: Int(words[4 * $0 + 2]),
          score: Float(bitPattern: UInt32(bitPattern: words[4 * $0 + 3])))
      }
      for (segment, count) in counted.enumerated() where found <= capacity {
        let listed = cells.count { self.segment(of: $0.matrix) == segment }
        guard listed == count else { throw Mismatch("segment \(segment) counts \(count) cells and lists \(listed)") }
      }
      return (found, cells.sorted())
    }
    throw Mismatch("slot \(bad / 4) was written: \(found) cells were found, \(capacity) have room")
  }
}

/// What a selection may and must hold.
struct ExpectedSelection {
  private struct CellPosition: Hashable {
    let matrix, row, column: Int
  }

  /// Exact scores of the cells that may be kept: they pass, or miss by less than the tolerance.
  private var possible: [CellPosition: Double] = [:]
  /// The cells that pass by more than the tolerance.
  private var certain: Set<CellPosition> = []
  private let tolerance: Tolerance
  private let query: SelectionQuery

  /// Asks the reference for everything that may be kept. With an exact tolerance, cells equal to the threshold must be
  /// left out.
  init(_ query: SelectionQuery, within tolerance: Tolerance) async throws {
    self.tolerance = tolerance
    self.query = query
    for cell in try await query.unfiltered.run(on: .reference, capacity: query.cellCount).cells {
      let score = Double(cell.score)
      let slack = tolerance.allows(score)
      let bar = Double(query.threshold(of: cell.matrix))
      let place = CellPosition(matrix: cell.matrix, row: cell.row, column: cell.column)
      if score + slack > bar { possible[place] = score }
      if score - slack > bar { certain.insert(place) }
    }
  }

  var certainCount: Int { certain.count }

  /// Checks a list that had room for all, or was too short.
  func check(found: Int, cells: [Cell], capacity: Int) throws {
    guard found >= certain.count, found <= possible.count else {
      throw Mismatch(
        "\(found) cells were counted, \(certain.count) must pass and \(possible.count) may")
    }
    var seen: Set<CellPosition> = []
    for cell in cells {
      let place = CellPosition(matrix: cell.matrix, row: cell.row, column: cell.column)
      guard let exact = possible[place] else { throw Mismatch("cell \(cell) must not be kept") }
      let error = abs(Double(cell.score) - exact)
      guard error <= tolerance.allows(exact) else {
        throw Mismatch(
          "cell \(cell): expected \(exact), error \(error), tolerance \(tolerance.allows(exact))")
      }
      guard cell.score > query.threshold(of: cell.matrix) else {
        throw Mismatch("cell \(cell) is not above the threshold \(query.threshold(of: cell.matrix))")
      }
      guard seen.insert(place).inserted else { throw Mismatch("cell \(cell) is listed twice") }
    }
    guard found <= capacity, let missing = certain.first(where: { !seen.contains($0) }) else {
      return
    }
    throw Mismatch(
      "cell (\(missing.matrix), \(missing.row), \(missing.column)) is missing from the list")
  }
}

extension SelectionQuery {
  /// Asks with room for all cells, and checks the answer.
  @discardableResult
  func check(
    on engine: Engine, within tolerance: Tolerance = .exact
  ) async throws -> [Cell] {
    let expected = try await ExpectedSelection(self, within: tolerance)
    let capacity = expected.certainCount + 64
    let (found, cells) = try await run(on: engine, capacity: capacity)
    try expected.check(found: found, cells: cells, capacity: capacity)
    return cells
  }

  /// The same question without thresholds.
  var unfiltered: SelectionQuery {
    var query = self
    query.threshold = -.infinity
    query.thresholds = nil
    return query
  }

  /// All cells that may be kept, with the scores this engine gives them.
  func everything(on engine: Engine) async throws -> [Cell] {
    try await unfiltered.check(on: engine, within: Tolerance(absolute: 1))
  }

  /// Checks that a threshold is a filter and no more: what passes `bar` is exactly what, among all
  /// cells, has a greater score, with the same bits.
  func checkFilter(on engine: Engine, at bar: Float, among all: [Cell]) async throws {
    var query = self
    query.threshold = bar
    let expected = all.filter { $0.score > bar }
    let (found, cells) = try await query.run(on: engine, capacity: expected.count + 8)
    if let lost = expected.first(where: { !cells.contains($0) }) {
      throw Mismatch("cell \(lost) is above the threshold \(bar) and was not kept")
    }
    guard found == expected.count, cells == expected else {
      throw Mismatch(
        "\(found) cells passed the threshold \(bar), \(expected.count) have a greater score")
    }
  }
}
