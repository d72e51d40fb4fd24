import ArgumentParser
import Engine
import Foundation
import TokenPairs

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

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

  func validate() throws {
    guard batch > 0, heads > 0, length > 2, headSize > 0, headSize.isMultiple(of: 2), margin >= 0, positives >= 0
    else {
      throw ValidationError("--batch and --heads must be positive, --length above 2, --head-size positive and even")
    }
    try checkPairs(batch: batch, products: heads, length: length, headSize: headSize)
  }

  func run() async throws {
    let engine = try tiles.engine()
    let inputs = try await LossInputs(self, on: engine)
    var sum = 0.0
    let measurement = try await repetition.measure { sum = try await inputs.pass() }
    let products = head == .efficient ? 1 : heads
    let flops = 4 * Double(batch * products) * Double(length * (length + 1) / 2) * 2 * Double(headSize)
    var entries = ReportEntry.timings(measurement)
    entries.append(.number("gflops", "GFLOP/s", flops / measurement.median / 1e9, "%.1f"))
    entries.append(.number("loss", "loss", sum, "%.4f"))
    entries.append(.number("gradient_norm", "norm of the gradient", try await inputs.gradientNorm(), "%.6f"))
    repetition.show(entries + ReportEntry.device(engine))
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

  init(_ command: BenchLossCommand, on engine: Engine) async throws {
    self.engine = engine
    batch = command.batch
    let rows = command.batch * command.length
    let (products, size) = (command.head == .efficient ? 1 : command.heads, command.headSize)
    let width = products * 2 * size
    var submission = Submission()
    let lengths = Segments(lengths: [Int](repeating: command.length, count: command.batch))
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
      try await engine.makeRotaryTable(positions: command.length, channels: size),
      try await engine.makeRotaryTable(positions: command.length, channels: size, inverse: true)
    )
    var biases: PairLossPass.Biases?
    if command.head == .efficient {
      let values = try engine.makeTensor(.float32, rows, 2 * command.heads)
      try submission.upload(.float32(normalNumbers(rows * 2 * command.heads, seed: 2)), to: values)
      biases = PairLossPass.Biases(
        values, types: command.heads, scale: 0.5, gradients: try engine.makeTensor(.float32, rows, 2 * command.heads))
    }
    _ = try await engine.run(submission)
    passing = PairLossPass(
      command.loss == .zlpr ? .zlpr : .binary, queries: turned[0], keys: turned[1], segments: segments,
      scale: 1 / Float(size).squareRoot(), triangular: true, margin: command.margin, biases: biases,
      labels: Self.labels(command), backgrounds: [Float](repeating: 0, count: command.heads),
      weight: 1 / Float(command.batch), gradients: (slopes[0], slopes[1]))
  }

  /// A few true cells a sequence, each once.
  private static func labels(_ command: BenchLossCommand) -> [CellLabel] {
    var generator = SplitMix64(seed: 7)
    func draw(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    var labels: Set<CellLabel> = []
    for segment in 0..<command.batch {
      for _ in 0..<command.positives {
        let type = draw(command.heads)
        let start = 1 + draw(command.length - 2)
        let end = min(start + draw(4), command.length - 2)
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
