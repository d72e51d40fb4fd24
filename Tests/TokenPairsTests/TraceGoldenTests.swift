import Engine
import Foundation
import ModelFiles
import Networks
import TestDevices
import Testing

@testable import TokenPairs

/// Two sentences followed from token ids to scores, against PyTorch's intermediate values.
@Suite struct TraceGoldenTests {
  private static let models = ["litbank-tiny", "litbank-minilm"]

  @Test(
    .enabled(
      if: Places.hasShared(
        "goldens/litbank-tiny/trace.safetensors", "goldens/litbank-minilm/trace.safetensors"),
      "needs ../shared"), .enabled(if: TestDevice.hasOpenCL), arguments: models)
  func everyStageIsThatOfPyTorch(model: String) async throws {
    let trace = try SafetensorsFile(path: Places.inShared("goldens/\(model)/trace.safetensors"))
    let texts = try JSONDecoder().decode(
      [String].self, from: Data((trace.metadata["texts"] ?? "[]").utf8))
    #expect(texts.count == 2)
    let stages = try await Stages(Places.inShared("models/\(model)"), TestDevice.openCL.engine())
    // Both sentences in one batch: neither may feel the other.
    let ids = try texts.indices.map {
      try trace.integers(named: "\($0).ids").map { Int32($0) }
    }
    #expect(texts.map { stages.tokenizer.encode($0).ids } == ids)
    let result = try await stages.run(ids)
    var row = 0
    for (index, ids) in ids.enumerated() {
      let rows = row..<row + ids.count
      row += ids.count
      let hidden = try trace.floats(named: "\(index).hidden")
      #expect(distance(result.hidden, rows, to: hidden) < 1e-3)
      let u = try trace.floats(named: "\(index).u")
      #expect(distance(result.projected, rows, to: u) < 1e-3)
      let cells = result.cells.filter { $0.matrix / stages.types == index }
      try check(cells, stages.types, ids.count, trace.floats(named: "\(index).scores"))
    }
  }

  /// The largest difference between some rows of a matrix and another matrix.
  private func distance(_ all: [Float], _ rows: Range<Int>, to golden: [Float]) -> Float {
    let width = golden.count / rows.count
    guard golden.count == rows.count * width, all.count >= rows.upperBound * width else {
      return .infinity
    }
    return zip(all[rows.lowerBound * width..<rows.upperBound * width], golden)
      .reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  private func check(_ cells: [PairCell], _ types: Int, _ count: Int, _ golden: [Float]) throws {
    #expect(golden.count == types * count * count)
    var worst: Float = 0
    for cell in cells {
      let type = cell.matrix % types
      worst = max(worst, abs(cell.score - golden[(type * count + cell.row) * count + cell.column]))
    }
    #expect(worst < 2e-3)
    #expect(cells.count == types * (count - 2) * (count - 1) / 2)
  }
}

/// A model taken apart.
private struct Stages {
  let tokenizer: WordPieceTokenizer
  let types: Int
  private let encoder: TextEncoder
  private let head: PairHead
  private let projection: DenseWeights
  private let engine: Engine

  struct Output {
    let hidden: [Float]
    /// In the order in which the checkpoint stores its channels: query and key in turn.
    let projected: [Float]
    let cells: [PairCell]
  }

  init(_ directory: String, _ engine: Engine) async throws {
    let description = try ModelDescription(directory: directory)
    let configuration = try BertConfiguration(directory: directory)
    let checkpoint = try Checkpoint(directory: directory)
    let parameters = try description.spanHead.parameters(
      from: checkpoint, hiddenSize: configuration.hiddenSize)
    self.engine = engine
    tokenizer = try WordPieceTokenizer(directory: directory)
    types = description.labels.count
    encoder = try await TextEncoder(
      .bert(configuration), weights: checkpoint, prefix: description.encoderPrefix, on: engine)
    head = try await PairHead(parameters, positions: 512, on: engine)
    projection = try await engine.makeDenseWeights(parameters.projection)
  }

  func run(_ ids: [[Int32]]) async throws -> Output {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(ids), on: engine, uploadedBy: &submission)
    let hidden = try encoder.encode(tokens, in: &submission)
    let projected = try engine.makeTensor(.float32, tokens.count, projection.outputs)
    try submission.append(
      DenseLayer(hidden, rows: tokens.count, weights: projection, into: projected))
    let query = try head.query(hidden: hidden, tokens, threshold: -1e9, in: &submission)
    let cells = try await engine.cells(query, after: submission)
    // The buffers of the pass still hold what it computed.
    var reading = Submission()
    try reading.download(hidden)
    try reading.download(projected)
    let results = try await engine.run(reading)
    let half = projection.outputs / 2
    let turned = results[1].floats.indices.map { at in
      let (row, channel) = (at / (2 * half), at % (2 * half))
      return results[1].floats[row * 2 * half + channel / 2 + (channel % 2) * half]
    }
    return Output(hidden: results[0].floats, projected: turned, cells: cells)
  }
}
