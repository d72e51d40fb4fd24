import CPUBackend
import Engine
import Logging
import Testing
import Weft

@testable import Geometry

/// Cases that can be worked out by hand.
@Suite struct ArgmaxabilityExamplesTests {
  @Test func fourPointsAroundOne() async throws {
    let classes = try OutputClasses([[1, 2], [2, 1], [1, 0], [0, 1], [1, 1]])
    let verdicts = try await classes.verdicts()
    #expect(verdicts == [.argmaxable, .argmaxable, .argmaxable, .argmaxable, .unargmaxable])
  }

  @Test(
    arguments: [
      (nil, Verdict.unargmaxable), ([0, 0.5, 0], .argmaxable), ([0, -0.5, 0], .unargmaxable),
      // The two others' average.
      ([1, 0, -1], .unargmaxable), ([1, 0.0001, -1], .argmaxable),
    ] as [([Float]?, Verdict)])
  func aBiasRescuesTheMiddleOne(bias: [Float]?, middle: Verdict) async throws {
    let classes = try OutputClasses([[-1], [0], [1]], bias: bias)
    #expect(try await classes.verdicts() == [.argmaxable, middle, .argmaxable])
  }

  @Test func oneDimension() async throws {
    let classes = try OutputClasses([[3], [-1.5], [0], [2.999], [-1.5]])
    #expect(try await classes.verdicts() == [.argmaxable, .tied, .unargmaxable, .unargmaxable, .tied])
  }

  @Test func oneClassAlwaysWins() async throws {
    #expect(try await OutputClasses([[0, 0]]).verdicts() == [.argmaxable])
    #expect(try await OutputClasses([[1, -2]], bias: [3]).verdicts() == [.argmaxable])
  }

  @Test func zeroRowsAndColumns() async throws {
    // A column without numbers, as pruning leaves them; a class of zeros inside the others.
    let classes = try OutputClasses([[1, 0, 1], [-1, 0, 1], [0, 0, -2], [0, 0, 0], [0, -0.0, 0]])
    #expect(try await classes.verdicts() == [.argmaxable, .argmaxable, .argmaxable, .tied, .tied])
    let proofs = try await classes.decided()
    guard case .tied(4, .below(let combination)) = proofs[3].claim else {
      Issue.record("\(proofs[3])")
      return
    }
    #expect(combination.classes.sorted() == [0, 1, 2])
  }

  @Test func duplicates() async throws {
    let classes = try OutputClasses([[1, 0], [0, 1], [1, 0], [-1, -1], [1, 0]])
    let proofs = try await classes.decided()
    #expect(proofs.map(\.verdict) == [.tied, .argmaxable, .tied, .argmaxable, .tied])
    guard case .tied(2, .above) = proofs[0].claim else {
      Issue.record("\(proofs[0])")
      return
    }
    #expect(proofs[2].claim == .tied(with: 0, .unsaid) && proofs[4].claim == .tied(with: 0, .unsaid))
  }

  @Test func duplicatesWithOtherBiases() async throws {
    let classes = try OutputClasses([[1, 0], [1, 0], [1, 0], [-1, 0], [1, 0]], bias: [0, 2, 2, 0, -1])
    #expect(try await classes.verdicts() == [.unargmaxable, .tied, .tied, .argmaxable, .unargmaxable])
  }

  /// A class with a copy is tied, whatever else holds; the proof says what the copies are together.
  @Test func copiesBelowOthersAreTied() async throws {
    let classes = try OutputClasses([[1, 0], [1, 0], [1, -0.0], [-1, 0], [1, 0]], bias: [0, 2, 0, 0, -1])
    let proofs = try await classes.decided()
    #expect(proofs.map(\.verdict) == [.tied, .argmaxable, .tied, .argmaxable, .unargmaxable])
    #expect(proofs[0].claim == .tied(with: 2, .below(Combination(classes: [1], weights: [1]))))
    #expect(proofs[2].claim == .tied(with: 0, .unsaid))
  }

