import Engine
import Networks
import TestDevices
import Testing

@testable import TokenPairs

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
      LinkQuery(head: scores, tail: scores, scale: head.scale, threshold: threshold), among: listed
    ) { links += $0 }
    return links
  }
}
