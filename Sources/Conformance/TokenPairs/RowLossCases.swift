internal import Engine
internal import TokenPairs

extension ConformanceFamily { static let rowLoss: ConformanceFamily = "rowLoss" }

/// ZLPR of dense logits: sizes that straddle vectors and groups, hard and soft labels, cells that do not count.
extension ConformanceKit {
  static let rowLossCases: [ConformanceCase] =
    [(1, 1), (3, 5), (2, 15), (2, 16), (2, 17), (5, 64), (3, 255), (3, 256), (3, 257), (2, 1025)].map {
      rowLoss(rows: $0.0, classes: $0.1, small: $0.1 <= 17, scale: 4)
    } + [rowLoss(rows: 4, classes: 33, small: true, scale: 1e4)]

  private static func rowLoss(rows: Int, classes: Int, small: Bool, scale: Float) -> ConformanceCase {
    ConformanceCase(.rowLoss, "\(rows) × \(classes), scores of ±\(scale)", small: small) { engine in
      var generator = SplitMix64(seed: 1301)
      let logits = Draw.uniform(rows * classes, &generator).map { $0 * scale }
      // Hard, soft, and cells that do not count.
      let labels = (0..<rows * classes).map { _ in [0, 0, 0, 1, 0.25, -1][generator.index(below: 6)] as Float }
      let results = try await compareWithReference(engine) { workspace in
        let losses = try workspace.output(rows)
        let gradient = try workspace.output(rows, classes)
        try workspace.append(
          RowLoss(
            try workspace.upload(logits, rows, classes), labels: try workspace.upload(labels, rows, classes),
            rows: rows, classes: classes, losses: losses, gradient: gradient))
        // A logarithm near 10⁴ is known to 5e-4, and so is what is divided by its power.
        let tolerance = Tolerance(absolute: 1e-6, relative: scale > 100 ? 2e-3 : 2e-5)
        return [
          ComparedOutput(losses, within: Tolerance(absolute: 1e-6, relative: 2e-6), "loss"),
          ComparedOutput(gradient, within: tolerance, "derivative"),
        ]
      }
      let gradient = results[1].floats
      for at in labels.indices where labels[at] < 0 && gradient[at] != 0 {
        throw Mismatch("a cell that does not count has the derivative \(gradient[at])")
      }
    }
  }
}
