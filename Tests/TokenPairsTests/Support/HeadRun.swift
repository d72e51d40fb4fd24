import Engine
import ModelFiles
import Networks
import Testing

@testable import TokenPairs

/// A head loaded from the files of a model directory, and the sequences it scores.
struct HeadRun {
  let engine: Engine
  let head: PairHead
  let lengths: [Int]
  let hidden: [Float]
  let width: Int

  /// Imports `stored` through the files that it writes, and makes up hidden states.
  init(_ stored: StoredHead, lengths: [Int], on engine: Engine, seed: UInt64 = 99) async throws {
    let scratch = try Scratch()
    try stored.write(to: scratch)
    let description = try ModelDescription(directory: scratch.path)
    let parameters = try description.spanHead.parameters(
      from: Checkpoint(directory: scratch.path), hiddenSize: stored.hiddenSize)
    var random = SeededGenerator(seed)
    self.engine = engine
    self.lengths = lengths
    width = stored.hiddenSize
    hidden = random.floats(lengths.reduce(0, +) * stored.hiddenSize).map { 2 * $0 }
    head = try await PairHead(parameters, positions: lengths.max() ?? 1, on: engine)
  }

  /// The hidden states of each sequence.
  var sequences: [[[Double]]] {
    var row = 0
    return lengths.map { length in
      defer { row += length }
      return (row..<row + length).map { t in
        hidden[t * width..<(t + 1) * width].map { Double($0) }
      }
    }
  }

  func cells(above threshold: Float, capacity: Int = 4096) async throws -> [PairCell] {
    var submission = Submission()
    let batch = TokenBatch(lengths.map { [Int32](repeating: 0, count: $0) })
    let tokens = try DeviceTokens(batch, on: engine, uploadedBy: &submission)
    let tensor = try engine.makeTensor(.float32, tokens.count, width)
    try submission.upload(.float32(hidden), to: tensor)
    let query = try head.query(hidden: tensor, tokens, threshold: threshold, in: &submission)
    return try await engine.cells(query, after: submission, capacity: capacity)
  }

  /// Expects `cells` to be exactly those that the formula allows, with its scores.
  func check(
    _ cells: [PairCell], against stored: StoredHead, tolerance: Double = 5e-5,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var found: [[ScoredPlace: Double]] = lengths.map { _ in [:] }
    for cell in cells {
      let place = ScoredPlace(type: cell.matrix % stored.types, start: cell.row, end: cell.column)
      let earlier = found[cell.matrix / stored.types].updateValue(Double(cell.score), forKey: place)
      #expect(earlier == nil, "\(place) twice", sourceLocation: sourceLocation)
    }
    for (sequence, found) in zip(sequences, found) {
      let expected = stored.scores(hidden: sequence)
      #expect(Set(found.keys) == Set(expected.keys), sourceLocation: sourceLocation)
      let worst = expected.map { place, score in
        abs(score - (found[place] ?? .infinity)) / max(1, abs(score))
      }.max()
      #expect(worst ?? 0 <= tolerance, sourceLocation: sourceLocation)
    }
  }
}
