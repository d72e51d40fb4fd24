import ModelFiles
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// Every dialect, both kinds of head: from files to scores, against the formula in Double.
@Suite struct HeadDialectTests {
  @Test func theTableOfTheTestsIsComplete() {
    #expect(HeadDialect.all.map(\.name).sorted() == DialectRow.all.map(\.name).sorted())
    for row in DialectRow.all { #expect(HeadDialect.named(row.name.uppercased())?.name == row.name) }
  }

  @Test(arguments: DialectRow.all, HeadKind.allCases)
  func scoresAreThoseOfTheFormula(row: DialectRow, kind: HeadKind) async throws {
    for device in TestDevice.available {
      try await check(StoredHead(row, kind, seed: 11), on: device)
    }
  }

  @Test(arguments: TestDevice.available, HeadKind.allCases)
  func rotationAndTriangleCanBeOff(device: TestDevice, kind: HeadKind) async throws {
    let row = DialectRow.all[1]
    try await check(StoredHead(row, kind, rope: false, seed: 21), on: device)
    try await check(StoredHead(row, kind, triangular: false, seed: 22), on: device)
    try await check(StoredHead(row, kind, rope: false, triangular: false, seed: 23), on: device)
  }

  @Test(arguments: TestDevice.available)
  func theUsualSizeAndAnOddOneWork(device: TestDevice) async throws {
    let row = DialectRow.all[1]
    try await check(
      StoredHead(row, .efficient, types: 1, headSize: 64, hiddenSize: 33, seed: 31), on: device)
    try await check(
      StoredHead(row, .globalPointer, types: 5, headSize: 7, hiddenSize: 5, rope: false, seed: 32),
      on: device)
    try await check(
      StoredHead(row, .efficient, types: 17, headSize: 3, rope: false, seed: 33), on: device)
  }

  @Test func importedParametersKeepEveryNumber() throws {
    for row in DialectRow.all {
      let scratch = try Scratch()
      try StoredHead(row, .efficient, seed: 41).write(to: scratch)
      let checkpoint = try Checkpoint(directory: scratch.path)
      let parameters = try ModelDescription(directory: scratch.path)
        .spanHead.parameters(from: checkpoint, hiddenSize: 12)
      let inputs = row.biasReadsHidden ? 12 : 16
      let stored = (
        p: try checkpoint.floats(
          named: "head.p_dense.weight", shape: row.storesInputsFirst ? [12, 16] : [16, 12]),
        q: try checkpoint.floats(
          named: "head.q_dense.weight", shape: row.storesInputsFirst ? [inputs, 6] : [6, inputs])
      )
      #expect(parameters.projection.weights.sorted() == stored.p.sorted(), "\(row.name)")
      #expect(parameters.bias?.weights.sorted() == stored.q.sorted(), "\(row.name)")
      #expect(parameters.bias?.inputs == inputs, "\(row.name)")
      #expect(Double(parameters.biasScale) == row.biasScale, "\(row.name)")
    }
  }

  private func check(_ stored: StoredHead, on device: TestDevice) async throws {
    // Sequences without content, with one token, and across the width of any tile.
    let run = try await HeadRun(stored, lengths: [2, 3, 1, 17, 35], on: device.engine())
    run.check(try await run.cells(above: -1e9), against: stored)
  }
}
