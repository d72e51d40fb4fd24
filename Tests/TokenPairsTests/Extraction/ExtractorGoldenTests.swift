import Engine
import Foundation
import ModelFiles
import Networks
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// The bundled model against PyTorch, with nothing but what the checkout holds.
@Suite struct BundledGoldenTests {
  private struct Line: Decodable {
    struct Span: Decodable {
      let start: Int
      let end: Int
      let label: String
      let score: Float
    }
    let text: String
    let entities: [Span]
  }

  private func readLines() throws -> [Line] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Goldens/litbank-tiny.jsonl")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  /// Three products of bfloat16 for one, as GPUs with matrix units compute them: the spans of float32.
  @Test(.enabled(if: TestDevice.hasOpenCL, "an OpenCL device is needed"))
  func threeProductsFindTheSameSpans() async throws {
    let texts = try readLines().prefix(8).map(\.text)
    let gpu = try Engine(.openCL(index: nil), variant: .gpu)
    func spans(_ engine: Engine) async throws -> (Set<[String]>, [Float]) {
      let extractor = try await Extractor(model: BundledModels.directory(), on: engine)
      var spans: Set<[String]> = []
      var scores: [Float] = []
      for try await document in extractor.documents(in: Array(texts)) {
        for entity in document.entities {
          spans.insert(["\(document.index)", "\(entity.codePoints)", entity.label])
          scores.append(entity.score)
        }
      }
      return (spans, scores)
    }
    let (exact, exactScores) = try await spans(gpu)
    let (found, scores) = try await spans(gpu.multiplying(at: .bfloat16x3, by: .emulated))
    #expect(found == exact && !exact.isEmpty)
    // The precision has been used.
    #expect(scores != exactScores)
  }

  @Test func scoresArePyTorchs() async throws {
    let lines = try readLines()
    #expect(lines.count == 80)
    let extractor = try await Extractor(
      model: BundledModels.directory(), on: try await Engine(),
      options: Extractor.Options(threshold: -0.04))
    var compared = 0
    for try await document in extractor.documents(in: lines.map(\.text)) {
      var wanted = lines[document.index].entities.filter { $0.score > -0.03 }
      for entity in document.entities {
        let at = wanted.firstIndex {
          $0.start == entity.codePoints.lowerBound && $0.end == entity.codePoints.upperBound
            && $0.label == entity.label
        }
        guard let at else {
          #expect(entity.score < -0.02, "sentence \(document.index): \(entity.label) \(entity.text) is surplus")
          continue
        }
        #expect(abs(wanted[at].score - entity.score) < 1e-3)
        wanted.remove(at: at)
        compared += 1
      }
      #expect(wanted.isEmpty, "sentence \(document.index) lacks \(wanted)")
    }
    #expect(compared == 62)  // all that the file holds above -0.03
  }
}

/// LitBank's development part, against the scores that PyTorch gave.
@Suite(.serialized, .enabled(if: TestDevice.hasOpenCL)) struct DocumentGoldenTests {
  private struct Text: Decodable {
    let id: String
    let text: String
  }

  private struct Golden: Decodable {
    struct Span: Decodable {
      let start: Int
      let end: Int
      let label: String
      let score: Float
    }

    let id: String
    let entities: [Span]
  }

  @Test(
    .enabled(
      if: Places.hasShared(
        "goldens/litbank-tiny/dev.jsonl", "goldens/litbank-minilm/dev.jsonl",
        "data/litbank/dev.jsonl"), "needs ../shared"),
    arguments: ["litbank-tiny", "litbank-minilm"])
  func everyScoreIsThatOfPyTorch(model: String) async throws {
    let texts = try Places.lines(Places.inShared("data/litbank/dev.jsonl"), as: Text.self)
    let goldens = try Places.lines(
      Places.inShared("goldens/\(model)/dev.jsonl"), as: Golden.self)
    #expect(texts.count == 806)
    #expect(texts.map(\.id) == goldens.map(\.id))

    // The goldens end at -0.05; a score may differ by 0.005.
    let (threshold, tolerance): (Float, Float) = (-0.04, 0.005)
    let extractor = try await Extractor(
      model: Places.inShared("models/\(model)"), on: TestDevice.openCL.engine(),
      options: .init(threshold: threshold))
    let documents = try await extractor.documents(of: texts.map(\.text))
    #expect(documents.count == texts.count)

    var worst: Float = 0
    var compared = 0
    for (golden, document) in zip(goldens, documents) {
      let expected = Dictionary(
        uniqueKeysWithValues: golden.entities.map {
          (EntityKey(range: $0.start..<$0.end, label: $0.label), $0.score)
        })
      let found = Dictionary(
        uniqueKeysWithValues: document.entities.map {
          (EntityKey(range: $0.codePoints, label: $0.label), $0.score)
        })
      for (key, score) in expected {
        if let other = found[key] {
          worst = max(worst, abs(score - other))
          compared += 1
        } else {
          #expect(score <= threshold + tolerance, "\(golden.id): \(key) was not found")
        }
      }
      for (key, score) in found where expected[key] == nil {
        Issue.record("\(golden.id): \(key) at \(score) is not PyTorch's")
      }
    }
    #expect(worst <= tolerance, "\(compared) scores, the largest difference \(worst)")
    #expect(compared > 1000)
  }
}

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