  /// With less bias than its neighbours' average a class needs a long hidden vector, and a box may not have room for it.
  @Test func aBoxTakesWhatNeedsALongVector() async throws {
    // Class 1 wins over 0 where h > 10, over 2 where h < 20.
    let classes = try OutputClasses([[0], [1], [2]], bias: [0, -10, -30])
    #expect(try await classes.verdicts() == [.argmaxable, .argmaxable, .argmaxable])
    #expect(try await classes.verdicts(box: 100) == [.argmaxable, .argmaxable, .argmaxable])
    #expect(try await classes.verdicts(box: 15) == [.argmaxable, .argmaxable, .unargmaxable])
    #expect(try await classes.verdicts(box: 9) == [.argmaxable, .unargmaxable, .unargmaxable])
  }

  @Test func aBoxWithoutBiasesChangesNothing() async throws {
    let classes = try OutputClasses([[1, 2], [2, 1], [1, 0], [0, 1], [1, 1]])
    for box in [1e-6, 0.5, 100] {
      let verdicts = try await classes.verdicts(box: box)
      #expect(verdicts == [.argmaxable, .argmaxable, .argmaxable, .argmaxable, .unargmaxable])
    }
  }

  @Test func aBiasThatIsTheSameForAllIsNone() async throws {
    let classes = try OutputClasses([[1, 2], [2, 1], [1, 0], [0, 1], [1, 1]], bias: [3, 3, 3, 3, 3])
    #expect(try await classes.verdicts().last == .unargmaxable)
    #expect(try await classes.verdicts(box: 0.01).last == .unargmaxable)
  }

  @Test func largeAndSmallNumbers() async throws {
    let rows: [[Float]] = [[1, 2], [2, 1], [1, 0], [0, 1], [1, 1]]
    for scale in [Float(1e-30), 1e30, Float.leastNonzeroMagnitude] {
      let classes = try OutputClasses(rows.map { $0.map { $0 * scale } })
      let verdicts = try await classes.verdicts()
      #expect(verdicts == [.argmaxable, .argmaxable, .argmaxable, .argmaxable, .unargmaxable], "\(scale)")
    }
  }

  @Test func badClassesAreRefused() async throws {
    #expect(throws: GeometryError("the vector of class 1 holds nan at 0, where a finite number is expected")) {
      try OutputClasses([[1, 2], [.nan, 1]])
    }
    #expect(throws: GeometryError("the vector of class 0 holds -inf at 1, where a finite number is expected")) {
      try OutputClasses([[1, -.infinity], [0, 1]])
    }
    #expect(throws: GeometryError("the bias has 3 elements, but there are 2 classes")) {
      try OutputClasses([[1, 2], [0, 1]], bias: [1, 2, 3])
    }
    #expect(throws: GeometryError("the bias of class 1 is inf, where a finite number is expected")) {
      try OutputClasses([[1, 2], [0, 1]], bias: [1, .infinity])
    }
    for box in [0, -1, .nan, .infinity] {
      #expect(throws: GeometryError.self) { try ProofChecker(OutputClasses([[1]]), box: box) }
    }
  }
}

/// Layers whose outcome is known by how they were made, on the best device.
@Suite struct ArgmaxabilityPlantedTests {
  @Test func buriedClassesAreFound() async throws {
    var rows = RandomRows(2000, dimension: 64, seed: 1)
    let buried = Array(stride(from: 3, to: 2000, by: 97))
    rows.bury(buried)
    let proofs = try await rows.classes().decided(on: Engine())
    #expect(proofs.filter { $0.verdict == .unargmaxable }.map(\.index) == buried)
    #expect(proofs.allSatisfy { $0.verdict == .unargmaxable || $0.verdict == .argmaxable })
  }

