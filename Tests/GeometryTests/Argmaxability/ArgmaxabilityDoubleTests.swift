import CPUBackend
import Engine
import Logging
import Testing

@testable import Geometry

/// Layers of float64 numbers, which no device in float32 holds.
@Suite struct ArgmaxabilityDoubleTests {
  private func classes(_ rows: [[Double]], bias: [Double]? = nil) throws -> OutputClasses {
    try OutputClasses(rows.flatMap { $0 }, dimension: rows[0].count, bias: bias)
  }

  /// The last digits decide: in float32 the third class is halfway between the two others, or the same as one.
  @Test func theLastDigitsDecide() async throws {
    for (offset, last) in [(0, Verdict.unargmaxable), (0x1p-51, .argmaxable), (-0x1p-51, .unargmaxable)] {
      let layer = try classes([[1, 2], [2, 1], [1.5, 1.5 + offset], [0, 0]])
      #expect(try await layer.verdicts() == [.argmaxable, .argmaxable, last, .argmaxable], "\(offset)")
    }
    let near = try classes([[1, 0], [1, 0x1p-60], [1, 0], [-1, 0]])
    #expect(try await near.verdicts() == [.tied, .argmaxable, .tied, .argmaxable])
    // A bias that no float32 number holds.
    for (bias, verdict) in [(0.1 + 0x1p-50, Verdict.argmaxable), (0.1, .unargmaxable)] {
      let layer = try classes([[-1], [0], [1]], bias: [0.1, bias, 0.1])
      #expect(try await layer.verdicts() == [.argmaxable, verdict, .argmaxable], "\(bias)")
    }
  }

  @Test func numbersBeyondFloat32() async throws {
    let rows: [[Double]] = [[1, 2], [2, 1], [1, 0], [0, 1], [1, 1]]
    // The least scale is subnormal: 2000 of the smallest numbers.
    for scale in [0x7d0p-1074, 1e-200, 1e200, 1e307] {
      let verdicts = try await classes(rows.map { $0.map { $0 * scale } }).verdicts()
      #expect(verdicts == [.argmaxable, .argmaxable, .argmaxable, .argmaxable, .unargmaxable], "\(scale)")
    }
    let mixed = rows.map { [$0[0] * 1e300, $0[1] * 1e-300] }
    #expect(try await classes(mixed).verdicts().last == .unargmaxable)
  }

  /// Numbers that float32 holds are the same layer, with the same proofs.
  @Test func wholeFloat32NumbersAreThatLayer() async throws {
    var rows = RandomRows(200, dimension: 8, seed: 41)
    rows.bury([3, 100, 199])
    let (single, double) = (try rows.classes(), try classes(rows.rows.map { $0.map { Double($0) } }))
    #expect(single == double && single.fingerprint == double.fingerprint)
    var other = rows.rows.map { $0.map { Double($0) } }
    other[7][3] = other[7][3].nextUp
    let changed = try classes(other)
    #expect(changed != single && changed.fingerprint != single.fingerprint)
  }

  /// Classes of doubles that were moved into the hull of the others.
  @Test func plantedClassesAreFound() async throws {
    var generator = SplitMix64(seed: 42)
    var rows = RandomRows(700, dimension: 24, seed: 43).rows.map { row in
      row.map { Double($0) * (1 + Double.random(in: -1...1, using: &generator) * 0x1p-30) }
    }
    let planted = [0, 350, 699]
    for index in planted {
      let parts = (1...4).map { rows[index / 7 + $0] }
      rows[index] = (0..<24).map { column in parts.reduce(0) { $0 + $1[column] } / 4 * 0.8 }
    }
    let proofs = try await classes(rows).decided()
    #expect(proofs.filter { $0.verdict == .unargmaxable }.map(\.index) == planted)
    #expect(proofs.count { $0.verdict == .argmaxable } == 697)
  }

  @Test func badClassesAreRefused() {
    #expect(throws: GeometryError("the vector of class 1 holds nan at 0, where a finite number is expected")) {
      try classes([[1, 2], [.nan, 1]])
    }
    #expect(throws: GeometryError("the bias of class 1 is inf, where a finite number is expected")) {
      try classes([[1, 2], [0, 1]], bias: [1, .infinity])
    }
    #expect(throws: GeometryError("3 elements are not vectors of dimension 2")) {
      try OutputClasses([1, 2, 3], dimension: 2)
    }
    #expect(throws: GeometryError("0 elements are not vectors of dimension 2")) { try OutputClasses([], dimension: 2) }
  }

  /// The check takes nothing that holds of the rounded numbers alone.
  @Test func proofsAreAboutTheNumbersAsTheyAre() async throws {
    let layer = try classes([[1, 2], [2, 1], [1.5, 1.5 + 0x1p-51], [0, 0]])
    let half = Combination(classes: [0, 1], weights: [0.5, 0.5])
    let exact = Combination(classes: [0, 1], exactWeights: ["1/2", "1/2"].compactMap { ExactNumber($0) })
    let checker = try ProofChecker(layer)
    for combination in [half, exact] {
      let finding = await checker.findings([ClassProof(index: 2, claim: .unargmaxable(combination))])
      #expect(finding != [.proven])
    }
    let below = try ProofChecker(classes([[1, 2], [2, 1], [1.5, 1.5 - 0x1p-51], [0, 0]]))
    let up = ClassProof(index: 2, claim: .argmaxable(.vector([1, 1])))
    #expect(await checker.findings([up]) == [.proven])
    #expect(await below.findings([up]) != [.proven])
    let copy = try ProofChecker(classes([[1, 0], [1, 0x1p-60], [-1, 0]]))
    #expect(await copy.findings([ClassProof(index: 0, claim: .tied(with: 1, .unsaid))]) != [.proven])
  }
}
