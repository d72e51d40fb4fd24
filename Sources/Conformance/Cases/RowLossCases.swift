internal import Engine
internal import Foundation
internal import TokenPairs

/// ZLPR of dense logits: sizes that straddle vectors and groups, hard and soft labels, cells that do not count.
extension ConformanceKit {
  static let rowLossCases: [ConformanceCase] =
    [(1, 1), (3, 5), (2, 15), (2, 16), (2, 17), (5, 64), (3, 255), (3, 256), (3, 257), (2, 1025)].map {
      rowLoss(rows: $0.0, classes: $0.1, small: $0.1 <= 17, scale: 4)
    } + [rowLoss(rows: 4, classes: 33, small: true, scale: 1e4)]

  private static func rowLoss(rows: Int, classes: Int, small: Bool, scale: Float) -> ConformanceCase {
    ConformanceCase(.rowLoss, "\(rows) × \(classes), scores of ±\(scale)", small: small) { backend in
      var generator = SplitMix64(seed: 1301)
      let logits = Draw.uniform(rows * classes, &generator).map { $0 * scale }
      // Hard, soft, and cells that do not count.
      let labels = (0..<rows * classes).map { _ in [0, 0, 0, 1, 0.25, -1][generator.index(below: 6)] as Float }
      var workspace = Workspace(backend)
      let losses = try workspace.output(rows)
      let gradient = try workspace.output(rows, classes)
      try workspace.append(
        RowLoss(
          try workspace.upload(logits, rows, classes), labels: try workspace.upload(labels, rows, classes),
          rows: rows, classes: classes, losses: losses.part, gradient: gradient.part))
      try workspace.download(losses.whole)
      try workspace.download(gradient.whole)
      let results = try await workspace.run().map(\.floats)

      var exactLosses: [Double] = []
      var exactGradient: [Double] = []
      for row in 0..<rows {
        let cells = (row * classes..<(row + 1) * classes).map { (Double(logits[$0]), Double(labels[$0])) }
        func logarithm(_ sign: Double) -> Double {
          let terms = cells.filter { $0.1 >= 0 }.map { (sign > 0 ? 1 - $0.1 : $0.1, sign * $0.0) }.filter { $0.0 > 0 }
          let largest = terms.map(\.1).reduce(0, max)
          return largest + log(terms.reduce(exp(-largest)) { $0 + $1.0 * exp($1.1 - largest) })
        }
        let (negative, positive) = (logarithm(1), logarithm(-1))
        exactLosses.append(negative + positive)
        exactGradient += cells.map { s, t in
          t < 0 ? 0 : (t < 1 ? (1 - t) * exp(s - negative) : 0) - (t > 0 ? t * exp(-s - positive) : 0)
        }
      }
      try compare(
        results[0], with: exactLosses, shape: [rows], within: Tolerance(absolute: 1e-6, relative: 2e-6), "loss")
      // A logarithm near 10⁴ is known to 5e-4, and so is what is divided by its power.
      try compare(
        results[1], with: exactGradient, shape: [rows, classes],
        within: Tolerance(absolute: 1e-6, relative: scale > 100 ? 2e-3 : 2e-5), "derivative")
      for at in labels.indices where labels[at] < 0 && results[1][at] != 0 {
        throw Mismatch("a cell that does not count has the derivative \(results[1][at])")
      }
    }
  }
}