  /// Classes that are an average of a few others moved a little towards 0, or moved half way to the mean of all: their
  /// certificates take one class more than there are dimensions. However many programs are in memory, each class has the
  /// same proof.
  @Test(arguments: [(400, 40), (700, 60), (1500, 100)])
  func theProofsDoNotDependOnHowManyProgramsThereAre(count: Int, dimension: Int) async throws {
    var rows = RandomRows(count, dimension: dimension, seed: UInt64(dimension))
    let buried = [1, count / 2]
    rows.bury(buried)
    let shrunk = [count / 3, count - 1]
    var all = rows.rows
    for index in shrunk {
      all[index] = (0..<dimension).map { column in
        (2...5).reduce(0) { $0 + all[(index + $1 * 31) % 300 + 2][column] } / 4 * 0.9
      }
    }
    let classes = try OutputClasses(all)
    let engine = Engine(backend: CPUBackend(), logger: Logger(label: "test"))
    let expected = try await classes.decided(on: engine)
    #expect(expected.filter { $0.verdict == .unargmaxable }.map(\.index) == (buried + shrunk).sorted())
    #expect(expected.allSatisfy { $0.verdict == .unargmaxable || $0.verdict == .argmaxable })
    for index in buried + shrunk {
      guard case .unargmaxable(let combination) = expected[index].claim else { continue }
      #expect(combination.classes.count == dimension + 1)
    }
    var search = try await ArgmaxSearch(classes, on: engine)
    for limit in [1, 3] {
      search.programsAtATime = limit
      var proofs: [ClassProof] = []
      try await search.run { found, _ in proofs += found }
      #expect(proofs.sorted { $0.index < $1.index } == expected, "\(limit)")
    }
  }

  @Test func buriedClassesAreFoundInTheSizeOfAVocabulary() async throws {
    var rows = RandomRows(30_522, dimension: 384, seed: 2)
    let buried = [7, 15_000, 30_521]
    rows.bury(buried)
    // Some others, so that this takes seconds.
    let chosen = buried + stride(from: 100, to: 30_000, by: 299)
    let proofs = try await rows.classes().decided(only: chosen, on: Engine())
    #expect(proofs.filter { $0.verdict == .unargmaxable }.map(\.index) == buried)
    #expect(proofs.count { $0.verdict == .argmaxable } == 100)
  }

  @Test func rowsOfOneLengthAllWin() async throws {
    for (count, dimension) in [(2000, 16), (500, 3), (257, 64)] {
      var rows = RandomRows(count, dimension: dimension, seed: UInt64(count))
      rows.normalize()
      let proofs = try await rows.classes().decided(on: Engine())
      #expect(proofs.allSatisfy { $0.verdict == .argmaxable }, "\(count) \(dimension)")
    }
  }

  /// A bias can rescue what is buried, and bury what is not.
  @Test func biasesRescueAndBury() async throws {
    var rows = RandomRows(1000, dimension: 16, seed: 5)
    rows.normalize()
    let buried = Array(stride(from: 10, to: 1000, by: 90))
    rows.bury(buried)
    var bias = [Float](repeating: 0, count: 1000)
    // More bias than any other class has wins with h = 0.
    bias[buried[0]] = 1
    // Vectors of length 1 win by less than 2 · √16 wherever |h_j| ≤ 1.
    bias[500] = -1000
    let classes = try rows.classes(bias: bias)
    let free = try await classes.decided(on: Engine())
    #expect(free.filter { $0.verdict != .argmaxable }.map(\.index) == Array(buried.dropFirst()))
    let boxed = try await classes.decided(box: 1, on: Engine())
    #expect(boxed[buried[0]].verdict == .argmaxable && boxed[500].verdict == .unargmaxable)
    #expect(buried.dropFirst().allSatisfy { boxed[$0].verdict == .unargmaxable })
  }

