/// ZLPR of each row of dense logits, and its derivatives (Su, "ZLPR", 2022; see ``PairLoss`` for the formula).
package struct RowLoss: Sendable {
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

  func validate() throws(EngineError) {
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
}
