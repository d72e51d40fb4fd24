import Engine
import Testing

@testable import Geometry

/// Small whole numbers, where faces, edges, lines and duplicates are the rule, against an oracle without rounding.
@Suite struct ArgmaxabilityOracleTests {
  @Test(arguments: [(1, 6), (2, 9), (3, 9), (4, 8)])
  func withoutBiases(dimension: Int, count: Int) async throws {
    var generator = SplitMix64(seed: UInt64(dimension))
    var seen: Set<Verdict> = []
    for _ in 0..<40 {
      let rows = (0..<count).map { _ in (0..<dimension).map { _ in Int.random(in: -2...2, using: &generator) } }
      let classes = try OutputClasses(rows.map { $0.map(Float.init) })
      let verdicts = try await classes.verdicts()
      #expect(verdicts == ExactOracle(rows: rows, bias: nil).expected(), "\(rows)")
      seen.formUnion(verdicts)
    }
    #expect(seen.isSuperset(of: [.argmaxable, .tied]) && (dimension > 3 || seen.contains(.unargmaxable)))
  }

  @Test(arguments: [(1, 7), (2, 9), (3, 8)])
  func withBiases(dimension: Int, count: Int) async throws {
    var generator = SplitMix64(seed: UInt64(dimension + 10))
    var seen: Set<Verdict> = []
    for _ in 0..<40 {
      let rows = (0..<count).map { _ in (0..<dimension).map { _ in Int.random(in: -2...2, using: &generator) } }
      let bias = (0..<count).map { _ in Int.random(in: -2...1, using: &generator) }
      let classes = try OutputClasses(rows.map { $0.map(Float.init) }, bias: bias.map(Float.init))
      let verdicts = try await classes.verdicts()
      #expect(verdicts == ExactOracle(rows: rows, bias: bias).expected(), "\(rows) \(bias)")
      seen.formUnion(verdicts)
    }
    #expect(seen.isSuperset(of: [.argmaxable, .unargmaxable]))
  }

  /// A box in which all hidden vectors lie that matter changes nothing, however large it is.
  @Test(arguments: [1e6, 1e9, 1e12, 1e100, 1e300]) func anEndlessBox(box: Double) async throws {
    let rows = RandomRows(40, dimension: 3, seed: 21)
    var generator = SplitMix64(seed: 22)
    let bias = (0..<40).map { _ in Float.random(in: -2...2, using: &generator) }
    let classes = try rows.classes(bias: bias)
    let free = try await classes.verdicts()
    #expect(free.contains(.argmaxable) && free.contains(.unargmaxable) && !free.contains(.undecided))
    #expect(try await classes.verdicts(box: box) == free)
  }

  /// In one dimension and a box a class wins on an open interval.
  @Test func inABox() async throws {
    var generator = SplitMix64(seed: 77)
    var counts: [Verdict: Int] = [:]
    for _ in 0..<100 {
      let box = Int.random(in: 1...4, using: &generator)
      let rows = (0..<6).map { _ in Int.random(in: -3...3, using: &generator) }
      let bias = (0..<6).map { _ in Int.random(in: -4...4, using: &generator) }
      let classes = try OutputClasses(rows.map { [Float($0)] }, bias: bias.map(Float.init))
      let verdicts = try await classes.verdicts(box: Double(box))
      for (index, verdict) in verdicts.enumerated() {
        counts[verdict, default: 0] += 1
        let expected = expected(index, rows, bias, box)
        // Where it can tie and not win, no combination is below by a margin, and no proof need be found.
        #expect(
          verdict == expected.verdict || (verdict == .undecided && expected.isOpen), "\(rows) \(bias) \(box) \(index)")
      }
    }
    #expect(counts[.argmaxable, default: 0] > 150 && counts[.unargmaxable, default: 0] > 150)
    #expect(counts[.undecided, default: 0] < 30)
  }

  private func expected(_ index: Int, _ rows: [Int], _ bias: [Int], _ box: Int) -> (verdict: Verdict, isOpen: Bool) {
    let others = rows.indices.filter { $0 != index }
    if others.contains(where: { rows[$0] == rows[index] && bias[$0] > bias[index] }) { return (.unargmaxable, false) }
    if others.contains(where: { rows[$0] == rows[index] && bias[$0] == bias[index] }) { return (.tied, false) }
    var (low, high) = (Double(-box), Double(box))
    var (lowIsOpen, highIsOpen) = (false, false)
    for other in others where rows[other] != rows[index] {
      // (w - w')·h > b' - b
      let (slope, offset) = (rows[index] - rows[other], bias[other] - bias[index])
      let edge = Double(offset) / Double(slope)
      if slope > 0, edge >= low { (low, lowIsOpen) = (edge, true) }
      if slope < 0, edge <= high { (high, highIsOpen) = (edge, true) }
    }
    if low < high || (low == high && !lowIsOpen && !highIsOpen) { return (.argmaxable, false) }
    return (.unargmaxable, low == high)
  }
}
