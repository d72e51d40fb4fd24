import Engine
import Testing

@testable import Geometry

/// What is no proof is not taken for one.
@Suite struct ProofCheckerTests {
  /// (1, 1) is inside the others' hull, (1, 0) a corner.
  private let square = Result { try OutputClasses([[1, 2], [2, 1], [1, 0], [0, 1], [1, 1]]) }

  private func finding(
    _ index: Int, _ claim: ClassProof.Claim, in classes: OutputClasses? = nil, box: Double? = nil
  ) async throws -> ProofFinding {
    let checker = try ProofChecker(classes ?? square.get(), box: box)
    return try #require(await checker.findings([ClassProof(index: index, claim: claim)]).first)
  }

  private func reason(_ index: Int, _ claim: ClassProof.Claim, in classes: OutputClasses? = nil, box: Double? = nil)
    async throws -> String
  {
    guard case .rejected(let reason) = try await finding(index, claim, in: classes, box: box) else { return "proven" }
    return reason
  }

  @Test func witnesses() async throws {
    #expect(try await finding(2, .argmaxable(.vector([1, -3]))) == .proven)
    #expect(try await reason(2, .argmaxable(.vector([1, 0]))) == "the hidden vector does not put it above class 1")
    #expect(try await reason(3, .argmaxable(.vector([1, -3]))) == "the hidden vector does not put it above class 2")
    // A tie is no win.
    #expect(try await reason(2, .argmaxable(.vector([1, -1]))) == "the hidden vector does not put it above class 1")
    #expect(try await reason(2, .argmaxable(.vector([0, 0]))).contains("does not put it above"))
    #expect(try await reason(2, .argmaxable(.vector([1, -3, 0]))) == "the hidden vector has not 2 elements")
    #expect(try await reason(2, .argmaxable(.vector([1, -.infinity]))) == "the hidden vector is not finite")
    // Where sums overflow integers decide.
    #expect(try await finding(2, .argmaxable(.vector([1, -1.7e308]))) == .proven)
    #expect(try await finding(2, .argmaxable(.vector([1, 1.7e308]))) != .proven)
    #expect(try await reason(7, .argmaxable(.vector([1, 1]))) == "there is no class 7")
    #expect(try await finding(0, .argmaxable(.row(scale: 1))) == .proven)
    #expect(try await finding(4, .argmaxable(.row(scale: 1))) != .proven)
    #expect(try await finding(2, .argmaxable(.centredRow(scale: 1))) == .proven)
    #expect(try await finding(2, .argmaxable(.centredRow(scale: -1))) != .proven)
    #expect(try await finding(2, .argmaxable(.centredRow(scale: .nan))) == .rejected("the hidden vector is not finite"))
  }

  @Test func aWinByLessThanARoundingCounts() async throws {
    // The lead is 2⁻⁴⁹ of numbers near 1, and then none at all.
    let classes = try OutputClasses([[1, 1], [1, Float(1).nextDown]])
    #expect(try await finding(0, .argmaxable(.vector([1, 0x1p-25])), in: classes) == .proven)
    #expect(try await finding(0, .argmaxable(.vector([1, 0])), in: classes) != .proven)
    #expect(try await finding(1, .argmaxable(.vector([1, -0x1p-25])), in: classes) == .proven)
  }

