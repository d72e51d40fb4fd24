import Engine
import Testing

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
