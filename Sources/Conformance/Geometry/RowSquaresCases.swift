internal import Engine
internal import Geometry

extension ConformanceFamily { static let rowSquares: ConformanceFamily = "rowSquares" }

/// Squared lengths of rows that lie between other channels; sizes straddle vectors and groups.
extension ConformanceKit {
  static let rowSquaresCases: [ConformanceCase] =
    [(1, 1), (3, 4), (5, 15), (5, 16), (5, 17), (9, 64), (9, 255), (9, 257), (130, 33)].map { rows, channels in
      ConformanceCase(
        .rowSquares, "\(rows) × \(channels)", small: rows * channels < 100,
        within: Tolerance(absolute: 1e-7 * Double(channels), relative: 2e-6)
      ) { workspace in
        let vectors = VectorSet(count: rows, .init(channels: channels, before: 3, after: 2), .uniform, seed: 1301)
        let out = try workspace.output(rows)
        try workspace.append(RowSquares(of: try workspace.upload(vectors), rowCount: rows, into: out))
        return [out]
      }
    }
}
