internal import Engine

/// What a selection may and must hold.
struct ExpectedSelection {
  private struct Place: Hashable {
    let matrix, row, column: Int
  }

  /// Exact scores of the cells that may be kept: they pass, or miss by less than the tolerance.
  private var possible: [Place: Double] = [:]
  /// The cells that pass by more than the tolerance.
  private var certain: Set<Place> = []
  private let tolerance: Tolerance
  private let query: SelectionQuery

  /// With an exact tolerance, cells equal to the threshold must be left out.
  init(_ query: SelectionQuery, within tolerance: Tolerance) {
    self.tolerance = tolerance
    self.query = query
    var possible: [Place: Double] = [:]
    var certain: Set<Place> = []
    query.forEachAllowedCell { matrix, i, j, score in
      let slack = tolerance.allows(score)
      let bar = Double(query.threshold(of: matrix))
      let place = Place(matrix: matrix, row: i, column: j)
      if score + slack > bar { possible[place] = score }
      if score - slack > bar { certain.insert(place) }
    }
    self.possible = possible
    self.certain = certain
  }

  var certainCount: Int { certain.count }

  /// Checks a list that had room for all, or was too short.
  func check(found: Int, cells: [Cell], capacity: Int) throws {
    guard found >= certain.count, found <= possible.count else {
      throw Mismatch(
        "\(found) cells were counted, \(certain.count) must pass and \(possible.count) may")
    }
    var seen: Set<Place> = []
    for cell in cells {
      let place = Place(matrix: cell.matrix, row: cell.row, column: cell.column)
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
    on backend: any Backend, within tolerance: Tolerance = .exact
  ) async throws -> [Cell] {
    let expected = ExpectedSelection(self, within: tolerance)
    let capacity = expected.certainCount + 64
    let (found, cells) = try await run(on: backend, capacity: capacity)
    try expected.check(found: found, cells: cells, capacity: capacity)
    return cells
  }

  /// All cells that may be kept, with the scores this backend gives them.
  func everything(on backend: any Backend) async throws -> [Cell] {
    var query = self
    query.threshold = -.infinity
    return try await query.check(on: backend, within: Tolerance(absolute: 1))
  }

  /// Checks that a threshold is a filter and no more: what passes `bar` is exactly what, among all
  /// cells, has a greater score, with the same bits.
  func checkFilter(on backend: any Backend, at bar: Float, among all: [Cell]) async throws {
    var query = self
    query.threshold = bar
    let expected = all.filter { $0.score > bar }
    let (found, cells) = try await query.run(on: backend, capacity: expected.count + 8)
    if let lost = expected.first(where: { !cells.contains($0) }) {
      throw Mismatch("cell \(lost) is above the threshold \(bar) and was not kept")
    }
    guard found == expected.count, cells == expected else {
      throw Mismatch(
        "\(found) cells passed the threshold \(bar), \(expected.count) have a greater score")
    }
  }
}
