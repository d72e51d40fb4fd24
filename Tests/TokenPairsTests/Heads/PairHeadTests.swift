import Engine
import ModelFiles
import Networks
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
      #expect(Double(parameters.shape.biasScale) == row.biasScale, "\(row.name)")
    }
  }

  private func check(_ stored: StoredHead, on device: TestDevice) async throws {
    // Sequences without content, with one token, and across the width of any tile.
    let run = try await HeadRun(stored, lengths: [2, 3, 1, 17, 35], on: device.engine())
    run.check(try await run.cells(above: -1e9), against: stored)
  }
}

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

/// Links of single pairs, from a model directory's files to the two scores, against the formula in Double.
@Suite struct LinkScoresTests {
  @Test(arguments: DialectRow.all, HeadKind.allCases)
  func scoresAreThoseOfTheFormula(row: DialectRow, kind: HeadKind) async throws {
    for device in TestDevice.available {
      try await check(StoredHead(row, kind, rope: false, triangular: false, seed: 51), on: device)
    }
  }

  @Test(arguments: TestDevice.available, HeadKind.allCases)
  func headsThatRotateAreRotated(device: TestDevice, kind: HeadKind) async throws {
    try await check(StoredHead(DialectRow.all[1], kind, triangular: false, seed: 52), on: device)
    try await check(
      StoredHead(DialectRow.all[1], kind, types: 19, headSize: 64, hiddenSize: 33, triangular: false, seed: 53),
      on: device)
  }

  /// Asks for every cell of every sequence as a head, paired with another cell as a tail.
  private func check(_ stored: StoredHead, on device: TestDevice) async throws {
    let run = try await HeadRun(stored, lengths: [3, 9, 20], on: device.engine())
    var cells: [(sequence: Int, row: Int, column: Int)] = []
    for (sequence, length) in run.lengths.enumerated() {
      for row in 1..<length - 1 { for column in 1..<length - 1 { cells.append((sequence, row, column)) } }
    }
    let tails = cells.indices.map { cells[($0 * 7 + 3) % cells.count] }
    let scores = run.sequences.map { stored.scores(hidden: $0) }
    let links = try await run.links(Array(zip(cells, tails)), above: -1e9)
    #expect(links.count == cells.count * stored.types)
    for link in links {
      let (head, tail) = (cells[link.pair], tails[link.pair])
      func expected(_ cell: (sequence: Int, row: Int, column: Int)) -> Double? {
        scores[cell.sequence][ScoredPlace(type: link.predicate, start: cell.row, end: cell.column)]
      }
      let (h, t) = (try #require(expected(head)), try #require(expected(tail)))
      #expect(abs(Double(link.head) - h) < 5e-5 && abs(Double(link.tail) - t) < 5e-5, "\(head) \(tail)")
    }
    // A threshold keeps those whose scores both exceed it, and no others.
    let some = try await run.links(Array(zip(cells, tails)), above: 0.25)
    #expect(some == links.filter { $0.head > 0.25 && $0.tail > 0.25 })
    #expect(!some.isEmpty && some.count < links.count)
  }
}

extension HeadRun {
  /// Which pairs of cells are linked, the head serving for both kinds of links.
  func links(
    _ pairs: [((sequence: Int, row: Int, column: Int), (sequence: Int, row: Int, column: Int))], above threshold: Float
  ) async throws -> [PairLink] {
    var submission = Submission()
    let batch = TokenBatch(lengths.map { [Int32](repeating: 0, count: $0) })
    let tokens = try DeviceTokens(batch, on: engine, uploadedBy: &submission)
    let tensor = try engine.makeTensor(.float32, tokens.count, width)
    try submission.upload(.float32(hidden), to: tensor)
    let scores = try head.linkScores(hidden: tensor, tokens, in: &submission)
    _ = try await engine.run(submission)
    let firsts = lengths.indices.map { lengths[..<$0].reduce(0, +) }
    let listed = pairs.map { head, tail in
      LinkPair(
        head: (firsts[head.sequence] + head.row, firsts[head.sequence] + head.column),
        tail: (firsts[tail.sequence] + tail.row, firsts[tail.sequence] + tail.column))
    }
    var links: [PairLink] = []
    try await engine.links(
      LinkQuery(head: scores, tail: scores, scale: head.shape.scale, threshold: threshold), among: listed
    ) { links += $0 }
    return links
  }
}
