import Engine
import TestDevices
import Testing

@testable import TokenPairs

/// Lists of cells that turn out longer than the room made for them.
@Suite struct HeadCapacityTests {
  @Test(arguments: TestDevice.available, HeadKind.allCases)
  func everyAllowedCellComesThroughAShortList(device: TestDevice, kind: HeadKind) async throws {
    let stored = StoredHead(DialectRow.all[1], kind, types: 4, seed: 51)
    let run = try await HeadRun(stored, lengths: [40, 2, 23, 9], on: device.engine())
    let allowed = [40, 2, 23, 9].reduce(0) { $0 + 4 * ($1 - 2) * ($1 - 1) / 2 }
    let roomy = try await run.cells(above: -1e9, capacity: allowed)
    #expect(roomy.count == allowed)
    run.check(roomy, against: stored)
    for capacity in [1, 7, allowed - 1] {
      #expect(try await run.cells(above: -1e9, capacity: capacity) == roomy, "room for \(capacity)")
    }
  }

  @Test(arguments: TestDevice.available)
  func theThresholdIsStrictAndCellsAreInOrder(device: TestDevice) async throws {
    let stored = StoredHead(DialectRow.all[1], .efficient, types: 3, seed: 52)
    let run = try await HeadRun(stored, lengths: [12, 30], on: device.engine())
    let all = try await run.cells(above: -1e9)
    let places = all.map { [$0.matrix, $0.row, $0.column] }
    #expect(places == places.sorted { $0.lexicographicallyPrecedes($1) })
    let middle = all.map(\.score).sorted()[all.count / 2]
    let above = try await run.cells(above: middle, capacity: 3)
    #expect(above == all.filter { $0.score > middle })
    #expect(try await run.cells(above: 1e9).isEmpty)
  }
}
