internal import Engine

extension ConformanceFamily { static let embeddingSum: ConformanceFamily = "embeddingSum" }

/// Sums of table rows: what a text encoder starts from.
extension ConformanceKit {
  static let embeddingSumCases: [ConformanceCase] =
    [(1, 1), (5, 3), (4, 16), (4, 17), (9, 255), (9, 256), (9, 257), (129, 20), (3, 384)].map {
      embedding(rows: $0, width: $1)
    }

  private static func embedding(rows: Int, width: Int) -> ConformanceCase {
    let small = rows * width < 80
    return ConformanceCase(
      .embeddingSum, "\(rows) × \(width)", small: small, within: Tolerance(absolute: 4e-7)
    ) { workspace in
      let (vocabulary, longest) = (13, 7)
      var generator = SplitMix64(seed: 501 + UInt64(rows * 1000 + width))
      let words = VectorSet(count: vocabulary, .init(channels: width), .uniform, seed: 502)
      let positions = VectorSet(count: longest, .init(channels: width), .uniform, seed: 503)
      let types = VectorSet(count: 2, .init(channels: width), .uniform, seed: 504)
      // The first and the last row of each table, whatever else is drawn.
      var ids = (0..<rows).map { _ in generator.index(below: vocabulary) }
      var places = (0..<rows).map { _ in generator.index(below: longest) }
      (ids[0], places[0]) = (0, longest - 1)
      if rows > 1 { (ids[1], places[1]) = (vocabulary - 1, 0) }

      let out = try workspace.output(rows, width)
      try workspace.append(
        EmbeddingSum(
          ids: try workspace.upload(integers: ids.map(Int32.init) + [Poison.integer], rows + 1),
          tokenPositions: try workspace.upload(
            integers: places.map(Int32.init) + [Poison.integer], rows + 1),
          rows: rows, words: try workspace.upload(words).tensor,
          positions: try workspace.upload(positions).tensor,
          types: try workspace.upload(types).tensor, into: out))
      return [out]
    }
  }
}
