/// Up to eight witnesses side by side, whose scores are computed together.
///
/// A plain sum of d products is off by at most γ_d·‖w‖·‖h‖, whatever its order (Higham, "Accuracy and stability of
/// numerical algorithms", 3.1). A class is settled here if its score and bias with their error bounds stay below the
/// witness's own; the few others are doubtful, and looked at with more digits.
struct WitnessPanel {
  static let width = 8
  typealias Lanes = SIMD8<Double>

  private let elements: [Lanes]
  /// `c·‖h‖`, to be multiplied by the norm of a class's vector.
  private let errors: Lanes
  /// What the own class scores at least.
  private let least: Lanes
  /// `c`: the unit roundoff times the number of roundings, and then some for those in the comparison itself.
  private let factor: Double
  private let filled: Int

  init(_ witnesses: [Witness], _ checker: ProofChecker) {
    let dimension = checker.classes.dimension
    let factor = Double(dimension + 16) * 0x1p-53 * 1.01
    var elements = [Lanes](repeating: .zero, count: dimension)
    var (errors, least) = (Lanes.zero, Lanes.zero)
    for (lane, witness) in witnesses.enumerated() {
      var (squares, score) = (0.0, 0.0)
      for (j, (h, w)) in zip(witness.elements, checker.classes.row(witness.index)).enumerated() {
        elements[j][lane] = h
        squares += h * h
        score += h * Double(w)
      }
      let norm = squares.squareRoot() * (1 + factor) + .leastNormalMagnitude.squareRoot()
      let bias = checker.classes.bias.map { Double($0[witness.index]) } ?? 0
      errors[lane] = factor * norm
      least[lane] = score + bias - factor * (norm * checker.norms[witness.index] + abs(bias)) - .leastNormalMagnitude
    }
    (self.elements, self.errors, self.least, self.factor) = (elements, errors, least, factor)
    filled = witnesses.count
  }

  /// Calls `report(lane, class)` for each class of the chunk that is not settled. A comparison with NaN settles nothing.
  func addDoubtful(_ chunk: ScoreChunks.Chunk, errors norms: [Double], report: (Int, Int) -> Void) {
    let dimension = elements.count
    elements.withUnsafeBufferPointer { elements in
      for row in stride(from: 0, to: chunk.count, by: 2) {
        let (first, second) = (chunk.rows + row * dimension, chunk.rows + (row + 1) * dimension)
        var (firstSum, secondSum) = (Lanes.zero, Lanes.zero)
        for j in 0..<dimension {
          let h = elements[j]
          firstSum += h * first[j]
          secondSum += h * second[j]
        }
        compare(firstSum, chunk, row, norms, report)
        if row + 1 < chunk.count { compare(secondSum, chunk, row + 1, norms, report) }
      }
    }
  }

  @inline(__always)
  private func compare(
    _ sums: Lanes, _ chunk: ScoreChunks.Chunk, _ row: Int, _ norms: [Double], _ report: (Int, Int) -> Void
  ) {
    let bias = chunk.bias[row]
    let most = sums + errors * norms[chunk.first + row] + (bias + factor * abs(bias))
    let isSettled = most .< least
    guard isSettled != SIMDMask(repeating: true) else { return }
    for lane in 0..<filled where !isSettled[lane] { report(lane, chunk.first + row) }
  }
}
