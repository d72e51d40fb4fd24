import ArgumentParser
import Engine
import Foundation
import ModelFiles
import Networks

struct BenchEncoderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder",
    abstract: "Time a BERT encoder with random weights.",
    usage: "weft bench encoder [<options>]")

  enum Shape: String, ExpressibleByArgument, CaseIterable {
    case minilm
    case bertBase = "bert-base"

    var configuration: BertConfiguration {
      switch self {
      case .minilm:
        BertConfiguration(
          hiddenSize: 384, layerCount: 6, headCount: 12, intermediateSize: 1536, vocabularySize: 30_522)
      case .bertBase:
        BertConfiguration(
          hiddenSize: 768, layerCount: 12, headCount: 12, intermediateSize: 3072, vocabularySize: 30_522)
      }
    }
  }

  @Option(help: "The encoder's shape: minilm (6 layers of 384) or bert-base (12 layers of 768).")
  var shape: Shape = .minilm

  @Option(parsing: .unconditional, help: "Sequences in the batch.") var batch = 16
  @Option(parsing: .unconditional, help: "Tokens of a sequence.") var length = 128

  @OptionGroup var bench: BenchOptions
  @OptionGroup var precision: PrecisionOptions

  func validate() throws {
    guard (1...4_096).contains(batch), (1...512).contains(length) else {
      throw ValidationError("--batch must be from 1 to 4096 and --length from 1 to 512")
    }
  }

  func run() async throws {
    let engine = try bench.engine(precision)
    let configuration = shape.configuration
    let encoder = try await TextEncoder(.bert(configuration), weights: RandomWeights(seed: 1), prefix: "", on: engine)
    var generator = SplitMix64(seed: 2)
    let sequences = (0..<batch).map { _ in
      (0..<length).map { _ in Int32.random(in: 0..<Int32(configuration.vocabularySize), using: &generator) }
    }
    let measurement = try await bench.measure {
      var submission = Submission()
      let tokens = try DeviceTokens(TokenBatch(sequences), on: engine, uploadedBy: &submission)
      let hidden = try encoder.encode(tokens, in: &submission)
      try submission.download(hidden)
      _ = try await engine.run(submission)
    }
    let tokens = Double(batch * length)
    let width = Double(configuration.hiddenSize)
    let perToken =
      Double(configuration.layerCount)
      * (2 * width * (4 * width + 2 * Double(configuration.intermediateSize)) + 4 * Double(length) * width)
    try bench.show(
      measurement, on: engine,
      [
        .number("tokens_per_second", "tokens/s", tokens / measurement.median, "%.0f"),
        .number("gflops", "GFLOP/s", tokens * perToken / measurement.median / 1e9, "%.1f"),
      ])
  }
}

struct BenchConvolutionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convolution",
    abstract: "Time a convolution of images, as a U-Net has them.",
    usage: "weft bench convolution [<options>]",
    discussion: """
      With bias, the shift of a time embedding and a residual. GFLOP/s count a multiplication and an addition for each \
      tap, those beyond the edge too; an image made larger (--upsamples) is counted as if its pixels had been copied.
      """)

  @Option(parsing: .unconditional, help: "Images in the batch.") var batch = 8
  @Option(parsing: .unconditional, help: "An image's height and width.") var size = 32
  @Option(parsing: .unconditional, help: "Channels of a pixel.") var inputs = 128
  @Option(parsing: .unconditional, help: "Channels of a second tensor beside the first; 0 for none.") var second = 0
  @Option(parsing: .unconditional, help: "Channels of the result.") var outputs = 128
  @Option(parsing: .unconditional, help: "The window's height and width, 1 or 3.") var window = 3
  @Option(parsing: .unconditional, help: "Pixels between two windows, 1 or 2.") var stride = 1
  @Flag(help: "See each pixel twice in both directions.") var upsamples = false

  @OptionGroup var bench: BenchOptions
  @OptionGroup var precision: PrecisionOptions

  func validate() throws {
    guard (1...4_096).contains(batch), (1...4_096).contains(size) else {
      throw ValidationError("--batch and --size must be from 1 to 4096")
    }
    guard (1...4_096).contains(inputs), (0...4_096).contains(second), (1...4_096).contains(outputs) else {
      throw ValidationError("--inputs, --second and --outputs must be at most 4096, the first and the last at least 1")
    }
    guard [1, 3].contains(window), [1, 2].contains(stride) else {
      throw ValidationError("--window must be 1 or 3 and --stride 1 or 2")
    }
    guard !upsamples || (window == 3 && stride == 1) else {
      throw ValidationError("--upsamples goes with a window of 3 and stride 1")
    }
    guard Double(batch * size * size) * Double(max(inputs + second, outputs * (upsamples ? 4 : 1))) <= 1e9 else {
      throw ValidationError(
        "a benchmark of this size does not fit; take smaller images, fewer of them or fewer channels")
    }
  }

  func run() async throws {
    let engine = try bench.engine(precision)
    let channels = inputs + second
    let weights = try await engine.makeConvolutionWeights(
      normalNumbers(outputs * channels * window * window, seed: 1), bias: normalNumbers(outputs, seed: 2),
      outputs: outputs, inputs: channels, size: window, upsamples: upsamples)
    let grid = PixelGrid(images: batch, height: size, width: size)
    let shift = try await engine.upload(.float32(normalNumbers(batch * outputs, seed: 3)), shape: [batch, outputs])
    var input = PixelRows(
      try await engine.upload(.float32(normalNumbers(grid.rows * inputs, seed: 4)), shape: [grid.rows, inputs]))
    if second > 0 {
      input.second = try await engine.upload(
        .float32(normalNumbers(grid.rows * second, seed: 5)), shape: [grid.rows, second])
    }
    let factor = upsamples ? 2 : 1
    let edge = (size * factor - 1) / stride + 1
    let rows = batch * edge * edge
    let residual = try await engine.upload(
      .float32(normalNumbers(rows * outputs, seed: 6)), shape: [rows, outputs])
    let out = try engine.makeTensor(.float32, rows, outputs)
    let convolution = Convolution(
      input, grid: grid, weights: weights, stride: stride, shift: HeadSlices(shift, channels: outputs),
      residual: residual, into: out)
    let measurement = try await bench.measure {
      var submission = Submission()
      try submission.append(convolution)
      _ = try await engine.run(submission)
    }
    let operations = 2 * Double(rows) * Double(outputs) * Double(channels * window * window)
    let bytes = 4 * (grid.rows * channels + 2 * rows * outputs + weights.panels.tensor.count)
    try bench.show(
      measurement, on: engine,
      [
        .number("gflops", "GFLOP/s", operations / measurement.median / 1e9, "%.1f"),
        .bytes("bytes", "input, weights, residual and result", bytes),
      ])
  }
}

