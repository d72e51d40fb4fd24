/// Smooths labels type by type: a label `t` becomes `(1 - ε) t + ε p`, `p` being the share of the type's cells that are
/// labelled in the training data.
///
/// Smoothing with one constant for all cells would drown the few labelled cells of n² in the rest; the share of a rare
/// type is small.
struct LabelSmoothing: Sendable, Hashable {
  private let epsilon: Double
  /// For each type, ε p.
  let background: [Float]

  /// - Parameters:
  ///   - epsilon: ε, from 0 to below 1.
  ///   - shares: p of each type.
  init(epsilon: Double, shares: [Double]) {
    self.epsilon = epsilon
    background = shares.map { Float(epsilon * $0) }
  }

  /// The listed labels, smoothed.
  func smooth(_ labels: [PairLabel]) -> [PairLabel] {
    guard epsilon > 0 else { return labels }
    return labels.map { label in
      var label = label
      label.value = min(1, Float(1 - epsilon) * label.value + background[label.type])
      return label
    }
  }

  /// The share of each type's cells that are labelled.
  /// - Parameters:
  ///   - lists: each window's labels, none of them twice.
  ///   - lengths: each window's tokens, CLS and SEP included.
  ///   - types: how many there are.
  ///   - triangular: whether only cells whose row is not after their column count.
  /// - Returns: shares, one a type.
  static func shares(of lists: [[PairLabel]], lengths: [Int], types: Int, triangular: Bool) -> [Double] {
    // CLS and SEP never score.
    let cells = lengths.reduce(0.0) { sum, length in
      let n = Double(max(0, length - 2))
      return sum + (triangular ? n * (n + 1) / 2 : n * n)
    }
    var counts = [Double](repeating: 0, count: types)
    for label in lists.joined() { counts[label.type] += 1 }
    return counts.map { cells == 0 ? 0 : $0 / cells }
  }
}
