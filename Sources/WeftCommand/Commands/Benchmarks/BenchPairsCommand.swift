public import ArgumentParser
import Engine
import Foundation
import Networks
public import TokenPairs

struct BenchPairsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pairs",
    abstract: "Time a token-pair head: rotation, scores, masks and threshold decoding.",
    usage: "weft bench pairs [<options>]",
    discussion: """
      From queries and keys on the device to the list of cells above the threshold on the host. Inputs are normal \
      numbers, and the threshold lets about 1 cell in 10,000 pass. GFLOP/s count the products of the cells that exist: \
      those with start ≤ end.
      """)

  @Option(help: "Which head: a product for each type (globalpointer), or one for all (efficient).")
  var head: HeadKind = .globalPointer

  @Option(parsing: .unconditional, help: "Sequences in the batch.") var batch = 16
  @Option(parsing: .unconditional, help: "Types of entities.") var heads = 10
  @Option(parsing: .unconditional, help: "Tokens of a sequence.") var length = 512
  @Option(parsing: .unconditional, help: "Channels of a query.") var headSize = 64

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

  func validate() throws {
    guard batch > 0, heads > 0, length > 0, headSize > 0, headSize.isMultiple(of: 2) else {
      throw ValidationError("--batch, --heads and --length must be positive, --head-size positive and even")
    }
    try checkPairs(batch: batch, products: heads, length: length, headSize: headSize)
  }

  func run() async throws {
    let engine = try tiles.engine()
    let inputs = try await PairInputs(self, on: engine)
    var found = 0
    let measurement = try await repetition.measure { found = try await inputs.decode().count }
    let products = head == .efficient ? 1 : heads
    let flops = Double(batch * products) * Double(length * (length + 1) / 2) * 2 * Double(headSize)
    var entries = ReportEntry.timings(measurement)
    let rate = flops / measurement.median / 1e9
    entries.append(.number("gflops", "GFLOP/s", rate, "%.1f"))
    if !repetition.json {
      let peak = try await productRate(engine)
      let text = String(format: "%.0f%% of the %.1f GFLOP/s that a dense layer reaches here", 100 * rate / peak, peak)
      entries.append(.string("product_rate", "of the product rate", text))
    }
    entries.append(.integer("cells", "cells found", found))
    repetition.show(entries + ReportEntry.device(engine))
  }

  /// GFLOP/s of a large product without an epilogue to speak of.
  private func productRate(_ engine: Engine) async throws -> Double {
    let (rows, inputs, outputs) = (2048, 768, 3072)
    let weights = try await engine.makeDenseWeights(
      normalNumbers(outputs * inputs, seed: 3), bias: [Float](repeating: 0, count: outputs), outputs: outputs,
      inputs: inputs)
    let input = try await engine.upload(.float32(normalNumbers(rows * inputs, seed: 4)), shape: [rows, inputs])
    let out = try engine.makeTensor(.float32, rows, outputs)
    let measurement = try await repetition.measure {
      var submission = Submission()
      try submission.append(DenseLayer(input, rows: rows, weights: weights, into: out))
      _ = try await engine.run(submission)
    }
    return 2 * Double(rows * inputs * outputs) / measurement.median / 1e9
  }
}

extension HeadKind: ExpressibleByArgument {}

/// What a head's projections would have left on the device.
private struct PairInputs {
  let engine: Engine
  let tokens: DeviceTokens
  let projected: Tensor
  let scores: PairScores
  let threshold: Float

  init(_ command: BenchPairsCommand, on engine: Engine) async throws {
    self.engine = engine
    let rows = command.batch * command.length
    let products = command.head == .efficient ? 1 : command.heads
    let sequence = [Int32](repeating: 0, count: command.length)
    var submission = Submission()
    tokens = try DeviceTokens(
      TokenBatch([[Int32]](repeating: sequence, count: command.batch)), on: engine, uploadedBy: &submission)
    let width = products * 2 * command.headSize
    projected = try engine.makeTensor(.float32, rows, width)
    try submission.upload(.float32(normalNumbers(rows * width, seed: 1)), to: projected)

    var biases: TypeBiases?
    if command.head == .efficient {
      let channels = 2 * command.heads
      let values = try engine.makeTensor(.float32, rows, channels)
      try submission.upload(.float32(normalNumbers(rows * channels, seed: 2)), to: values)
      biases = try TypeBiases(
        packing: values, types: command.heads, scale: 0.5, tokens, on: engine, in: &submission)
    }
    _ = try await engine.run(submission)
    scores = PairScores(
      headSize: command.headSize, heads: products, triangular: true,
      rotary: try await engine.makeRotaryTable(positions: command.length, channels: command.headSize), biases: biases)
    // Scores are normal with variance 1, and two halved biases add a half; 3.719 is passed once in 10,000 times.
    threshold = 3.719 * (command.head == .efficient ? Float(1.5).squareRoot() : 1)
  }

  func decode() async throws -> [PairCell] {
    var submission = Submission()
    let query = try scores.query(projected: projected, tokens, threshold: threshold, on: engine, in: &submission)
    return try await engine.cells(query, after: submission, capacity: tokens.count)
  }
}
