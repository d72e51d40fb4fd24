/// One run of a cell query, and what the next must ask.
struct CellPass {
  private let query: CellQuery
  private var thresholds: [Float]
  private var counts: [Int]
  private var cells: [PairCell] = []
  /// Room in the list.
  var capacity: Int

  init(_ query: CellQuery, capacity: Int) {
    self.query = query
    self.capacity = capacity
    thresholds = [Float](repeating: query.threshold, count: query.segments)
    counts = [Int](repeating: 0, count: query.segments)
  }

  /// Cells that passed, also those the list had no room for.
  var total: Int { counts.reduce(0, +) }
  /// Whether the list holds all of them.
  var isComplete: Bool { total <= capacity }
  /// Segments with more cells than the query's limit.
  var crowdedSegments: Set<Int> {
    guard let limit = query.limit else { return [] }
    return Set(counts.indices.filter { counts[$0] > limit })
  }

  mutating func run(after submission: Submission = Submission(), on engine: Engine) async throws(EngineError) {
    var submission = submission
    let list = try engine.makeTensor(.int32, capacity, 4)
    let found = try engine.makeTensor(.int32, 1 + query.segments)
    let bounds = try engine.makeTensor(.float32, query.segments)
    try submission.upload(.int32([Int32](repeating: 0, count: 1 + query.segments)), to: found)
    try submission.upload(.float32(thresholds), to: bounds)
    let selection = CellSelection(
      thresholds: bounds, triangular: query.triangular, margin: query.margin, cells: list, found: found)
    try submission.append(
      .pairwise(
        PairwiseProduct(
          rows: query.rows, columns: query.columns, rowExtent: query.rowExtent, columnExtent: query.columnExtent,
          scale: query.scale, epilogue: query.biases.map { .selectTyped(selection, $0) } ?? .select(selection))))
    let foundAt = try submission.download(found)
    let listAt = try submission.download(list)
    let results = try await engine.run(submission)
    counts = results[foundAt].integers.dropFirst().map { Int(UInt32(bitPattern: $0)) }
    let words = results[listAt].integers
    cells = (0..<min(total, capacity)).map { PairCell(words[(4 * $0)...].prefix(4)) }
  }

  /// Finds, for each crowded segment, the lowest threshold that leaves no more cells than the limit, by halving the
  /// range of floats it can lie in; the list stays out of it, so memory does not grow with what passes.
  mutating func raiseThresholds(of crowded: Set<Int>, on engine: Engine) async throws(EngineError) {
    let limit = query.limit ?? .max
    // Too low, and high enough: nothing is above infinity.
    var low = [Int](repeating: query.threshold.orderKey, count: query.segments)
    var high = [Int](repeating: Float.infinity.orderKey, count: query.segments)
    var counting = CellPass(query, capacity: 1)
    while let widest = crowded.map({ high[$0] - low[$0] }).max(), widest > 1 {
      for segment in counting.thresholds.indices {
        let middle = (low[segment] + high[segment]) / 2
        counting.thresholds[segment] = crowded.contains(segment) ? Float(orderKey: middle) : .infinity
      }
      try await counting.run(on: engine)
      for segment in crowded {
        let middle = counting.thresholds[segment].orderKey
        if counting.counts[segment] > limit { low[segment] = middle } else { high[segment] = middle }
      }
    }
    for segment in crowded { thresholds[segment] = Float(orderKey: high[segment]) }
    counting.thresholds = thresholds
    try await counting.run(on: engine)
    counts = counting.counts
  }

  /// The listed cells, of crowded segments only those that the limit leaves.
  func strongest(of crowded: Set<Int>) -> [PairCell] {
    guard let limit = query.limit, !crowded.isEmpty else { return cells }
    var bounds: [Int: Float] = [:]
    for (segment, listed) in Dictionary(grouping: cells, by: query.segment(of:)) where listed.count > limit {
      bounds[segment] = listed.map(\.score).sorted(by: >)[limit]
    }
    return cells.filter { cell in bounds[query.segment(of: cell)].map { cell.score > $0 } ?? true }
  }
}

extension PairCell {
  /// From a list's words: matrix, row, column, and the score's bits.
  fileprivate init(_ words: ArraySlice<Int32>) {
    let at = words.startIndex
    self.init(
      matrix: Int(words[at]), row: Int(words[at + 1]), column: Int(words[at + 2]),
      score: Float(bitPattern: UInt32(bitPattern: words[at + 3])))
  }
}

extension Float {
  /// An integer that orders as the number does, neighbours of neighbours; both zeros are 0.
  fileprivate var orderKey: Int {
    let bits = Int(Int32(bitPattern: bitPattern))
    return bits >= 0 ? bits : Int(Int32.min) - bits
  }

  fileprivate init(orderKey key: Int) {
    let bits = key >= 0 ? key : Int(Int32.min) - key
    self.init(bitPattern: UInt32(bitPattern: Int32(truncatingIfNeeded: bits)))
  }
}
