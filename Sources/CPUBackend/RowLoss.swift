internal import Engine
internal import Foundation

extension CPUBackend {
  static func rowLoss(_ operation: RowLoss) throws(EngineError) {
    let logits = try floats(operation.logits)
    let labels = try floats(operation.labels)
    let losses = try floats(operation.losses)
    let gradient = try floats(operation.gradient)
    let classes = operation.classes
    for row in 0..<operation.rows {
      let cells = (0..<classes).map { c in
        (score: Double(logits[row * classes + c]), label: Double(labels[row * classes + c]))
      }
      let negative = logarithm(cells.compactMap { $0.label >= 0 && $0.label < 1 ? (1 - $0.label, $0.score) : nil })
      let positive = logarithm(cells.compactMap { $0.label > 0 ? ($0.label, -$0.score) : nil })
      losses[row] = Float(negative + positive)
      for (c, cell) in cells.enumerated() {
        var slope = 0.0
        if cell.label >= 0 && cell.label < 1 { slope += (1 - cell.label) * exp(cell.score - negative) }
        if cell.label > 0 { slope -= cell.label * exp(-cell.score - positive) }
        gradient[row * classes + c] = Float(slope)
      }
    }
  }

  /// `ln(1 + Σ weight · e^exponent)`
  private static func logarithm(_ terms: [(weight: Double, exponent: Double)]) -> Double {
    let largest = terms.reduce(0) { max($0, $1.exponent) }
    let sum = terms.reduce(0) { $0 + $1.weight * exp($1.exponent - largest) }
    return largest > 0 ? largest + log(exp(-largest) + sum) : log1p(sum)
  }
}
