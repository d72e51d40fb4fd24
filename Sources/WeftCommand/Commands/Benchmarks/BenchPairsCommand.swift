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

  @OptionGroup var bench: BenchOptions
  @OptionGroup var precision: PrecisionOptions

  private var sizes: PairSizes {
    PairSizes(head: head, types: heads, headSize: headSize, sequences: batch, length: length)
  }

  func validate() throws {
    guard batch > 0, heads > 0, length > 0, headSize > 0, headSize.isMultiple(of: 2) else {
      throw ValidationError("--batch, --heads and --length must be positive, --head-size positive and even")
    }
    try sizes.check()
  }

  func run() async throws {
    let engine = try bench.engine(precision)
    let inputs = try await PairInputs(sizes, on: engine)
    var found = 0
    let measurement = try await bench.measure { found = try await inputs.decode().count }
    let rate = sizes.operations / measurement.median / 1e9
    var entries = [ReportEntry.number("gflops", "GFLOP/s", rate, "%.1f")]
    if !bench.json {
      let peak = try await productRate(engine)
      let text = String(format: "%.0f%% of the %.1f GFLOP/s that a dense layer reaches here", 100 * rate / peak, peak)
      entries.append(.string("product_rate", "of the product rate", text))
    }
    entries.append(.integer("cells", "cells found", found))
    try bench.show(measurement, on: engine, entries)
  }

  /// GFLOP/s of a large product whose epilogue takes next to no time.
  private func productRate(_ engine: Engine) async throws -> Double {
    let (rows, inputs, outputs) = (2048, 768, 3072)
    let weights = try await engine.makeDenseWeights(
      normalNumbers(outputs * inputs, seed: 3), bias: [Float](repeating: 0, count: outputs), outputs: outputs,
      inputs: inputs)
    let input = try await engine.upload(.float32(normalNumbers(rows * inputs, seed: 4)), shape: [rows, inputs])
    let out = try engine.makeTensor(.float32, rows, outputs)
    let measurement = try await bench.measure {
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

  init(_ sizes: PairSizes, on engine: Engine) async throws {
    self.engine = engine
    let sequence = [Int32](repeating: 0, count: sizes.length)
    var submission = Submission()
    tokens = try DeviceTokens(
      TokenBatch([[Int32]](repeating: sequence, count: sizes.sequences)), on: engine, uploadedBy: &submission)
    projected = try engine.makeTensor(.float32, sizes.rows, sizes.width)
    try submission.upload(.float32(normalNumbers(sizes.rows * sizes.width, seed: 1)), to: projected)

    var biases: TypeBiases?
    if sizes.head == .efficient {
      let channels = 2 * sizes.types
      let values = try engine.makeTensor(.float32, sizes.rows, channels)
      try submission.upload(.float32(normalNumbers(sizes.rows * channels, seed: 2)), to: values)
      biases = try TypeBiases(
        packing: HeadSlices(values, channels: channels), extent: .ragged(tokens.segments), types: sizes.types,
        scale: 0.5,
        on: engine, in: &submission)
    }
    _ = try await engine.run(submission)
    scores = PairScores(
      headSize: sizes.headSize, heads: sizes.products, triangular: true,
      rotary: try await engine.makeRotaryTable(positions: sizes.length, channels: sizes.headSize), biases: biases)
    // Scores are normal with variance 1, and two halved biases add a half; 3.719 is passed once in 10,000 times.
    threshold = 3.719 * (sizes.head == .efficient ? Float(1.5).squareRoot() : 1)
  }

  func decode() async throws -> [PairCell] {
    var submission = Submission()
    let query = try scores.query(projected: projected, tokens, threshold: threshold, on: engine, in: &submission)
    return try await engine.cells(query, after: submission, capacity: tokens.count)
  }
}

struct BenchLossCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "loss",
    abstract: "Time a loss over token pairs and its gradient.",
    usage: "weft bench loss [<options>]",
    discussion: """
      From queries and keys on the device (and biases, for the efficient head) to their derivatives: rotation, products, \
      masks, the loss of each type of each sequence, and everything backwards. No scores are stored. Inputs are normal \
      numbers; a few cells of each sequence are labelled true. GFLOP/s count the products of the cells that exist, those \
      with start ≤ end, four times: the loss computes each once, and either side's gradient goes through it once more \
      and adds a vector.
      """)

  @Option(help: "Which head: a product for each type (globalpointer), or one for all (efficient).")
  var head: HeadKind = .globalPointer

  @Option(help: "Which loss: zlpr, or binary cross-entropy (bce).")
  var loss: TrainingRecipe.Loss = .zlpr

  @Option(parsing: .unconditional, help: "Sequences in the batch.") var batch = 8
  @Option(parsing: .unconditional, help: "Types of entities.") var heads = 10
  @Option(parsing: .unconditional, help: "Tokens of a sequence.") var length = 256
  @Option(parsing: .unconditional, help: "Channels of a query.") var headSize = 64
  @Option(parsing: .unconditional, help: "Cells nearer than this to either end of their sequence do not count.")
  var margin = 1
  @Option(parsing: .unconditional, help: "Labels drawn for each sequence.") var positives = 4

  @OptionGroup var bench: BenchOptions

  private var sizes: PairSizes {
    PairSizes(head: head, types: heads, headSize: headSize, sequences: batch, length: length)
  }

  func validate() throws {
    guard batch > 0, heads > 0, length > 2, headSize > 0, headSize.isMultiple(of: 2), margin >= 0, positives >= 0
    else {
      throw ValidationError("--batch and --heads must be positive, --length above 2, --head-size positive and even")
    }
    try sizes.check()
  }

  func run() async throws {
    let engine = try bench.engine()
    let inputs = try await LossInputs(sizes, loss: loss, margin: margin, positives: positives, on: engine)
    var sum = 0.0
    let measurement = try await bench.measure { sum = try await inputs.pass() }
    try bench.show(
      measurement, on: engine,
      [
        .number("gflops", "GFLOP/s", 4 * sizes.operations / measurement.median / 1e9, "%.1f"),
        .number("loss", "loss", sum, "%.4f"),
        .number("gradient_norm", "norm of the gradient", try await inputs.gradientNorm(), "%.6f"),
      ])
  }
}

