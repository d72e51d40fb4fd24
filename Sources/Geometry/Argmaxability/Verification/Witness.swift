/// A hidden vector that may put a class above all others.
package struct Witness: Sendable {
  package let index: Int
  /// Finite, as many as the classes' dimension.
  package let elements: [Double]
  /// Whether classes with the very same numbers do not count.
  package let ignoresDuplicates: Bool

  package init(index: Int, elements: [Double], ignoresDuplicates: Bool) {
    self.index = index
    self.elements = elements
    self.ignoresDuplicates = ignoresDuplicates
  }
}

extension ProofChecker {
  /// For each witness the classes that its own is not proven to score above, the closest to the top first; none if the
  /// witness is good.
  package func rivals(of witnesses: [Witness]) async -> [[Int]] {
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

  private func rivalsInTurn(of witnesses: [Witness]) -> [[Int]] {
    let panels = stride(from: 0, to: witnesses.count, by: WitnessPanel.width).map { start in
      WitnessPanel(Array(witnesses[start..<min(start + WitnessPanel.width, witnesses.count)]), self)
    }
    var doubtful = [[Int]](repeating: [], count: witnesses.count)
    ScoreChunks(classes).forEach { chunk in
      for (number, panel) in panels.enumerated() {
        panel.addDoubtful(chunk, errors: self.norms) { lane, index in
          doubtful[number * WitnessPanel.width + lane].append(index)
        }
      }
    }
    return zip(witnesses, doubtful).map { witness, doubtful in
      var rivals: [(margin: Double, index: Int)] = []
      for index in doubtful where index != witness.index {
        if witness.ignoresDuplicates && classes.areDuplicates(index, witness.index) { continue }
        let margin = margin(of: witness, over: index)
        if !margin.isCertainlyPositive { rivals.append((margin.value, index)) }
      }
      // NaN, from an overflow, sorts nowhere: it stays where it is, and the witness has a rival all the same.
      return rivals.sorted { ($0.margin, $0.index) < ($1.margin, $1.index) }.map(\.index)
    }
  }

  /// `<w_k - w_i, h> + b_k - b_i`.
  private func margin(of witness: Witness, over index: Int) -> CompensatedSum {
    var sum = CompensatedSum()
    for ((own, other), h) in zip(zip(classes.row(witness.index), classes.row(index)), witness.elements) {
      sum.add(Double(own), times: h)
      sum.add(-Double(other), times: h)
    }
    if let bias = classes.bias {
      sum.add(Double(bias[witness.index]), times: 1)
      sum.add(-Double(bias[index]), times: 1)
    }
    return sum
  }
}