struct BenchUNetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unet",
    abstract: "Time a diffusion U-Net with random weights.",
    usage: "weft bench unet [<options>]",
    discussion: """
      From noisy images on the device to the network's answer there. GFLOP/s count the multiplications and additions of \
      convolutions, linear layers and attention's products. --layers times each operation by itself, so that their sum \
      is a little more than the whole, and tells what each reads and writes.
      """)

  enum Shape: String, ExpressibleByArgument, CaseIterable {
    case cifar = "cifar10-32"
    case celebA = "celebahq-256"

    var configuration: UNetConfiguration { self == .cifar ? .cifar : .celebA }
  }

  @Option(help: "The network's shape: google/ddpm-cifar10-32's or google/ddpm-celebahq-256's.")
  var shape = Shape.cifar

  @Option(parsing: .unconditional, help: "Images in the batch.") var batch = 8

  @Flag(help: "Time each operation too.") var layers = false

  @OptionGroup var bench: BenchOptions
  @OptionGroup var precision: PrecisionOptions

  func validate() throws {
    guard (1...1_024).contains(batch) else { throw ValidationError("--batch must be from 1 to 1024") }
  }

  func run() async throws {
    let engine = try bench.engine(precision)
    let configuration = shape.configuration
    let network = try await ImageNetwork(.unet2D(configuration), weights: RandomWeights(seed: 1), on: engine)
    let pass = try network.makePass(images: batch)
    let elements = configuration.imageElements
    let samples = try await engine.upload(
      .float32(normalNumbers(batch * elements, seed: 2)), shape: [batch, elements])
    let answer = try engine.makeTensor(
      .float32, batch, configuration.outputChannels * configuration.height * configuration.width)
    var row = CoefficientRow()
    row[.inputScale] = 1
    row[.time] = 500
    let levels = CoefficientRows(
      try await engine.upload(.float32(row.elements), shape: [1, CoefficientRow.width]))

    let measurement = try await bench.measure {
      var submission = Submission()
      try pass.append(samples, at: levels, into: answer, to: &submission)
      _ = try await engine.run(submission)
    }
    let all = try pass.measuredSteps(samples, at: levels, into: answer)
    let work = all.reduce(0) { $0 + $1.floatingPointOperations }
    let memory = network.memory(images: batch)
    if layers { try await show(all, on: engine) }
    try bench.show(
      measurement, on: engine,
      [
        .number("images_per_second", "images/s", Double(batch) / measurement.median, "%.2f"),
        .number("gflops", "GFLOP/s", work / measurement.median / 1e9, "%.1f"),
        .number("gflop_per_image", "GFLOP an image", work / Double(batch) / 1e9, "%.2f"),
        .bytes("planned_bytes", "planned: weights and buffers", memory.weights + memory.pass),
      ])
  }

  /// Prints what each operation takes.
  private func show(_ layers: [MeasuredStep], on engine: Engine) async throws {
    var table = TextTable([
      .text("operation"), .text("layer"), .number("ms"), .number("GFLOP/s"), .number("MiB"), .number("GB/s"),
    ])
    for layer in layers {
      let measurement = try await bench.measure {
        var submission = Submission()
        try submission.append(layer.operation)
        _ = try await engine.run(submission)
      }
      let seconds = measurement.median
      table.addRow([
        layer.title, layer.layer, String(format: "%.2f", seconds * 1000),
        layer.floatingPointOperations > 0 ? String(format: "%.1f", layer.floatingPointOperations / seconds / 1e9) : "",
        String(format: "%.2f", Double(layer.bytes) / Double(1 << 20)),
        String(format: "%.1f", Double(layer.bytes) / seconds / 1e9),
      ])
    }
    // A machine reads the whole's JSON on standard output.
    let text = table.render(on: Terminal(describing: bench.json ? STDERR_FILENO : STDOUT_FILENO))
    if bench.json { note(text) } else { try printReport(text + "\n") }
  }
}