/// What a head's projections would have left on the device, and where derivatives go.
private struct LossInputs {
  let engine: Engine
  let batch: Int
  let segments: SegmentTable
  let positions: Tensor
  let projected: Tensor
  let gradient: Tensor
  /// Queries and keys turned, and their derivatives before they are turned back.
  let turned: [HeadSlices]
  let slopes: [HeadSlices]
  let rotary: (forward: RotaryTable, inverse: RotaryTable)
  let passing: PairLossPass

  /// Cells nearer than the margin to either end of their sequence do not count; `positives` labels are drawn for each.
  init(
    _ sizes: PairSizes, loss: TrainingRecipe.Loss, margin: Int, positives: Int, on engine: Engine
  ) async throws {
    self.engine = engine
    batch = sizes.sequences
    let (rows, width, products, size) = (sizes.rows, sizes.width, sizes.products, sizes.headSize)
    var submission = Submission()
    let lengths = Segments(lengths: [Int](repeating: sizes.length, count: sizes.sequences))
    segments = try engine.makeSegmentTable(lengths, uploadedBy: &submission)
    positions = try engine.makeTensor(.int32, rows)
    try submission.upload(.int32(lengths.positions), to: positions)
    projected = try engine.makeTensor(.float32, rows, width)
    gradient = try engine.makeTensor(.float32, rows, width)
    try submission.upload(.float32(normalNumbers(rows * width, seed: 1)), to: projected)
    func compact() throws -> HeadSlices {
      HeadSlices(
        try engine.makeTensor(.float32, rows, products * size), headStride: size, heads: products, channels: size)
    }
    turned = [try compact(), try compact()]
    slopes = [try compact(), try compact()]
    rotary = (
      try await engine.makeRotaryTable(positions: sizes.length, channels: size),
      try await engine.makeRotaryTable(positions: sizes.length, channels: size, inverse: true)
    )
    var biases: PairLossPass.Biases?
    if sizes.head == .efficient {
      let values = try engine.makeTensor(.float32, rows, 2 * sizes.types)
      try submission.upload(.float32(normalNumbers(rows * 2 * sizes.types, seed: 2)), to: values)
      biases = PairLossPass.Biases(
        values, types: sizes.types, scale: 0.5, gradients: try engine.makeTensor(.float32, rows, 2 * sizes.types))
    }
    _ = try await engine.run(submission)
    passing = PairLossPass(
      loss == .zlpr ? .zlpr : .binary, queries: turned[0], keys: turned[1], segments: segments,
      scale: 1 / Float(size).squareRoot(), triangular: true, margin: margin, biases: biases,
      labels: Self.labels(sizes, positives: positives), backgrounds: [Float](repeating: 0, count: sizes.types),
      weight: 1 / Float(sizes.sequences), gradients: (slopes[0], slopes[1]))
  }

