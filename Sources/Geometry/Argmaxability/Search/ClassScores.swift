import Engine

/// The points of all classes on a device, which says who leads in given directions.
struct ClassScores: Sendable {
  private let engine: Engine
  private let columns: Panels
  private let count: Int
  private let width: Int

  init(_ points: ClassPoints, on engine: Engine) async throws(EngineError) {
    self.engine = engine
    (count, width) = (points.classes.count, points.width)
    let extent = Extent.whole(count)
    columns = try engine.makePanels(for: extent, channels: width)
    let rows = try engine.makeTensor(.float32, count, width)
    var submission = Submission()
    try submission.upload(.float32((0..<count).flatMap { points.floats($0) }), to: rows)
    try submission.append(.pack(PackColumns(HeadSlices(rows, channels: width), extent: extent, into: columns)))
    _ = try await engine.run(submission)
  }

  /// The classes with the highest scores in each direction, the highest first: a hint, in float32.
  func leaders(_ directions: [[Double]], count leaders: Int) async throws(EngineError) -> [[Int]] {
    // Scores of some directions at a time, about 64 MiB.
    let block = max(1, (1 << 24) / count)
    var result: [[Int]] = []
    for start in stride(from: 0, to: directions.count, by: block) {
      let part = directions[start..<min(start + block, directions.count)]
      let rows = try engine.makeTensor(.float32, part.count, width)
      let scores = try engine.makeTensor(.float32, 1, part.count, count)
      var submission = Submission()
      try submission.upload(.float32(part.flatMap { $0.map { Float($0) } }), to: rows)
      try submission.append(
        .pairwise(
          PairwiseProduct(
            rows: HeadSlices(rows, channels: width), columns: columns, rowExtent: .whole(part.count),
            columnExtent: .whole(count), epilogue: .store(scores))))
      try submission.download(scores)
      let values = try await engine.run(submission)[0].floats
      for row in 0..<part.count {
        result.append(Self.largest(values[row * count..<(row + 1) * count], count: leaders))
      }
    }
    return result
  }

  private static func largest(_ values: ArraySlice<Float>, count: Int) -> [Int] {
    let count = min(count, values.count)
    let first = values.startIndex
    guard count > 1 else {
      var best = first
      for place in values.indices where values[place] > values[best] { best = place }
      return [best - first]
    }
    let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
    return order.prefix(count).map { $0 - first }
  }
}