  /// Numbers with few bits, so that midpoints, thirds and quarters are exact: such a class is on an edge or a face, and
  /// rounding of any kind would have it win or lose.
  @Test func classesOnFacesNeverWin() async throws {
    var generator = SplitMix64(seed: 6)
    var rows = (0..<300).map { _ in
      (0..<12).map { _ in Float(Int.random(in: -64...64, using: &generator)) / 32 }
    }
    func sum(_ factors: [Int: Float], over divisor: Float) -> [Float] {
      (0..<12).map { column in factors.reduce(0) { $0 + $1.value * rows[$1.key][column] } / divisor }
    }
    rows[290] = sum([0: 1, 1: 1], over: 2)
    rows[291] = sum([2: 1, 3: 1, 4: 2], over: 4)
    rows[292] = sum([5: 5, 6: 3], over: 8)
    // The third corner is what makes the middle of three the number that it is.
    rows[293] = sum([7: 1, 8: 2], over: 1)
    rows[294] = (0..<12).map { 3 * rows[293][$0] - rows[9][$0] - rows[10][$0] }
    // In an affine subspace of the others: the last columns of all rows are the first one's mirror.
    for row in rows.indices { rows[row] += [-rows[row][0], 1 + rows[row][1]] }
    let proofs = try await OutputClasses(rows).decided(on: Engine())
    for index in [290, 291, 292, 293] { #expect(proofs[index].verdict == .unargmaxable, "\(index)") }
    guard case .unargmaxable(let thirds) = proofs[293].claim else { return }
    #expect(Set(thirds.classes) == [9, 10, 294])
  }

  /// Means of a few rows, rounded: on a face up to the last bit, on one side or the other. Whatever they are called is
  /// proven, and so is every other class.
  @Test(arguments: [2, 3, 5, 12])
  func roundedMeansAreDecided(parts: Int) async throws {
    var random = RandomRows(400, dimension: 16, seed: 7)
    random.normalize()
    var rows = random.rows
    for index in 0..<40 {
      rows[index] = (0..<16).map { column in
        Float((0..<parts).reduce(0.0) { $0 + Double(rows[40 + (index * 7 + $1 * 3) % 360][column]) } / Double(parts))
      }
    }
    let proofs = try await OutputClasses(rows).decided(on: Engine())
    #expect(proofs.allSatisfy { $0.verdict == .argmaxable || $0.verdict == .unargmaxable })
    #expect(proofs.dropFirst(40).allSatisfy { $0.verdict == .argmaxable })
    #expect(proofs.prefix(40).contains { $0.verdict == .unargmaxable })
  }

  /// Scores of a layer times a power of two are the same scores, and its proofs prove the same.
  @Test func scaleDoesNotMatter() async throws {
    var rows = RandomRows(100, dimension: 8, seed: 10).rows
    for index in 60..<100 {
      let parts = (0..<3).map { rows[(index * 7 + $0 * 11) % 60] }
      rows[index] = (0..<8).map { column in parts.reduce(0) { $0 + $1[column] } / 3 }
    }
    let expected = try await OutputClasses(rows).verdicts()
    #expect(Set(expected) == [.argmaxable, .unargmaxable])
    for exponent in -6...12 {
      let scaled = rows.map { $0.map { $0 * Float(sign: .plus, exponent: exponent, significand: 1) } }
      #expect(try await OutputClasses(scaled).verdicts() == expected, "2^\(exponent)")
    }
  }

  @Test func theSameProofsEveryTime() async throws {
    var rows = RandomRows(300, dimension: 8, seed: 8)
    rows.bury([3, 100, 299])
    let classes = try rows.classes()
    let first = try await classes.decided(on: Engine())
    #expect(try await classes.decided(on: Engine()) == first)
    // Nor does a proof depend on what else is asked, as in a run that goes on.
    let some = try await classes.decided(only: [100, 5, 7], on: Engine())
    #expect(some == [first[5], first[7], first[100]])
  }

  @Test func aCancelledSearchStops() async throws {
    let classes = try RandomRows(3000, dimension: 32, seed: 9).classes()
    let search = try await ArgmaxSearch(classes, on: Engine())
    let task = Task {
      try await search.run { _, _ in withUnsafeCurrentTask { $0?.cancel() } }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}

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

  /// A box that reaches to where scores overflow costs no more than one without that.
  @Test func aBoxBeyondAllScores() async throws {
    let rows = RandomRows(1500, dimension: 12, seed: 23).rows.map { row in row.map { $0 * 1e37 } }
    var generator = SplitMix64(seed: 24)
    let bias = (0..<1500).map { _ in Float.random(in: -1...1, using: &generator) }
    let classes = try OutputClasses(rows, bias: bias)
    let chosen = Array(0..<60)
    let free = try await classes.decided(only: chosen)
    #expect(try await classes.decided(box: 1e308, only: chosen).map(\.verdict) == free.map(\.verdict))
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
        #expect(verdict == expected, "\(rows) \(bias) \(box) \(index)")
      }
    }
    #expect(counts[.argmaxable, default: 0] > 150 && counts[.unargmaxable, default: 0] > 150)
  }