  @Test func witnessesInABox() async throws {
    #expect(try await finding(2, .argmaxable(.vector([1, -3])), box: 3) == .proven)
    #expect(
      try await reason(2, .argmaxable(.vector([1, -3])), box: 2.5)
        == "element 1 of the hidden vector, -3.0, is outside the box of 2.5")
  }

  @Test func combinations() async throws {
    let third = 1 / 3.0
    let good = Combination(classes: [0, 2, 3], weights: [third, third, third])
    // (1, 1) = ((1,2) + (2,1) + (1,0) + (0,1)) / 4 uses four classes in a plane, which are not independent.
    let dependent = Combination(classes: [0, 1, 2, 3], weights: [0.25, 0.25, 0.25, 0.25])
    #expect(try await reason(4, .unargmaxable(dependent)).contains("not affinely independent"))
    // (1,1) = ½ (1,2) + ½ (1,0)
    let edge = Combination(classes: [0, 2], weights: [0.5, 0.5])
    #expect(try await finding(4, .unargmaxable(edge)) == .proven)
    #expect(try await reason(4, .unargmaxable(good)).contains("misses the vector by"))
    #expect(try await reason(3, .unargmaxable(edge)).contains("misses the vector by"))
    func edited(_ classes: [Int], _ weights: [Double]) async throws -> String {
      try await reason(4, .unargmaxable(Combination(classes: classes, weights: weights)))
    }
    #expect(try await edited([0, 2], [0.5, 0.4]).contains("add up to"))
    #expect(try await edited([0, 2], [0.6, 0.4]).contains("misses the vector"))
    #expect(try await edited([0, 2, 1], [0.5, 0.5, 0]) == "the weights must be positive")
    #expect(try await edited([0, 2, 1], [0.5, 0.5, -1e-12]) == "the weights must be positive")
    #expect(try await edited([0, 2], [0.5, .nan]) == "the weights must be positive")
    #expect(try await edited([0, 2], [0.5]).contains("are no combination"))
    #expect(try await edited([], []).contains("are no combination"))
    for wrong in [[0, 4], [0, 0], [0, 9], [-1, 2]] {
      #expect(try await edited(wrong, [0.5, 0.5]).contains("must be different"))
    }
    #expect(try await edited([4], [1]).contains("must be different"))
    #expect(try await edited([0], [1]).contains("misses the vector"))
  }

  /// Just outside a hull: a combination that is right to the last bit of float32 is still no proof.
  @Test func nearlyInsideIsOutside() async throws {
    let high = Float(0.5).nextUp
    let classes = try OutputClasses([[0, 0], [1, 0], [0.5, -1], [0.5, 1e-9], [high, 0]])
    let edge = Combination(classes: [0, 1], weights: [0.5, 0.5])
    #expect(try await reason(3, .unargmaxable(edge), in: classes).contains("not exactly in the affine hull"))
    // Weights that are only near the exact ones do.
    #expect(try await finding(4, .unargmaxable(edge), in: classes) == .proven)
    let below = Combination(classes: [0, 1, 2], weights: [0.5, 0.5, 1e-9])
    #expect(try await reason(3, .unargmaxable(below), in: classes) == "the weights are not certainly positive")
    #expect(try await classes.verdicts() == [.argmaxable, .argmaxable, .argmaxable, .argmaxable, .unargmaxable])
  }

  /// An equation may look like the weights' sum times a number, and hold only nearly. (0, 1) puts class 2 on top.
  @Test func columnsOfOneNumberAreEquationsToo() async throws {
    let edge = try OutputClasses([[1000, 2], [2, 2], [501, 2 + 0x1p-22], [3, -500]])
    let half = Combination(classes: [0, 1], weights: [0.5, 0.5])
    #expect(try await reason(2, .unargmaxable(half), in: edge).contains("not exactly in the affine hull"))
    #expect(try await finding(2, .argmaxable(.vector([0, 1])), in: edge) == .proven)
    #expect(try await edge.verdicts()[2] == .argmaxable)

    let line = try OutputClasses([[2], [2 * (1 + 0x1p-23)], [-1]])
    let alone = Combination(classes: [0], weights: [1])
    #expect(try await finding(1, .unargmaxable(alone), in: line) != .proven)
    #expect(try await line.verdicts() == [.unargmaxable, .argmaxable, .argmaxable])
    // Where the column is the same for all it is no equation of its own.
    let plane = try OutputClasses([[1000, 2], [2, 2], [501, 2], [3, 2]])
    #expect(try await finding(2, .unargmaxable(half), in: plane) == .proven)
    #expect(try await plane.verdicts() == [.argmaxable, .argmaxable, .unargmaxable, .unargmaxable])
  }

  @Test func combinationsWithBiases() async throws {
    let edge = Combination(classes: [0, 2], weights: [0.5, 0.5])
    for (bias, isProven) in [
      ([0, 0, 0], true), ([1, 0, -1], true), ([1, -0.5, 0], true), ([1, 0, Float(-1).nextDown], false),
      ([0, 1, 0], false),
    ] as [([Float], Bool)] {
      let classes = try OutputClasses([[-1], [0], [1]], bias: bias)
      #expect(try await (finding(1, .unargmaxable(edge), in: classes) == .proven) == isProven, "\(bias)")
      let alone = Combination(classes: [1], weights: [1])
      let twins = try OutputClasses([[5], [5]], bias: Array(bias.prefix(2)))
      // With the same bias they are tied.
      let isBelow = bias[0] < bias[1]
      #expect(try await (finding(0, .unargmaxable(alone), in: twins) == .proven) == isBelow, "\(bias)")
    }
  }

  @Test func ties() async throws {
    let classes = try OutputClasses([[1, 0], [0, 1], [1, -0.0], [1, 0]], bias: [0, 0, 0, 1])
    #expect(try await finding(0, .tied(with: 2, .unsaid), in: classes) == .proven)
    #expect(try await reason(0, .tied(with: 3, .unsaid), in: classes) == "class 3 has not the same numbers")
    #expect(try await finding(0, .tied(with: 0, .unsaid), in: classes) != .proven)
    #expect(try await finding(0, .tied(with: 9, .unsaid), in: classes) != .proven)
    #expect(try await finding(0, .tied(with: 2, .above(.vector([9, 0]))), in: classes) != .proven)
    let even = try OutputClasses([[1, 0], [0, 1], [1, -0.0]])
    #expect(try await finding(0, .tied(with: 2, .above(.vector([9, 0]))), in: even) == .proven)
    #expect(try await finding(0, .tied(with: 2, .above(.vector([0, 9]))), in: even) != .proven)
    // Together they win; that each is no more than the other says nothing of both.
    let line = try OutputClasses([[1], [1], [-1]])
    for combination in [Combination(classes: [1], weights: [1]), Combination(classes: [1, 2], weights: [1, 1e-9])] {
      #expect(try await finding(0, .tied(with: 1, .below(combination)), in: line) != .proven)
    }
  }

  @Test func bounds() async throws {
    // A corner one above the others' plane: no vector of length 1 puts it more than 1 above both.
    let classes = try OutputClasses([[-1, 0], [1, 0], [0, 1]])
    let edge = Combination(classes: [0, 1], weights: [0.5, 0.5])
    #expect(try await finding(2, .undecided(edge, bound: 1.0000001), in: classes) == .proven)
    #expect(try await finding(2, .undecided(edge, bound: 0.9999999), in: classes) != .proven)
    #expect(try await finding(2, .undecided(edge, bound: .nan), in: classes) != .proven)
    let biased = try OutputClasses([[-1, 0], [1, 0], [0, 1]], bias: [0, 0, 1])
    #expect(try await finding(2, .undecided(edge, bound: 1.4143), in: biased) == .proven)
    #expect(try await finding(2, .undecided(edge, bound: 1.4142), in: biased) != .proven)
    // In a box it is the score itself: 0 · h₁ + 1 · h₂ + 1, at most 2.5 where h₂ is 1.5.
    #expect(try await finding(2, .undecided(edge, bound: 2.5001), in: biased, box: 1.5) == .proven)
    #expect(try await finding(2, .undecided(edge, bound: 2.4999), in: biased, box: 1.5) != .proven)
  }

  /// Weights so small that their squares vanish make no bound.
  @Test(arguments: [1e-160, 1e-200, 1e-300, .leastNonzeroMagnitude, 1e10]) func weightsThatVanish(weight: Double)
    async throws
  {
    let classes = try OutputClasses([[-1, 0], [1, 0], [0, 1]])
    let reason = try await reason(2, .undecided(Combination(classes: [0], weights: [weight]), bound: 0), in: classes)
    #expect(reason.contains("does not follow"))
    // Vectors whose squares vanish still have bounds.
    let tiny = try OutputClasses([[0], [.leastNonzeroMagnitude]])
    let other = Combination(classes: [0], weights: [1])
    #expect(try await finding(1, .undecided(other, bound: 1e-46), in: tiny) != .proven)
    #expect(try await finding(1, .undecided(other, bound: 2e-45), in: tiny) == .proven)
  }

  /// Every proof of a search is about its own class and layer.
  @Test func proofsBelongToTheirLayer() async throws {
    var generator = SplitMix64(seed: 9)
    func layer() throws -> OutputClasses {
      try OutputClasses((0..<60).map { _ in (0..<3).map { _ in Float.random(in: -1...1, using: &generator) } })
    }
    let classes = try layer()
    let proofs = try await classes.decided()
    #expect(Set(proofs.map(\.verdict)) == [.argmaxable, .unargmaxable])
    let others = try await ProofChecker(layer()).findings(proofs)
    for (proof, finding) in zip(proofs, others) where proof.verdict == .unargmaxable { #expect(finding != .proven) }
    let moved = proofs.map { ClassProof(index: ($0.index + 1) % 60, claim: $0.claim) }
    let findings = try await ProofChecker(classes).findings(moved)
    for (proof, finding) in zip(moved, findings) {
      // A class's own vector is another one for another class, and may be a proof as well.
      if case .argmaxable(.vector) = proof.claim { #expect(finding != .proven) }
      if case .unargmaxable = proof.claim { #expect(finding != .proven) }
    }
  }

  /// Of classes that are tied none bears witness against the others.
  @Test func tiedClassesAreNotTheRest() async throws {
    let classes = try OutputClasses([[1], [1], [-1]])
    let itself = Combination(classes: [1], weights: [1])
    #expect(
      try await reason(0, .tied(with: 1, .below(itself)), in: classes).contains("holds a class that it is tied with"))
    // With more bias it would be another class.
    let biased = try OutputClasses([[1], [1], [-1], [1]], bias: [0, 0, 0, 1])
    let above = Combination(classes: [3], weights: [1])
    #expect(try await finding(0, .tied(with: 1, .below(above)), in: biased) == .proven)
  }
}
