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

  /// Which cells may be kept at all.
  func allows(_ i: Int, _ j: Int, rows: Int, columns: Int) -> Bool {
    (!triangular || i <= j) && i >= margin && i < rows - margin && j >= margin && j < columns - margin
  }

  /// Calls `body` for every cell that may be kept, with its exact score, one type after the other.
  func forEachAllowedCell(_ body: (_ matrix: Int, _ i: Int, _ j: Int, _ score: Double) -> Void) {
    var firstTokens: [Int] = []
    var first = 0
    for length in problem.rowLengths {
      firstTokens.append(first)
      first += length
    }
    problem.forEachCell { matrix, i, j, score in
      let segment = matrix / problem.heads
      guard
        allows(
          i, j, rows: problem.rowLengths[segment], columns: problem.columnLengths[segment])
      else { return }
      guard let biases else { return body(matrix, i, j, score) }
      let start = biases.vectors.vector(firstTokens[segment] + i)
      let end = biases.vectors.vector(firstTokens[segment] + j)
      for type in 0..<biases.types {
        body(
          matrix * biases.types + type, i, j,
          score + Double(biases.scale) * (start[type] + end[biases.types + type]))
      }
    }
  }

  /// Asks the backend, with a list of `capacity` cells.
  ///
  /// - Returns: the count of cells that passed, and the cells listed, sorted.
  /// - Throws: a mismatch if the list's end, its guard, a segment's count or the counts' neighbour is not as it must be.
  func run(on backend: any Backend, capacity: Int) async throws -> (found: Int, cells: [Cell]) {
    let spare = 2
    var workspace = Workspace(backend)
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
      let panels = try workspace.pack(
        try workspace.upload(biases.vectors), extent: staged.columnExtent)
      selection.biases = TypeBiases(panels: panels, types: biases.types, scale: biases.scale)
    }
    try workspace.append(staged.handing(to: selection))
    try workspace.download(count)
    try workspace.download(list)
    let downloads = try await workspace.run()
    guard downloads.count == 2, downloads[0].integers.count == segments + 2 else {
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