  private func expected(_ index: Int, _ rows: [Int], _ bias: [Int], _ box: Int) -> Verdict {
    let others = rows.indices.filter { $0 != index }
    if others.contains(where: { rows[$0] == rows[index] && bias[$0] == bias[index] }) { return .tied }
    if others.contains(where: { rows[$0] == rows[index] && bias[$0] > bias[index] }) { return .unargmaxable }
    var (low, high) = (Double(-box), Double(box))
    var (lowIsOpen, highIsOpen) = (false, false)
    for other in others where rows[other] != rows[index] {
      // (w - w')·h > b' - b
      let (slope, offset) = (rows[index] - rows[other], bias[other] - bias[index])
      let edge = Double(offset) / Double(slope)
      if slope > 0, edge >= low { (low, lowIsOpen) = (edge, true) }
      if slope < 0, edge <= high { (high, highIsOpen) = (edge, true) }
    }
    return low < high || (low == high && !lowIsOpen && !highIsOpen) ? .argmaxable : .unargmaxable
  }
}

/// A solver that gives up decides nothing.
@Suite struct ArgmaxabilityGivingUpTests {
  private func proofs(_ classes: OutputClasses, box: Double? = nil, steps: Int32) async throws -> [ClassProof] {
    let engine = Engine(backend: CPUBackend(), logger: Logger(label: "test"))
    var search = try await ArgmaxSearch(classes, box: box, on: engine)
    search.solverSteps = steps
    search.exactSize = 0
    var proofs: [ClassProof] = []
    try await search.run { found, _ in proofs += found }
    let findings = await search.checker.findings(proofs)
    #expect(findings.allSatisfy { $0 == .proven })
    return proofs.sorted { $0.index < $1.index }
  }

  @Test func classesStayUndecidedWithABound() async throws {
    var rows = RandomRows(400, dimension: 12, seed: 11)
    rows.normalize()
    let planted = [5, 77, 399]
    rows.bury(planted)
    let classes = try rows.classes()
    let given = try await proofs(classes, steps: 0)
    #expect(given.count == 400)
    for proof in given {
      // Never a guess: not one that may be right, either.
      guard planted.contains(proof.index) else {
        #expect(proof.verdict != .unargmaxable)
        continue
      }
      guard case .undecided(_, let bound) = proof.claim else {
        Issue.record("\(proof.index) is \(proof.verdict)")
        continue
      }
      #expect(bound >= 0 && bound.isFinite)
    }
    let whole = try await proofs(classes, steps: 200_000)
    #expect(whole.filter { $0.verdict == .unargmaxable }.map(\.index) == planted)
    #expect(whole.allSatisfy { $0.verdict != .undecided })
  }

  /// What few steps leave is no optimum, and its multipliers are no certificate.
  @Test(arguments: [1, 2, 5, 20] as [Int32])
  func fewStepsNeverMislead(steps: Int32) async throws {
    var rows = RandomRows(300, dimension: 8, seed: 12)
    let planted = [10, 20, 30, 299]
    rows.bury(planted)
    let levels = (0..<300).map { Float($0 % 7) / 64 }
    for (bias, box) in [(nil, nil), (levels, nil), (levels, 4)] as [([Float]?, Double?)] {
      let classes = try rows.classes(bias: bias)
      let whole = try await proofs(classes, box: box, steps: 200_000)
      let given = try await proofs(classes, box: box, steps: steps)
      for (proof, expected) in zip(given, whole) where proof.verdict != .undecided {
        #expect(proof.verdict == expected.verdict, "\(proof.index)")
      }
    }
  }

  @Test func tiesStayTies() async throws {
    var rows = RandomRows(200, dimension: 8, seed: 13)
    rows.bury([50])
    let classes = try OutputClasses(rows.rows + [rows.rows[50]])
    let given = try await proofs(classes, steps: 0)
    #expect(given[50].claim == .tied(with: 200, .unsaid) && given[200].claim == .tied(with: 50, .unsaid))
  }
}
