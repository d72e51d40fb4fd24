import CPUBackend
import Engine
import Logging
import Testing

@testable import Geometry

/// A solver that gives up decides nothing.
@Suite struct ArgmaxabilityGivingUpTests {
  private func proofs(_ classes: OutputClasses, box: Double? = nil, steps: Int32) async throws -> [ClassProof] {
    let engine = Engine(backend: CPUBackend(), logger: Logger(label: "test"))
    var search = try await ArgmaxSearch(classes, box: box, on: engine)
    search.simplexSteps = steps
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
