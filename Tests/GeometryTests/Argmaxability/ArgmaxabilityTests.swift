import Engine
import Testing
import Weft

@testable import Geometry

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

  /// Means of a few rows, rounded: on a face but for the last bit, on one side or the other. Whatever they are called is
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
