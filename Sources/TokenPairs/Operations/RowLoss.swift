package import Engine
internal import Foundation

/// ZLPR of each row of dense logits, and its derivatives (Su, "ZLPR", 2022; see ``PairLoss`` for the formula).
package struct RowLoss: DeviceOperation {
  /// `[rows, classes]`
  package var logits: Tensor
  /// `[rows, classes]`: probabilities; below 0 for cells that do not count.
  package var labels: Tensor
  package var rows: Int
  package var classes: Int
  /// `[rows]`
  package var losses: Tensor
  /// `[rows, classes]`: of each row's own loss.
  package var gradient: Tensor

  package init(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, losses: Tensor, gradient: Tensor
  ) {
    self.logits = logits
    self.labels = labels
    self.rows = rows
    self.classes = classes
    self.losses = losses
    self.gradient = gradient
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "loss of rows"
    try require(rows > 0 && classes > 0 && rows <= indexLimit && classes <= indexLimit, name, "\(rows) × \(classes)")
    let count = rows.multipliedClamping(by: classes)
    try require(logits, holds: count, name, "the logits")
    try require(labels, holds: count, name, "the labels")
    try require(losses, holds: rows, name, "the losses")
    try require(gradient, holds: count, name, "the gradient")
    for input in [logits, labels] {
      try require(gradient, isNot: input, name)
      try require(losses, isNot: input, name)
    }
    try require(losses, isNot: gradient, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let (scores, targets) = (try memory.floats(logits), try memory.floats(labels))
    let (values, slopes) = (try memory.floats(losses), try memory.floats(gradient))
    for row in 0..<rows {
      let cells = (0..<classes).map { c in
        (score: Double(scores[row * classes + c]), label: Double(targets[row * classes + c]))
      }
      let negative = Self.logarithm(cells.compactMap { $0.label >= 0 && $0.label < 1 ? (1 - $0.label, $0.score) : nil })
      let positive = Self.logarithm(cells.compactMap { $0.label > 0 ? ($0.label, -$0.score) : nil })
      values[row] = Float(negative + positive)
      for (c, cell) in cells.enumerated() {
        var slope = 0.0
        if cell.label >= 0 && cell.label < 1 { slope += (1 - cell.label) * exp(cell.score - negative) }
        if cell.label > 0 { slope -= cell.label * exp(-cell.score - positive) }
        slopes[row * classes + c] = Float(slope)
      }
    }
  }

  /// `ln(1 + Σ weight · e^exponent)`
  private static func logarithm(_ terms: [(weight: Double, exponent: Double)]) -> Double {
    let largest = terms.reduce(0) { max($0, $1.exponent) }
    let sum = terms.reduce(0) { $0 + $1.weight * exp($1.exponent - largest) }
    return largest > 0 ? largest + log(exp(-largest) + sum) : log1p(sum)
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "training/row_loss.cl", "row_loss", tiles,
        arguments: [
          "logits": .tensor(logits), "labels": .tensor(labels), "classes": .int(classes), "losses": .tensor(losses),
          "gradient": .tensor(gradient),
        ],
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}
