/// A hidden vector that may put a class above all others.
struct Witness: Sendable {
  let index: Int
  /// Finite, as many as the classes' dimension.
  let elements: [Double]
  /// Whether classes with the same numbers are left out.
  let ignoresDuplicates: Bool
}

/// The same with elements that no double may hold.
struct ExactWitness: Sendable {
  let index: Int
  let hidden: ExactCheck.Hidden
  let ignoresDuplicates: Bool
}

extension ProofChecker {
  /// For each witness the classes that its own is not proven to score above, the closest to the top first; none if the
  /// witness is good.
  func rivals(of witnesses: [Witness]) async -> [[Int]] {
    // Several panels a task, so that a chunk of rows is widened once for all of them, and many tasks.
    let perTask = min(max(witnesses.count / 32 / WitnessPanel.width, 1), 16) * WitnessPanel.width
    return await withTaskGroup(of: (Int, [[Int]]).self) { group in
      for start in stride(from: 0, to: witnesses.count, by: perTask) {
        let part = Array(witnesses[start..<min(start + perTask, witnesses.count)])
        group.addTask { (start, rivalsInTurn(of: part)) }
      }
      var rivals = [[Int]](repeating: [], count: witnesses.count)
      for await (start, part) in group {
        for (offset, list) in part.enumerated() { rivals[start + offset] = list }
      }
      return rivals
    }
  }

  /// For each witness the first class that its own does not score above, if there is one.
  func rivals(of witnesses: [ExactWitness]) async -> [Int?] {
    await withTaskGroup(of: (Int, Int?).self) { group in
      for (place, witness) in witnesses.enumerated() {
        group.addTask {
          let check = ExactCheck(classes)
          let rival = (0..<classes.count).first { other in
            if other == witness.index || (witness.ignoresDuplicates && classes.areDuplicates(other, witness.index)) {
              return false
            }
            return !check.isAbove(witness.index, other, at: witness.hidden)
          }
          return (place, rival)
        }
      }
      var rivals = [Int?](repeating: nil, count: witnesses.count)
      for await (place, rival) in group { rivals[place] = rival }
      return rivals
    }
  }

  private func rivalsInTurn(of witnesses: [Witness]) -> [[Int]] {
    let panels = stride(from: 0, to: witnesses.count, by: WitnessPanel.width).map { start in
      WitnessPanel(Array(witnesses[start..<min(start + WitnessPanel.width, witnesses.count)]), self)
    }
    var doubtful = [[Int]](repeating: [], count: witnesses.count)
    ScoreChunks(classes, bias: bias).forEach { chunk in
      for (number, panel) in panels.enumerated() {
        panel.addDoubtful(chunk, errors: self.norms) { lane, index in
          doubtful[number * WitnessPanel.width + lane].append(index)
        }
      }
    }
    return zip(witnesses, doubtful).map { witness, doubtful in
      var rivals: [(margin: Double, index: Int)] = []
      var hasCertainRival = false
      for index in doubtful where index != witness.index {
        if witness.ignoresDuplicates && classes.areDuplicates(index, witness.index) { continue }
        let margin = margin(of: witness, over: index)
        guard !margin.isCertainlyPositive else { continue }
        hasCertainRival = hasCertainRival || margin.isCertainlyNegative
        rivals.append((margin.value, index))
      }
      // Where no bound on an error decides, integers do. One rival is enough, and the others stay doubtful.
      if !rivals.isEmpty, !hasCertainRival, let hidden = ExactCheck.Hidden(witness.elements) {
        let check = ExactCheck(classes)
        if rivals.allSatisfy({ check.isAbove(witness.index, $0.index, at: hidden) }) { return [] }
      }
      // NaN, from an overflow, sorts nowhere: it stays where it is, and the witness still has a rival.
      return rivals.sorted { ($0.margin, $0.index) < ($1.margin, $1.index) }.map(\.index)
    }
  }

  /// `<w_k - w_i, h> + b_k - b_i`.
  private func margin(of witness: Witness, over index: Int) -> CompensatedSum {
    var sum = CompensatedSum()
    for ((own, other), h) in zip(zip(classes.row(witness.index), classes.row(index)), witness.elements) {
      sum.add(own, times: h)
      sum.add(-other, times: h)
    }
    if let bias {
      sum.add(bias[witness.index], times: 1)
      sum.add(-bias[index], times: 1)
    }
    return sum
  }
}

/// Up to eight witnesses side by side, whose scores are computed together.
///
/// A plain sum of d products is off by at most γ_d·‖w‖·‖h‖, whatever its order (Higham, "Accuracy and stability of
/// numerical algorithms", 3.1). A class is settled here if its score and bias with their error bounds stay below the
/// witness's own; the few others are doubtful, and are checked with more digits.
struct WitnessPanel {
  static let width = 8
  typealias Lanes = SIMD8<Double>

  private let elements: [Lanes]
  /// `c·‖h‖`, to be multiplied by the norm of a class's vector.
  private let errors: Lanes
  /// What the own class scores at least.
  private let least: Lanes
  /// `c`: the unit roundoff times the number of roundings, with a margin for those in the comparison itself.
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
        score += h * w
      }
      let norm = squares.squareRoot() * (1 + factor) + .leastNormalMagnitude.squareRoot()
      let bias = checker.bias?[witness.index] ?? 0
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

/// The vectors of all classes as doubles, a few rows at a time, which stay in a cache.
struct ScoreChunks {
  struct Chunk {
    let first: Int
    let count: Int
    /// `[count, dimension]`, valid while the chunk is looked at; one row of zeros follows an odd count.
    let rows: UnsafePointer<Double>
    /// One bias per class; 0 if there are none.
    let bias: UnsafePointer<Double>
  }

  private let classes: OutputClasses
  private let bias: [Double]?
  private let size: Int

  init(_ classes: OutputClasses, bias: [Double]?) {
    self.classes = classes
    self.bias = bias
    // About 96 KiB, and an even number of rows.
    size = max(2, 12_288 / classes.dimension / 2 * 2)
  }

  func forEach(_ body: (Chunk) -> Void) {
    let dimension = classes.dimension
    withUnsafeTemporaryAllocation(of: Double.self, capacity: size * (dimension + 1)) { memory in
      memory.initialize(repeating: 0)
      guard let rows = memory.baseAddress else { return }
      let bias = rows + size * dimension
      for first in stride(from: 0, to: classes.count, by: size) {
        let count = min(size, classes.count - first)
        classes.copy(rows: first..<first + count, to: rows)
        if let values = self.bias { for row in 0..<count { bias[row] = values[first + row] } }
        body(Chunk(first: first, count: count, rows: rows, bias: bias))
      }
    }
  }
}
