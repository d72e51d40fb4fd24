import ArgumentParser
import Engine
import Foundation

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

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

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
    let engine = try tiles.engine()
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
    let measurement = try await repetition.measure {
      var submission = Submission()
      try submission.append(convolution)
      _ = try await engine.run(submission)
    }
    let operations = 2 * Double(rows) * Double(outputs) * Double(channels * window * window)
    let bytes = 4 * (grid.rows * channels + 2 * rows * outputs + weights.panels.tensor.count)
    repetition.show(
      ReportEntry.timings(measurement) + [
        .number("gflops", "GFLOP/s", operations / measurement.median / 1e9, "%.1f"),
        .bytes("bytes", "input, weights, residual and result", bytes),
      ] + ReportEntry.device(engine))
  }
}
