import ArgumentParser
import Engine
import Foundation
import ModelFiles
import Networks

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

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

  func validate() throws {
    guard (1...1_024).contains(batch) else { throw ValidationError("--batch must be from 1 to 1024") }
  }

  func run() async throws {
    let engine = try tiles.engine()
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

    let measurement = try await repetition.measure {
      var submission = Submission()
      try pass.append(samples, at: levels, into: answer, to: &submission)
      _ = try await engine.run(submission)
    }
    let all = try pass.measuredSteps(samples, at: levels, into: answer)
    let work = all.reduce(0) { $0 + $1.floatingPointOperations }
    let memory = network.memory(images: batch)
    if layers { try await show(all, on: engine) }
    repetition.show(
      ReportEntry.timings(measurement) + [
        .number("images_per_second", "images/s", Double(batch) / measurement.median, "%.2f"),
        .number("gflops", "GFLOP/s", work / measurement.median / 1e9, "%.1f"),
        .number("gflop_per_image", "GFLOP an image", work / Double(batch) / 1e9, "%.2f"),
        .bytes("planned_bytes", "planned: weights and buffers", memory.weights + memory.pass),
      ] + ReportEntry.device(engine))
  }

  /// Prints what each operation takes.
  private func show(_ layers: [MeasuredStep], on engine: Engine) async throws {
    var table = TextTable([
      .text("operation"), .text("layer"), .number("ms"), .number("GFLOP/s"), .number("MiB"), .number("GB/s"),
    ])
    for layer in layers {
      let measurement = try await repetition.measure {
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
    let text = table.render(on: Terminal(describing: repetition.json ? STDERR_FILENO : STDOUT_FILENO))
    if repetition.json { note(text) } else { print(text) }
  }
}