  /// A few true cells a sequence, each once.
  private static func labels(_ sizes: PairSizes, positives: Int) -> [CellLabel] {
    var generator = SplitMix64(seed: 7)
    func draw(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    var labels: Set<CellLabel> = []
    for segment in 0..<sizes.sequences {
      for _ in 0..<positives {
        let type = draw(sizes.types)
        let start = 1 + draw(sizes.length - 2)
        let end = min(start + draw(4), sizes.length - 2)
        labels.insert(CellLabel(segment: segment, type: type, start: start, end: end))
      }
    }
    return labels.sorted { ($0.segment, $0.type, $0.start, $0.end) < ($1.segment, $1.type, $1.start, $1.end) }
  }

  private func block(_ tensor: Tensor, _ part: Int) -> HeadSlices {
    let like = turned[part]
    return HeadSlices(
      tensor, offset: part * like.channels, headStride: 2 * like.channels, heads: like.heads, channels: like.channels)
  }

  /// Loss and gradient; returns the loss, summed over the types, the mean over the batch.
  func pass() async throws -> Double {
    var submission = Submission()
    for part in 0..<2 {
      try submission.append(
        RotateRows(
          block(projected, part), rows: segments.segments.rowCount, positions: positions, rotary: rotary.forward,
          into: turned[part]))
    }
    let totals = try passing.append(to: &submission, on: engine)
    for part in 0..<2 {
      try submission.append(
        RotateRows(
          slopes[part], rows: segments.segments.rowCount, positions: positions, rotary: rotary.inverse,
          into: block(gradient, part)))
    }
    try submission.download(totals)
    let values = try await engine.run(submission)[0].floats
    let sum = stride(from: 0, to: values.count, by: PairLoss.totalWidth).reduce(0.0) { $0 + Double(values[$1]) }
    return sum / Double(batch)
  }

  /// The norm over all derivatives, so that two programs can be compared.
  func gradientNorm() async throws -> Double {
    var submission = Submission()
    try submission.download(gradient)
    if let biases = passing.biases?.gradients { try submission.download(biases) }
    return try await engine.run(submission).reduce(0.0) { sum, values in
      values.floats.reduce(sum) { $0 + Double($1) * Double($1) }
    }.squareRoot()
  }
}

/// A head over token pairs and the sequences that it reads, whose sizes a benchmark chooses.
struct PairSizes {
  let head: HeadKind
  let types: Int
  /// Channels of a query.
  let headSize: Int
  let sequences: Int
  /// Tokens of a sequence.
  let length: Int

  /// An efficient head has one product for all types.
  var products: Int { head == .efficient ? 1 : types }
  /// Tokens of all sequences.
  var rows: Int { sequences * length }
  /// Channels of a token's queries and keys.
  var width: Int { products * 2 * headSize }
  /// Multiplications and additions of the products of all cells with start ≤ end.
  var operations: Double { Double(sequences * products) * Double(length * (length + 1) / 2) * 2 * Double(headSize) }

  /// Refuses sizes of which a benchmark does not fit.
  func check() throws {
    guard max(sequences, types, length) <= 65_536, headSize <= 4_096,
      Double(sequences) * Double(length) * Double(types * headSize) < 1e9
    else { throw ValidationError("a benchmark of this size does not fit; take a smaller batch, length or head") }
  }
}
