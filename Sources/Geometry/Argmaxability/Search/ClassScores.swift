internal import Engine

/// The points of all classes on a device, which says who leads in given directions.
struct ClassScores: Sendable {
  private let engine: Engine
  private let columns: RankedColumns

  init(_ points: ClassPoints, on engine: Engine) async throws(EngineError) {
    self.engine = engine
    let count = points.classes.count
    columns = try await engine.makeRankedColumns(
      Vectors((0..<count).flatMap { points.floats($0) }, dimension: points.width),
      terms: [Float](repeating: 0, count: count))
  }

  /// The class with the highest score in each direction.
  func leader(_ directions: [[Double]]) async throws(EngineError) -> [Int] {
    try await leaders(directions, count: 1).map { $0.first ?? 0 }
  }

  /// The classes with the highest scores in each direction, the highest first: a hint, in float32.
  func leaders(_ directions: [[Double]], count: Int) async throws(EngineError) -> [[Int]] {
    guard let width = directions.first?.count else { return [] }
    let rows = try Vectors(directions.flatMap { $0.map { Float($0) } }, dimension: width)
    let best = try await engine.topK(rows, among: columns, k: min(count, columns.count))
    return stride(from: 0, to: best.indices.count, by: best.k).map { start in
      // A column of -1 stands for a score that is no number.
      best.indices[start..<start + best.k].filter { $0 >= 0 }.map { Int($0) }
    }
  }
}
